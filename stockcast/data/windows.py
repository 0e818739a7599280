"""Windows of consecutive rows: views of one table, found by their last row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from stockcast.config.sections import DataConfig
from stockcast.data.forecast import Origins
from stockcast.data.rows import Floats32, Ints, Mask, Rows
from stockcast.data.series import Dates

PAD = -9.0
"""What stands in a window where there is no row: no scaled input comes near it."""


@dataclass(frozen=True)
class Windows:
    """Windows of `lookback` rows, by their last row; nothing is copied until it is asked for.

    `ends` (n,) are rows of `rows`. Row t's target belongs to the window that ends in t.
    """

    rows: Rows
    ends: Ints
    lookback: int

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def x(self) -> Floats32:
        """(n, lookback, features); `PAD` where there is no row."""
        if self.rows.padding != "none":
            at, there = window_rows(self.rows, self.ends, self.rows.first[self.ends], self.lookback, np.minimum)
            return np.where(there[..., None], self.rows.inputs[np.where(there, at, 0)], np.float32(PAD))
        view = np.lib.stride_tricks.sliding_window_view(self.rows.inputs, self.lookback, axis=0)  # (r, F, L)
        return view.transpose(0, 2, 1)[self.ends - self.lookback + 1]

    @property
    def y(self) -> Floats32:
        """(n, H)"""
        return self.rows.targets[self.ends]

    @property
    def first_dates(self) -> Dates:
        """The date of each window's first target, (n,)."""
        return self.rows.dates[self.ends + 1]

    def take(self, keep: Ints | slice) -> Windows:
        """Some of these windows."""
        return Windows(self.rows, self.ends[keep], self.lookback)


def window_rows(
    fill: Rows | DataConfig, ends: Any, first: Any, lookback: int, minimum: Callable[[Any, Any], Any]
) -> tuple[Any, Any]:
    """Which row stands at each place of the windows that end in `ends`, (n, L), and whether there is one.

    A history that begins in `first` (n,) and is shorter than the window is filled before it ("pre") or after it
    ("post"); of a longer one the oldest rows are cut off ("pre"), or the newest ("post"). Works on arrays of numpy and
    of TensorFlow alike, whose own `minimum` is given.
    """
    length = minimum(ends - first + 1, lookback)
    start = first if fill.truncating == "post" else ends - length + 1
    gap = lookback - length if fill.padding == "pre" else length - length
    place = np.arange(lookback)
    there = (gap[:, None] <= place) & ((gap + length)[:, None] > place)
    return (start - gap)[:, None] + place, there


def usable_ends(rows: Rows, lookback: int, wanted: Callable[[slice], Mask] | None = None) -> Ints:
    """Rows on which a window of known inputs ends, inside one series, in order, (n,).

    `wanted` says of a series' rows, given as a slice, which may be among them.
    """
    ends = np.empty(len(rows.inputs), dtype=np.int64)
    count = 0
    # Series by series: nothing but the answer may be as long as the table.
    for start, stop in pairwise(rows.starts):
        mine = slice(start, stop)
        full = _full(rows.inputs[mine], lookback if rows.padding == "none" else 1)
        found = np.flatnonzero(full if wanted is None else full & wanted(mine))
        ends[count : count + len(found)] = found + start
        count += len(found)
    return ends[:count]


def _full(inputs: Floats32, lookback: int) -> Mask:
    """Whether a window of known inputs, (rows, features), ends on each row, (rows,)."""
    unknown = np.zeros(len(inputs) + 1, dtype=np.int64)
    # By their few places: all(axis=1) takes twenty times as long.
    unknown[np.flatnonzero(~np.isfinite(inputs)) // inputs.shape[1] + 1] = 1
    before = np.cumsum(unknown)  # rows that are not known, before each row and the end
    full = np.zeros(len(inputs), dtype=bool)
    full[lookback - 1 :] = before[lookback:] == before[:-lookback]
    return full


def windows_between(rows: Rows, lookback: int, after: np.datetime64 | None, upto: np.datetime64) -> Windows:
    """Windows whose origin is at or later than `after` (None: any) and whose last target is at or before `upto`.

    The network of a part that ends on `upto` is trained or tuned on these: no target reaches past the part.
    """

    def inside(mine: slice) -> Mask:
        early: Mask = rows.last_target[mine] <= upto  # False for NaT
        return early if after is None else early & (rows.dates[mine] >= after)

    return Windows(rows, usable_ends(rows, lookback, inside), lookback)


def origins_between(rows: Rows, lookback: int, first: np.datetime64, end: np.datetime64) -> Origins:
    """Per series the rows to forecast from: origins in [first, end), with a full window and one known step at least."""

    def inside(mine: slice) -> Mask:
        dates = rows.dates[mine]
        return (dates >= first) & (dates < end) & np.isfinite(rows.targets[mine, 0])

    return rows.by_series(usable_ends(rows, lookback, inside))


def longest_run(rows: Rows, end: np.datetime64) -> int:
    """The most rows of known inputs that follow each other in one series up to and with the date `end`."""
    place = np.arange(len(rows.dates)) - rows.first + 1
    known = np.isfinite(rows.inputs).all(axis=1) & (rows.dates <= end)
    return int(place[known].max(initial=0))


def strided(windows: Windows, stride: int) -> Windows:
    """Every `stride`-th window of each series, counted back from its newest; they must be in order."""
    counts = np.diff(np.searchsorted(windows.ends, windows.rows.starts))  # of each series
    newer = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(windows))  # windows of the same series, (n,)
    return windows.take(np.flatnonzero(newer % stride == 0))
