"""`stockcast train` on the tutorial's Google prices, beside the tutorial's own script, each as a whole process.

Both learn the opening prices of 2012-2016 and are judged on the 20 days of January 2017. Five rounds of a script of 10
epochs beside `stockcast train`, and one round of the script as it is, with 100.

    python -m benchmarks.tutorial --data DIR --rounds 5

DIR holds Google_Stock_Price_Train.csv and Google_Stock_Price_Test.csv in the folder `tutorial`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.common import alternate, process, table

SCRIPT, FEW, OURS = "the tutorial's script, 100 epochs", "the same script, 10 epochs", "stockcast train --csv GOOGLE"


def main() -> None:
    """Time both, then say what each one's forecasts are worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    folder = given.data.resolve() / "tutorial"
    script = ("-m", "benchmarks.peers.script", str(folder))
    files = [str(folder / f"Google_Stock_Price_{part}.csv") for part in ("Train", "Test")]
    with tempfile.TemporaryDirectory() as store:
        train = ("-m", "stockcast", "--store", store, "train", "--csv", files[0], "--name", "google")
        ours = process(*train)
        print(table(alternate({FEW: process(*script, "10"), OURS: ours}, given.rounds), FEW), end="\n\n")
        whole = alternate({SCRIPT: process(*script), OURS: ours}, 1)
        print(table(whole, SCRIPT), end="\n\n")
        judged = json.loads(process(*train, "--price", "open", "--test-csv", files[1], "--json")().said)
    print(f"{SCRIPT}: {whole[SCRIPT][0].said.strip()}")
    error, naive = (judged["scores"]["models"][name][0]["rmse"] for name in ("model", "naive"))
    print(f"stockcast train, the same 20 days: RMSE {error:.4f}, ratio {error / naive:.3f}")


if __name__ == "__main__":
    main()
