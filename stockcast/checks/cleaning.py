"""A file's rows to sound price series: what is left out, sorted, filled or adjusted, and what is refused.

Every step takes one series' rows and gives them back with what it found; none changes a value without a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.findings import Finding, finding
from stockcast.data.series import PRICE_COLUMNS, Dates, Floats
from stockcast.errors import DataError

_OTHERS = ("open", "high", "low")
_A_FEW, _HALF = 0.05, 0.5
"""The share of dates up to which a second row is a mistake, as where the session that is under way follows itself."""

_SEVERAL = "There are several rows a day: of times of day, or of series that no column tells apart."


@dataclass(frozen=True)
class RawRows:
    """One series' rows before they are sound: dates (rows,) and roles to values (rows,), NaN where unknown."""

    name: str
    dates: Dates
    columns: Mapping[str, Floats]

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> RawRows:
        """The rows that a mask or an index chooses."""
        return RawRows(self.name, self.dates[chosen], {role: values[chosen] for role, values in self.columns.items()})

    def put(self, **columns: Floats) -> RawRows:
        """The same rows with some columns replaced."""
        return replace(self, columns={**self.columns, **columns})


def repair(rows: RawRows, intraday: bool) -> tuple[RawRows, tuple[Finding, ...]]:
    """Rows that a `PriceSeries` can be made of, oldest first, and what was found on the way.

    `intraday` says that the file's dates have times of day. Raises `DataError` for rows of several times a day.
    """
    found: list[Finding] = []
    for step in (_without_nulls, _once_each, _in_order, _positive, _filled, _adjusted):
        if len(rows.dates) == 0:
            break
        rows, more = step(rows)
        found += more
        again = sum(one.count for one in more if one.kind in ("duplicates", "duplicate_rows"))
        if intraday and again > max(1, _A_FEW * len(rows.dates)):
            raise DataError(f"{rows.name} has several rows a day.", "give daily prices: one row a session.")
    return rows, tuple(found)


def _without_nulls(rows: RawRows) -> tuple[RawRows, list[Finding]]:
    prices = [rows.columns[role] for role in ("close", "adj_close") if role in rows.columns]
    known: NDArray[np.bool_] = np.all([~np.isnan(values) for values in prices], axis=0)
    return (rows, []) if known.all() else (rows.take(known), [finding("null_rows", rows.dates[~known])])


def _once_each(rows: RawRows) -> tuple[RawRows, list[Finding]]:
    """The last row of each date. Rows that are the same in all columns are no contradiction."""
    order = np.argsort(rows.dates, kind="stable")
    again = np.diff(rows.dates[order]) == np.timedelta64(0, "D")
    if not again.any():
        return rows, []
    earlier, later = rows.take(order[:-1][again]), rows.take(order[1:][again])
    pairs = [(earlier.columns[role], later.columns[role]) for role in rows.columns]
    same = np.all([(one == other) | (np.isnan(one) & np.isnan(other)) for one, other in pairs], axis=0)
    detail = _SEVERAL if again.mean() > _HALF else ""
    found = [
        finding("duplicate_rows", later.dates[same]),
        finding("duplicates", later.dates[~same], detail),
    ]
    last = np.sort(order[np.append(~again, [True])])
    return rows.take(last), [one for one in found if one.count]


def _in_order(rows: RawRows) -> tuple[RawRows, list[Finding]]:
    """Oldest first. A few rows out of order in a sorted file are no sorting but wrong dates."""
    steps = np.diff(rows.dates).astype(np.int64)
    if (steps > 0).all():
        return rows, []
    backward = steps.size > 0 and np.median(steps) < 0
    against = np.flatnonzero((steps > 0) if backward else (steps < 0))
    oldest_first = rows.take(np.argsort(rows.dates, kind="stable"))
    if against.size == 0:
        return oldest_first, []
    if against.size > 0.2 * steps.size or _are_blocks(rows.dates, against):
        return oldest_first, [finding("unsorted", rows.dates[against + 1])]
    return oldest_first, [finding("out_of_order", rows.dates[against + 1])]


def _are_blocks(dates: Dates, breaks: NDArray[np.intp]) -> bool:
    """Whether the runs between the breaks are whole blocks, as where files were joined: none within another's dates."""
    runs = np.split(dates, breaks + 1)
    spans = sorted((run.min(), run.max()) for run in runs)
    apart = all(one[1] < other[0] for one, other in pairwise(spans))
    return apart and min(len(run) for run in runs) >= 2


def _positive(rows: RawRows) -> tuple[RawRows, list[Finding]]:
    found: list[Finding] = []
    needed = [rows.columns[role] for role in ("close", "adj_close") if role in rows.columns]
    bad: NDArray[np.bool_] = np.any([values <= 0 for values in needed], axis=0)
    for role in _OTHERS:
        if role in rows.columns:
            bad |= rows.columns[role] < 0
    if bad.any():
        found.append(finding("nonpositive", rows.dates[bad], f"Lowest close {np.min(needed[0]):g}."))
        rows = rows.take(~bad)
    volume = rows.columns.get("volume")
    if volume is not None and (volume < 0).any():
        found.append(finding("negative_volume", rows.dates[volume < 0]))
        rows = rows.put(volume=np.where(volume < 0, np.nan, volume))
    return rows, found


def _filled(rows: RawRows) -> tuple[RawRows, list[Finding]]:
    """Opens, highs and lows where they are zero or unknown: of a row's other prices the close, highest or lowest."""
    lacking = {role: ~(rows.columns[role] > 0) for role in _OTHERS if role in rows.columns}
    empty = [role for role, lack in lacking.items() if lack.mean() > 0.5]
    found = [finding("left_out", (), f"Left out: {', '.join(empty)}.", len(empty))] if empty else []
    kept = {role: values for role, values in rows.columns.items() if role not in empty}
    rows = replace(rows, columns=kept)
    any_lack = np.any(
        [lack for role, lack in lacking.items() if role in kept] or [np.zeros(len(rows.dates), bool)], axis=0
    )
    if not any_lack.any():
        return rows, found
    known = np.stack([np.where(kept[role] > 0, kept[role], np.nan) for role in PRICE_COLUMNS if role in kept])
    stand_in = {"open": kept["close"], "high": np.nanmax(known, axis=0), "low": np.nanmin(known, axis=0)}
    whole = {role: np.where(lacking[role], stand_in[role], kept[role]) for role in _OTHERS if role in kept}
    return rows.put(**whole), [*found, finding("filled", rows.dates[any_lack])]


def _adjusted(rows: RawRows) -> tuple[RawRows, list[Finding]]:
    """All prices by the factor Adj Close / Close, which makes the close the adjusted close."""
    adjusted = rows.columns.get("adj_close")
    if adjusted is None:
        return rows, []
    factor = adjusted / rows.columns["close"]
    changed = np.abs(factor - 1) > 1e-6
    scaled = {role: rows.columns[role] * factor for role in _OTHERS if role in rows.columns}
    found = [finding("adjusted", rows.dates[changed])] if changed.any() else []
    # Dividends and splits only ever lower the prices before them: towards the present the factor rises to one.
    falls = np.flatnonzero(np.diff(factor) < -0.02 * factor[:-1]) + 1
    if falls.size:
        found.append(finding("glued", rows.dates[falls]))
    return rows.put(**scaled, close=adjusted), found
