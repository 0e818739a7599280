"""How long a clean file of a million rows takes to read, beside pandas.read_csv on the same file.

    python -m benchmarks.reader [ROWS]

Prints one line for prices with two decimals and one for prices with all digits of a float: each the best of seven in
one process, taken in turns. stockcast reads on all cores; what it finds in the prices is part of the time.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common import alternate, inside
from stockcast.reading.reader import read_panel

ROUNDS = 7


def write_prices(path: Path, rows: int, decimals: int | None) -> None:
    """Consecutive days from 1800 on of a random walk, open, high, low, close and volume."""
    rng = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.001, rows)))
    opening = np.concatenate([[100.0], close[:-1]])
    columns = {
        "Date": (np.datetime64("1800-01-01") + np.arange(rows)).astype(str),
        "Open": opening,
        "High": np.maximum(opening, close) * 1.001,
        "Low": np.minimum(opening, close) * 0.999,
        "Close": close,
        "Volume": rng.integers(100_000, 100_000_000, rows),
    }
    pd.DataFrame(columns).to_csv(path, index=False, float_format=None if decimals is None else f"%.{decimals}f")


def main() -> None:
    """Write, read both ways, print the ratio."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        for decimals in (2, None):
            path = Path(folder) / "prices.csv"
            write_prices(path, rows, decimals)
            readers = {
                "ours": inside(partial(read_panel, [str(path)])),
                "theirs": inside(partial(pd.read_csv, path)),
            }
            ours, theirs = (min(one.seconds for one in runs) for runs in alternate(readers, ROUNDS).values())
            form = f"{decimals} decimals" if decimals else "all digits"
            print(f"{rows:,} rows, {form}: {ours:.2f} s, pandas.read_csv {theirs:.2f} s, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    main()
