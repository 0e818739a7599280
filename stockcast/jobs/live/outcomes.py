"""What came of recorded forecasts, by the prices as they are now.

An outcome is a return from the origin to the target within one download, so that a dividend or a split that has since
been worked into the past changes nothing. It is the one that was seen first; what a later download says is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates, Floats, Panel, PriceSeries
from stockcast.ledger.live_record import LiveRecord
from stockcast.ledger.outcomes import Seen

OVERDUE = np.timedelta64(30, "D")
"""An outcome that has not come so long after its session won't: the series has ended."""

OTHER_HISTORY = 0.2
"""Where more of the recorded sessions than this have another return now, these are another series' prices."""

FEWEST = 5
"""By so many sessions at least a series is known again, be it under another name, or told from a stranger."""

TINY = 1e-6
"""Returns that differ by less are equal."""


@dataclass(frozen=True)
class Outcomes:
    """What came of each forecast of a `LiveRecord`, (n, H), and of each prediction, (n,).

    - `move`: the log return that counts, NaN where none is known; `last` (n,): the origin's price as it is now;
      `actual` (n, H): the target's, in the same download wherever that tells the return that counts;
    - `void`: its session did not take place, or has no price; `overdue`: it won't come any more; `waiting`: it will;
    - `changed` (n,): the origin's own session has another return now, as after a correction;
    - `row` (n,): the place of the origin among the sessions of its series;
    - `first` and `revised`: what is to be kept, of forecasts that count;
    - `revisions`: outcomes that count and are another now or were once;
    - `skipped`: sessions without a forecast, over all series;
    - `renamed`: under which name a series' prices are now; `strangers`: series whose prices are another series' now.
    """

    move: Floats
    last: Floats
    actual: Floats
    void: NDArray[np.bool_]
    overdue: NDArray[np.bool_]
    waiting: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    row: NDArray[np.int64]
    first: tuple[Seen, ...]
    revised: tuple[Seen, ...]
    revisions: int
    skipped: int
    renamed: dict[str, str]
    strangers: tuple[str, ...]


def match_outcomes(record: LiveRecord, panel: Panel, price: str, today: np.datetime64) -> Outcomes:
    """Find the outcome of every forecast in `panel`, the prices as they are now."""
    renamed = _renamed(record, panel, price)
    by_name = {one.name: one for one in panel.series}
    match = _Match(record, price, max(today, panel.dates[-1]))
    strangers = []
    for index, name in enumerate(record.names):
        mine = np.flatnonzero(record.series == index)
        series = by_name.get(renamed.get(name, name))
        if series is not None and _share_changed(record, mine, series, price) > OTHER_HISTORY:
            strangers.append(name)
            series = None
        match.add(mine, series)
    return match.outcomes(renamed, tuple(strangers))


class _Match:
    """The prices of origins and targets as they are now, filled in series by series."""

    def __init__(self, record: LiveRecord, price: str, newest: np.datetime64) -> None:
        shape = record.status.shape
        self.record, self.price = record, price
        self.now, self.tolerance = np.full(shape, np.nan), np.full(shape, np.nan)
        self.last, self.row = record.last.copy(), np.zeros(shape[0], dtype=np.int64)
        self.void, self.changed = np.zeros(shape, dtype=bool), np.zeros(shape[0], dtype=bool)
        self.waiting = record.target + OVERDUE >= newest
        self.skipped = 0

    def add(self, mine: NDArray[np.int64], series: PriceSeries | None) -> None:
        """Look up the predictions `mine`, which are all of one series; None: its prices are not there."""
        origin, target = self.record.origin[mine], self.record.target[mine]
        if series is None:
            self.row[mine] = np.searchsorted(np.unique(origin), origin)
            return
        values, dates = series.columns[self.price], series.dates
        self.row[mine] = np.searchsorted(np.union1d(dates, origin), origin)
        first, had_origin = _find(dates, origin)
        there, had_target = _find(dates, target)
        self.last[mine] = np.where(had_origin, values[first], self.record.last[mine])
        known = had_target & had_origin[:, None]
        self.now[mine] = np.where(known, values[there], np.nan)
        self.tolerance[mine] = np.maximum(
            _noise(self.record, mine, series, values[first][:, None], values[there]), TINY
        )
        self.void[mine] = (target <= dates[-1]) & ~known
        self.waiting[mine] &= target > dates[-1]
        self.changed[mine] = _changed(self.record, mine, series, self.price) == 1
        between = dates[(dates > origin.min()) & (dates < dates[-1])]
        self.skipped += int((~np.isin(between, origin)).sum())

    def outcomes(self, renamed: dict[str, str], strangers: tuple[str, ...]) -> Outcomes:
        """Which of two outcomes counts: the one that was kept, and where there is none, the one seen now."""
        record, last = self.record, self.last[:, None]
        seen, kept, counts = np.log(self.now / last), np.isfinite(record.move), record.counts
        latest = np.where(np.isnan(record.revised), record.move, record.revised)
        differs = kept & (np.abs(seen - record.move) > self.tolerance)
        move = np.where(kept, record.move, seen)
        from_kept = differs | (kept & np.isnan(seen))
        missing = counts & np.isnan(move)
        return Outcomes(
            move,
            self.last,
            np.where(from_kept, last * np.exp(record.move), self.now),
            missing & self.void,
            missing & ~self.void & ~self.waiting,
            missing & ~self.void & self.waiting,
            self.changed,
            self.row,
            _to_keep(record, seen, counts & ~kept & np.isfinite(seen)),
            _to_keep(record, seen, counts & kept & (np.abs(seen - latest) > self.tolerance)),
            int((counts & (differs | (record.revisions > 0))).sum()),
            self.skipped,
            renamed,
            strangers,
        )


def _to_keep(record: LiveRecord, seen: Floats, which: NDArray[np.bool_]) -> tuple[Seen, ...]:
    return tuple((record.forecast_id(at, step), float(seen[at, step])) for at, step in np.argwhere(which).tolist())


def _find(dates: Dates, wanted: Dates) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The row of each of the `wanted` dates, of any shape, and whether there is one; 0 where there is none."""
    row = np.searchsorted(dates, wanted)
    there = (row < len(dates)) & (dates[np.minimum(row, len(dates) - 1)] == wanted)
    return np.where(there, row, 0), there


def _noise(record: LiveRecord, mine: NDArray[np.int64], series: PriceSeries, one: Floats, other: Floats) -> Floats:
    """By how much two downloads' returns between prices `one` and `other` may differ because prices are rounded."""
    prices = record.last[mine]
    digits = next((d for d in range(7) if np.allclose(prices, np.round(prices, d), rtol=0, atol=1e-9)), 7)
    unit = 10.0 ** -min(digits, series.decimals)
    noise: Floats = 2 * unit * (1 / one + 1 / other)
    return noise


def _changed(record: LiveRecord, mine: NDArray[np.int64], series: PriceSeries, price: str) -> Floats:
    """Of each prediction 1 if the origin's session has another return now, 0 if not, NaN if that can't be told."""
    values = series.columns[price]
    row, there = _find(series.dates, record.origin[mine])
    row = np.maximum(row, 1) if len(values) > 1 else row
    now = np.log(values[row] / values[row - 1])
    other = np.abs(now - record.before[mine]) > _noise(record, mine, series, values[row], values[row - 1]) + TINY
    comparable = there & np.isfinite(record.before[mine]) & (len(values) > 1)
    return np.where(comparable, other.astype(np.float64), np.nan)


def _share_changed(record: LiveRecord, mine: NDArray[np.int64], series: PriceSeries, price: str) -> float:
    """The share of recorded sessions that have another return in `series`; 0 of too few to tell."""
    changed = _changed(record, mine, series, price)
    told = np.isfinite(changed)
    return float(changed[told].mean()) if told.sum() >= FEWEST else 0.0


def _renamed(record: LiveRecord, panel: Panel, price: str) -> dict[str, str]:
    """Of each series that is gone, the new one with its returns, if there is exactly one."""
    candidates = [one for one in panel.series if one.name not in record.names]
    found = {}
    for index, name in enumerate(record.names):
        mine = np.flatnonzero(record.series == index)
        if name in panel.names or len(mine) < FEWEST:
            continue
        like = [one.name for one in candidates if _is_same(record, mine, one, price)]
        if len(like) == 1:
            found[name] = like[0]
    return found


def _is_same(record: LiveRecord, mine: NDArray[np.int64], series: PriceSeries, price: str) -> bool:
    """Whether nine in ten of the recorded sessions are there, with the returns that they had."""
    same = _changed(record, mine, series, price) == 0
    return bool(same.mean() >= 0.9)
