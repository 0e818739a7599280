"""Columns whose numbers contradict their names: a High that is below the Low is no High."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.cleaning import RawRows
from stockcast.checks.price_order import SLACK, open_high_low_close
from stockcast.data.series import PRICE_COLUMNS
from stockcast.errors import DataError

_FEW = 3
_SHARE = 0.01
_HALF = 0.5
_SWITCHES = 0.05
_ENOUGH, _BACKWARD = 20, 1.5


def refuse_mislabelled(rows: RawRows, where: str, names: Sequence[str], roles: Mapping[str, int]) -> None:
    """Raise `DataError` if open, high, low and close can't be what their names say.

    A Close outside Low..High in one stretch only is a missing adjustment and left to the doctor.
    """
    reason = _crossed(rows) or _scattered(rows) or _exchanged(rows)
    if reason:
        raise _mislabelled(rows, where, reason, names, roles)


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
    return "Open and Close seem to be exchanged" if ahead > _BACKWARD * behind else None


def _often(mask: NDArray[np.bool_], share: float) -> bool:
    return bool(mask.sum() >= _FEW and mask.mean() > share)


def _count(mask: NDArray[np.bool_]) -> str:
    return "every row" if mask.all() else f"{int(mask.sum()):,} of {mask.size:,} rows"


def _mislabelled(rows: RawRows, where: str, reason: str, names: Sequence[str], roles: Mapping[str, int]) -> DataError:
    prices = {
        index: rows.columns[role] for role, index in roles.items() if role in PRICE_COLUMNS and role in rows.columns
    }
    found = open_high_low_close(dict(sorted(prices.items())), rows.dates)
    fix = "say which column is which: --columns open=1,high=2,low=3,close=4."
    if found:
        fix = "say so: --columns " + ",".join(f"{role}={names[index]}" for role, index in found.items()) + "."
    return DataError(f"{where}: the columns are not what their names say: {reason}.", fix)
