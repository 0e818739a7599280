"""Columns whose numbers contradict their names: a High that is below the Low is no High."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stockcast.data.evidence import SLACK, open_high_low_close
from stockcast.data.repair import Rows
from stockcast.errors import DataError

_FEW = 3
_SHARE = 0.01
_HALF = 0.5
_SWITCHES = 0.05


def refuse_mislabelled(rows: Rows, where: str, names: Sequence[str], roles: Mapping[str, int]) -> None:
    """Raise `DataError` if open, high, low and close can't be what their names say.

    That is: High below Low in more than one row in a hundred, Open outside them in more than half the rows, or Close
    outside them here and there in more than half the rows. A Close outside in one stretch is a missing adjustment
    and left to the doctor.
    """
    columns = rows.columns
    if not {"high", "low"} <= columns.keys():
        return
    high, low = columns["high"] * (1 + SLACK), columns["low"] * (1 - SLACK)
    crossed = high < low
    wrong = crossed.sum() >= _FEW and crossed.mean() > _SHARE
    if "open" in columns:
        outside = (columns["open"] > high) | (columns["open"] < low)
        wrong |= outside.sum() >= _FEW and outside.mean() > _HALF
    outside = (columns["close"] > high) | (columns["close"] < low)
    scattered = np.count_nonzero(np.diff(outside)) > _SWITCHES * len(outside) or _unlike(rows, outside)
    wrong |= outside.sum() >= _FEW and outside.mean() > _HALF and bool(scattered)
    if wrong:
        raise _mislabelled(rows, where, names, roles, int(crossed.sum()))


def _unlike(rows: Rows, outside: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bool:
    """Whether the close has no steady ratio to the prices that it should lie between."""
    middle = np.sqrt(rows.columns["high"] * rows.columns["low"])
    ratio = np.log(rows.columns["close"] / middle)[outside]
    return ratio.size > 1 and bool(np.abs(ratio).max() > np.log(100) or np.std(np.diff(ratio)) > 0.1)


def _mislabelled(rows: Rows, where: str, names: Sequence[str], roles: Mapping[str, int], crossed: int) -> DataError:
    columns = {index: rows.columns[role] for role, index in sorted(roles.items(), key=lambda item: item[1])}
    prices = {index: columns[index] for role, index in roles.items() if role in ("open", "high", "low", "close")}
    found = open_high_low_close(dict(sorted(prices.items())), rows.dates)
    fix = "say which column is which: --columns open=1,high=2,low=3,close=4."
    if found:
        fix = "say so: --columns " + ",".join(f"{role}={names[index]}" for role, index in found.items()) + "."
    days = "in every row" if crossed == len(rows.dates) else f"in {crossed} of {len(rows.dates)} rows"
    return DataError(f"{where}: the columns are not what their names say: High is below Low {days}.", fix)
