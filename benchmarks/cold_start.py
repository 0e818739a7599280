"""How soon the commands answer that import no TensorFlow, beside what importing TensorFlow or click alone takes.

python -m benchmarks.cold_start --rounds 5
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.common import ROOT, alternate, process, rounds_wanted, table
from stockcast.store.store import Store

TENSORFLOW, CLICK = "python -c 'import tensorflow'", "python -c 'import click'"


def main() -> None:
    """Train a small model, then start every command in turn."""
    rounds = rounds_wanted(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "models"
        stockcast = ("-m", "stockcast", "--store", str(store))
        process(*stockcast, "train", "--csv", str(ROOT / "data" / "ibm.csv"), "--set", "fit.epochs=1")()
        light = {
            CLICK: process("-c", "import click"),
            "python -c 'import stockcast'": process("-c", "import stockcast"),
            "stockcast --help": process("-m", "stockcast", "--help"),
            "stockcast models list": process(*stockcast, "models", "list"),
            "stockcast retrain ibm, nothing new": process(*stockcast, "retrain", "ibm"),
        }
        heavy = {
            TENSORFLOW: process("-c", "import tensorflow"),
            "stockcast predict ibm": process(*stockcast, "predict", "ibm"),
            "stockcast predict ibm --json": process(*stockcast, "predict", "ibm", "--json"),
        }
        for contenders in (light, heavy):
            for run in contenders.values():
                run()  # once untimed, so that the files are in memory
        print(table(alternate(heavy, rounds), TENSORFLOW), end="\n\n")
        samples = alternate(light, 2 * rounds)
        with Store(store).lock("ibm"):
            refused = process(*stockcast, "retrain", "ibm", code=75)
            samples["stockcast retrain ibm, another run holds the lock"] = [refused() for _ in range(2 * rounds)]
        print(table(samples, CLICK))


if __name__ == "__main__":
    main()
