"""Seconds per epoch of T1: stock Keras, stockcast, Darts and NeuralForecast, each by its own training loop.

The same windows, layers, units, dropout, batches and optimiser (`job.py`); the programs run in two environments and
take turns epoch by epoch.

    python -m benchmarks.peers.epochs --peers .venv-peers/bin/python --rounds 5
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.common import alternate, table
from benchmarks.peers.turns import start_all

STOCK = "keras.layers.LSTM"
OURS = {STOCK: "t1_keras", "stockcast": "t1_stockcast"}
THEIRS = {"Darts BlockRNNModel": "t1_darts", "NeuralForecast LSTM": "t1_neuralforecast"}
VERSIONS = (
    "import sys; from importlib.metadata import version as v; print(*(f'{n} {v(n)}' for n in sys.argv[1:]), sep=', ')"
)


def main() -> None:
    """Start all four, then take turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    commands = {name: (sys.executable, "-m", f"benchmarks.peers.{module}") for name, module in OURS.items()}
    commands |= {name: (given.peers, "-m", f"benchmarks.peers.{module}") for name, module in THEIRS.items()}
    contenders = dict(zip(commands, start_all(list(commands.values())), strict=True))
    print(table(alternate({name: one.epoch for name, one in contenders.items()}, given.rounds), STOCK))
    for one in contenders.values():
        one.close()
    print(f"\n{versions(given.peers, ('darts', 'neuralforecast', 'torch'))}")


def versions(python: str, names: tuple[str, ...]) -> str:
    """The versions of libraries in another environment."""
    return subprocess.run([python, "-c", VERSIONS, *names], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
