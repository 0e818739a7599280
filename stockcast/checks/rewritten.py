"""How the past of a series has changed since a model was trained on it: which kinds of change, judged from the numbers.

`changes` has what is made of each kind, and its words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.changes import Change, Corrected, PastSplit
from stockcast.checks.stock_splits import RATIOS
from stockcast.checks.two_downloads import SAME, SHORTEST, Level, Overlap, Past, overlap
from stockcast.data.series import Floats, PriceSeries

_SIGNED = np.log([*RATIOS, *(1 / ratio for ratio in RATIOS)])
_NEAR, _NEAR_VOLUME = 0.06, 0.25
_LEAST_SPLIT = 0.04
"""Fewer than 4 shares more for each hundred are no split; a dividend beside one changes the prices by less than a
quarter of it, and a ratio that no volume confirms must be nearer."""

_ROUGH = 0.02
"""Other vendors round the factors of dividends; what that makes of a price is a small part of its daily move."""

_STEPS = 3
_FEWEST, _DAILY_MOVES = 20, 1.5
_SHIFTED = 0.9


def find_change(past: Past, series: PriceSeries) -> Change:
    """How `series` lies to the prices that a model was trained on."""
    first, last = _day(series.dates[0]), _day(series.dates[-1])
    lost = lost_columns(past.columns, series)
    edges = {"stale": last < past.last, "shrunk": first > past.first, "lost_columns": bool(lost)}
    found = [kind for kind, there in edges.items() if there]
    change = Change(
        series.name, (), first, last, past.first, past.last, len(past.dates), whole=past.whole, lost_columns=lost
    )
    if not len(past.dates):
        return change.of_kinds([*found, "untold"])
    both = overlap(past, series)
    change = replace(change, shared=len(both.dates), apart=len(both.gone) + len(both.new))
    if not len(both.dates):
        return change.of_kinds([*found, "untold" if {"stale", "shrunk"} & {*found} else "another"])
    return (
        _of_levels(both, change, found)
        or _of_rough_levels(past, series, both, replace(change, kinds=tuple(found)))
        or change.of_kinds([*found, _other(past, series, both)])
    )


def lost_columns(columns: Collection[str] | None, series: PriceSeries) -> tuple[str, ...]:
    """Those of the `columns` that a series has no more; none where they are not known."""
    return tuple(sorted(set(columns or ()) - series.columns.keys()))


def _of_levels(both: Overlap, change: Change, found: Sequence[str]) -> Change | None:
    """The change with what the shared prices say; None if most of them lie on no level."""
    splits, steps = _splits(both)
    corrected = _corrected(both, steps)
    if len(corrected) > len(both.dates) / 2:
        return None
    beyond = Change.beyond(len(corrected), len(both.dates))
    if beyond and len(steps) >= max(_STEPS, len(corrected) / 2):
        return change.of_kinds([*found, "other_price"], factor=_factor(both), steps=len(steps))
    kinds = [*found, *(["corrected"] if corrected else []), *(["split"] if splits else [])]
    if not splits and abs(_oldest(both)) > SAME and not both.same:
        kinds.append("rescaled")
    return change.of_kinds(kinds or ["same"], factor=_factor(both), splits=splits, corrected=corrected)


def _of_rough_levels(past: Past, series: PriceSeries, both: Overlap, change: Change) -> Change | None:
    """The same with levels that hold but for a small part of a day's move; None if too many prices lie on none."""
    if len(both.dates) < _FEWEST:
        return None
    slack = _ROUGH * float(np.median(np.abs(np.diff(np.log(both.before)))))
    changed = _of_levels(overlap(past, series, slack), change, [*change.kinds, "rough"]) if slack > SAME else None
    fits = changed is not None and not Change.beyond(len(changed.corrected), changed.shared)
    return replace(changed, rough=slack) if changed is not None and fits else None


def _day(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


def _oldest(both: Overlap) -> float:
    return both.levels[0].log_factor if both.levels else 0.0


def _factor(both: Overlap) -> float:
    return 1.0 if both.same else float(np.exp(_oldest(both)))


def _splits(both: Overlap) -> tuple[tuple[PastSplit, ...], list[Level]]:
    """The splits that are worked into the past, and the levels that begin at another step."""
    found, steps = [], []
    for level, later in zip(both.levels, both.levels[1:], strict=False):
        volume = level.log_volume - later.log_volume
        ratio = _ratio(level.log_factor - later.log_factor, volume) if later.rows >= SHORTEST else None
        if ratio is None:
            steps.append(later)
        else:
            found.append(PastSplit(ratio, _day(later.first), bool(np.isfinite(volume))))
    for newest in both.levels[-1:]:
        ratio = _ratio(newest.log_factor, newest.log_volume) if newest.rows >= SHORTEST else None
        if ratio is not None:
            found.append(PastSplit(ratio, None, bool(np.isfinite(newest.log_volume))))
    return tuple(found), steps


def _ratio(log_factor: float, log_volume: float) -> float | None:
    """The ratio of a split that multiplies prices and volumes by these factors; None if it is none."""
    nearest = float(_SIGNED[np.argmin(np.abs(_SIGNED + log_factor))])
    if np.isnan(log_volume):
        return float(np.exp(nearest)) if abs(nearest + log_factor) <= _NEAR else None
    if abs(log_volume) < _LEAST_SPLIT or abs(log_factor + log_volume) > _NEAR_VOLUME * abs(log_volume):
        return None
    return float(np.exp(nearest if abs(nearest - log_volume) < _NEAR else log_volume))


def _corrected(both: Overlap, steps: list[Level]) -> tuple[Corrected, ...]:
    """Every session whose price, or whose move, is another; and those that are gone or new."""
    starts = np.isin(both.dates, [level.first for level in steps])
    logs = np.array([level.log_factor for level in both.levels])
    at = np.maximum.accumulate(both.level.clip(0)) - starts  # a step is off the level before it
    expected = both.before * np.exp(logs[at])
    rows = np.flatnonzero(starts | (both.level < 0))
    days = [Corrected(_day(both.dates[row]), float(expected[row]), float(both.now[row])) for row in rows]
    days += [Corrected(_day(day), None, float("nan")) for day in both.new]
    days += [Corrected(_day(day), float("nan"), None) for day in both.gone]
    return tuple(sorted(days, key=lambda one: one.day))


def _other(past: Past, series: PriceSeries, both: Overlap) -> str:
    """Which kind it is where most prices are others: of another series, another price, or at other dates."""
    if _is_shifted(past, series):
        return "shifted"
    ratio, moves = both.ratio, np.abs(np.diff(np.log(both.before)))
    apart = float(np.median(np.abs(ratio - np.median(ratio))))
    few = len(both.gone) + len(both.new) <= len(both.dates) / 2
    like = len(ratio) >= _FEWEST and few and apart <= _DAILY_MOVES * float(np.median(moves))
    return "other_price" if like else "another"


def _is_shifted(past: Past, series: PriceSeries) -> bool:
    """Whether the same prices stand a session earlier or later, as where dates are of another time zone."""
    now = series.columns[past.column]
    earlier = np.searchsorted(series.dates, past.dates, side="left") - 1
    later = np.searchsorted(series.dates, past.dates, side="right")
    return any(_is_level(past.prices, now, rows) for rows in (earlier, later))


def _is_level(before: Floats, now: Floats, rows: NDArray[np.int64]) -> bool:
    inside = (rows >= 0) & (rows < len(now))
    if inside.sum() < max(_FEWEST, len(before) / 2):
        return False
    ratio = np.log(now[rows[inside]] / before[inside])
    return bool(np.mean(np.abs(ratio - np.median(ratio)) <= 2 * SAME) >= _SHIFTED)
