"""A panel as large as the S&P 500's: training on 120 series, forecasting 500, each as a whole process.

The prices are made up; 2,765 sessions are eleven years. Importing TensorFlow is in the first, and stands beside it.

    python -m benchmarks.panel --rounds 5
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.common import alternate, process, rounds_wanted, table
from benchmarks.prices import write_panel

SESSIONS = 2765
TENSORFLOW = "python -c 'import tensorflow'"
QUICK = ("fit.epochs=1", "fit.stride=500", "fit.refit=false", "model.units=[16,16]")


def main() -> None:
    """Make the prices and a model of 500 series, then take turns."""
    rounds = rounds_wanted(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        small, large = (write_panel(Path(folder) / f"of{n}", n, SESSIONS) for n in (120, 500))
        stockcast = ("-m", "stockcast", "--store", str(Path(folder) / "models"), "--quiet")
        settings = [part for setting in QUICK for part in ("--set", setting)]
        process(*stockcast, "train", "--csv", str(large), *settings)()
        contenders = {
            TENSORFLOW: process("-c", "import tensorflow"),
            "train --csv, 120 series": process(*stockcast, "train", "--csv", str(small)),
            "predict --json, 500 series": process(*stockcast, "predict", "of500", "--json"),
        }
        print(table(alternate(contenders, rounds), TENSORFLOW))


if __name__ == "__main__":
    main()
