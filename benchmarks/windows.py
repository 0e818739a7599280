"""What windows of a very large panel take in memory, and in time beside a Python loop on a tenth of it.

10,000 series of 2,500 rows, 6 features, 5 steps, a lookback of 60: 25 million rows. The data are the table of rows as
`data/rows.py` defines it. The loop is the usual one: a slice for each window, appended to a list.

    python -m benchmarks.windows --rounds 5
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from benchmarks.common import alternate, inside, rounds_wanted, table
from stockcast.data.rows import Rows
from stockcast.data.windows import Windows, windows_between

SERIES, LENGTH, FEATURES, HORIZON, LOOKBACK, BATCH = 10_000, 2_500, 6, 5, 60, 4096
WARMUP = 20
OURS, LOOP, BLIND = "windows as views", "a Python loop", "a Python loop that checks nothing"


def main() -> None:
    """Memory on the whole, time on a tenth."""
    rounds = rounds_wanted(__doc__)
    print(memory(), end="\n\n")
    rows = panel(SERIES // 10)
    if len(every_window(rows)) != by_loop(rows):
        raise RuntimeError("the loop finds other windows")
    contenders = {
        LOOP: inside(lambda: by_loop(rows)),
        BLIND: inside(lambda: by_blind_loop(rows)),
        OURS: inside(lambda: every_window(rows)),
    }
    print(f"{SERIES // 10:,} series of {LENGTH:,} rows:")
    print(table(alternate(contenders, rounds), LOOP))


def panel(series: int) -> Rows:
    """A table of zeros whose features are unknown in the first rows of each series, and whose last targets are."""
    days = np.datetime64("2010-01-01") + np.arange(LENGTH)
    last_target = np.append(days[HORIZON:], np.full(HORIZON, np.datetime64("NaT", "D")))
    rows = series * LENGTH
    inputs = np.zeros((rows, FEATURES), dtype=np.float32)
    inputs.reshape(series, LENGTH, FEATURES)[:, :WARMUP] = np.nan
    targets = np.zeros((rows, HORIZON), dtype=np.float32)
    targets.reshape(series, LENGTH, HORIZON)[:, -HORIZON:] = np.nan
    return Rows(
        inputs,
        targets,
        np.zeros(rows),
        np.ones((rows, HORIZON)),
        np.ones(rows),
        np.tile(days, series),
        np.tile(last_target, series),
        np.arange(series + 1) * LENGTH,
        tuple(f"s{number}" for number in range(series)),
        np.zeros(series, dtype=np.int64),
        logarithmic=True,
    )


def every_window(rows: Rows) -> Windows:
    """All windows of known inputs and targets."""
    return windows_between(rows, LOOKBACK, None, rows.dates[LENGTH - 1])


def by_loop(rows: Rows) -> int:
    """The same by slices in two lists, and an array of each list."""
    x, y = [], []
    for start in rows.starts[:-1].tolist():
        for end in range(start + LOOKBACK - 1, start + LENGTH):
            window, targets = rows.inputs[end - LOOKBACK + 1 : end + 1], rows.targets[end]
            if np.isfinite(window).all() and np.isfinite(targets).all():
                x.append(window)
                y.append(targets)
    return min(len(np.array(x)), len(np.array(y)))


def by_blind_loop(rows: Rows) -> int:
    """The same as the tutorials do it, where somebody knows beforehand which rows are known."""
    x, y = [], []
    for start in rows.starts[:-1].tolist():
        for end in range(start + WARMUP + LOOKBACK - 1, start + LENGTH - HORIZON):
            x.append(rows.inputs[end - LOOKBACK + 1 : end + 1])
            y.append(rows.targets[end])
    return min(len(np.array(x)), len(np.array(y)))


def memory() -> str:
    """The most memory beyond the table while all its windows are found, and then gathered batch by batch."""
    tracemalloc.start()
    rows = panel(SERIES)
    arrays = (rows.inputs, rows.targets, rows.anchor, rows.unit, rows.price, rows.dates, rows.last_target)
    data = sum(array.nbytes for array in arrays)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    start = time.perf_counter()
    windows = every_window(rows)
    found = time.perf_counter() - start
    for first in range(0, len(windows), BATCH):
        windows.take(slice(first, first + BATCH)).x  # noqa: B018 -- made, and let go
    gathered = time.perf_counter() - start - found
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return (
        f"{SERIES * LENGTH:,} rows, {data / 1e6:,.0f} MB: {len(windows):,} windows of {LOOKBACK} x {FEATURES}\n"
        f"most memory beyond the rows, all batches of {BATCH:,} included: {peak / 1e6:,.0f} MB, {peak / data:.1%}\n"
        f"found in {found:.1f} s, gathered in {gathered:.1f} s"
    )


if __name__ == "__main__":
    main()
