"""What columns of numbers show about themselves: which are prices, which of them open, high, low and close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stockcast.checks.price_order import MOST, SLACK
from stockcast.data.series import Floats
from stockcast.reading.number_formats import Column, values


def rough(column: Column) -> Floats:
    """A column's numbers under its plainest marks, good enough to judge what it may be; NaN where no marks fit."""
    decimals = column.decimals()
    if not decimals:
        return np.full(len(column.cells), np.nan)
    return values(column, column.plainest("." if "." in decimals else ","))


def is_price(column: Column) -> bool:
    """Whether a column could be prices: no percent sign, and almost nothing that is not positive."""
    numbers = rough(column)
    known = numbers[~np.isnan(numbers)]
    return not any("%" in form for form in column.shapes) and known.size > 0 and bool(np.mean(known > 0) >= MOST)


def volume_after(columns: Mapping[int, Floats], closing: int, prices: Sequence[int]) -> int | None:
    """The column after the prices if it can be a volume: never negative, and no price of the same thing."""
    later = [index for index in columns if index > max(prices)]
    if not later:
        return None
    numbers, close = columns[later[0]], columns[closing]
    known = ~np.isnan(numbers) & ~np.isnan(close)
    if not known.any() or (numbers[known] < 0).any():
        return None
    near = np.mean(np.abs(np.log(np.maximum(numbers[known], 1e-12) / close[known])) < np.log(2))
    return later[0] if near < 0.5 else None


def close_within(columns: Mapping[int, Floats], roles: Mapping[str, int]) -> int | None:
    """The only other column that lies between low and high in almost every row, or None."""
    low, high = columns[roles["low"]] * (1 - SLACK), columns[roles["high"]] * (1 + SLACK)
    fitting = [
        index
        for index, numbers in columns.items()
        if index not in roles.values() and np.nanmean((numbers >= low) & (numbers <= high)) >= MOST
    ]
    return fitting[0] if len(fitting) == 1 else None
