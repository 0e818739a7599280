"""`stockcast train` on the tutorial's Google prices, beside the tutorial's own script, each as a whole process.

Both learn the prices of 2012-2016; what they forecast for the 20 days of January 2017 is told below. The script has 100
epochs and takes minutes; `--epochs 10` makes it a tenth as long.

    python -m benchmarks.tutorial --data DIR --rounds 1

DIR holds Google_Stock_Price_Train.csv and Google_Stock_Price_Test.csv in the folder `tutorial`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.common import alternate, process, table

OURS = "stockcast train --csv GOOGLE"


def main() -> None:
    """Time both, then say what each one's forecasts are worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    folder = given.data.resolve() / "tutorial"
    files = [str(folder / f"Google_Stock_Price_{part}.csv") for part in ("Train", "Test")]
    theirs = f"the tutorial's script, {given.epochs} epochs"
    script = process("-m", "benchmarks.peers.script", str(folder), str(given.epochs))
    with tempfile.TemporaryDirectory() as store:
        train = ("-m", "stockcast", "--store", store, "train", "--csv", files[0], "--name", "google")
        samples = alternate({theirs: script, OURS: process(*train)}, given.rounds)
        print(table(samples, theirs), end="\n\n")
        evaluated = json.loads(process(*train, "--price", "open", "--test-csv", files[1], "--json")().said)
    print(f"{theirs}, 20 days: {samples[theirs][0].said.strip()}")
    error, naive = (evaluated["scores"]["models"][name][0]["rmse"] for name in ("model", "naive"))
    print(f"stockcast train, the same 20 days: RMSE {error:.4f}, ratio {error / naive:.3f}")


if __name__ == "__main__":
    main()
