"""Columns whose numbers contradict their names: a High that is below the Low is no High."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.cleaning import RawRows
from stockcast.checks.price_order import SLACK, leads, price_assignments
from stockcast.data.series import PRICE_COLUMNS

_FEW = 3
_SHARE = 0.01
_HALF = 0.5
_SWITCHES = 0.05
_ENOUGH, _BACKWARD, _SURE = 20, 1.5, 3.0


@dataclass(frozen=True)
class Contradiction:
    """Why columns can't be what their names say, and every way in which the same columns could be named instead."""

    reason: str
    instead: tuple[Mapping[str, int], ...]


def contradiction(rows: RawRows, roles: Mapping[str, int]) -> Contradiction | None:
    """Why open, high, low and close can't be what their names say, or None. `roles` are the columns' numbers.

    A Close outside Low..High in one stretch only is a missing adjustment and left to the doctor.
    """
    reason = _crossed(rows) or _scattered(rows)
    if reason:
        prices = {
            index: rows.columns[role] for role, index in roles.items() if role in {*PRICE_COLUMNS} & {*rows.columns}
        }
        return Contradiction(reason, price_assignments(dict(sorted(prices.items())), rows.dates))
    reason = _exchanged(rows)
    swapped = {**roles, "open": roles["close"], "close": roles["open"]} if reason else {}
    said = {role: swapped[role] for role in PRICE_COLUMNS if role in swapped}
    return Contradiction(reason, (said,)) if reason else None


def _crossed(rows: RawRows) -> str | None:
    """High below Low in more than one row in a hundred, or Open outside them in more than half of all."""
    columns = rows.columns
    if not {"high", "low"} <= columns.keys():
        return None
    high, low = columns["high"] * (1 + SLACK), columns["low"] * (1 - SLACK)
    if _often(high < low, _SHARE):
        return f"High is below Low in {_count(high < low)}"
    outside = (columns["open"] > high) | (columns["open"] < low) if "open" in columns else high < low
    return f"Open lies outside Low..High in {_count(outside)}" if _often(outside, _HALF) else None


def _scattered(rows: RawRows) -> str | None:
    """Close outside Low..High in more than half the rows, here and there or in no steady ratio."""
    columns = rows.columns
    if not {"high", "low"} <= columns.keys():
        return None
    outside = (columns["close"] > columns["high"] * (1 + SLACK)) | (columns["close"] < columns["low"] * (1 - SLACK))
    ratio = np.log(columns["close"] / np.sqrt(columns["high"] * columns["low"]))[outside]
    steady = ratio.size < 2 or (np.abs(ratio).max() < np.log(100) and np.std(np.diff(ratio)) < 0.1)
    here_and_there = np.count_nonzero(np.diff(outside)) > _SWITCHES * len(outside)
    if not _often(outside, _HALF) or (steady and not here_and_there):
        return None
    return f"Close lies outside Low..High in {_count(outside)}"


def _exchanged(rows: RawRows) -> str | None:
    """Each close nearer to the open before it than each open to the close before, as if time ran backwards."""
    if "open" not in rows.columns or len(rows.dates) < _ENOUGH:
        return None
    opening, closing = np.log(rows.columns["open"]), np.log(rows.columns["close"])
    ahead, behind = np.abs(opening[1:] - closing[:-1]).mean(), np.abs(closing[1:] - opening[:-1]).mean()
    backward = ahead > _BACKWARD * behind and leads(closing, opening) > _SURE
    return "Open and Close seem to be exchanged" if backward else None


def _often(mask: NDArray[np.bool_], share: float) -> bool:
    return bool(mask.sum() >= _FEW and mask.mean() > share)


def _count(mask: NDArray[np.bool_]) -> str:
    return "every row" if mask.all() else f"{int(mask.sum()):,} of {mask.size:,} rows"
