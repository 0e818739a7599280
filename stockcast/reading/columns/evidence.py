"""What columns of numbers and words show about themselves: which are prices, and which of them is the close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.checks.price_order import MOST, SLACK, Assignment, price_assignments
from stockcast.data.series import PRICE_COLUMNS, Floats
from stockcast.reading.column_names import is_other, role_of
from stockcast.reading.number_formats import Column, values
from stockcast.reading.records import Hints
from stockcast.reading.table_bounds import Body

_REPEATED = 0.05


@dataclass(frozen=True)
class Columns:
    """The columns of a body: their names, or numbers where `has_names` is false, and those that hold numbers."""

    body: Body
    names: Sequence[str]
    has_names: bool
    numeric: Mapping[int, Column]
    where: str
    hints: Hints

    def role(self, index: int) -> str | None:
        """What a column's name says that it is; single letters say it only in company."""
        meaning = role_of(self.names[index]) if self.has_names else None
        return meaning[0] if meaning and len(self.names[index]) > 1 else None

    def prices(self) -> dict[int, Floats]:
        """The columns that could be prices by their numbers, and are not something else by their names."""
        return {
            index: rough(column)
            for index, column in self.numeric.items()
            if self.role(index) in (None, *PRICE_COLUMNS, "adj_close") and is_price(column)
        }

    def unexplained(self) -> list[int]:
        """The columns of numbers of which neither name nor numbers say what they are."""
        return [
            index
            for index, column in self.numeric.items()
            if self.role(index) is None and not (self.has_names and is_other(self.names[index])) and _varies(column)
        ]


def rough(column: Column) -> Floats:
    """A column's numbers under its plainest marks, good enough to judge what it may be; NaN where no marks fit."""
    decimals = column.decimals()
    if not decimals:
        return np.full(len(column.cells), np.nan)
    return values(column, column.plainest("." if "." in decimals else ","))


def is_price(column: Column) -> bool:
    """Whether a column could be prices: no percents, no counter of rows, almost nothing that is not positive."""
    numbers = rough(column)
    known = numbers[~np.isnan(numbers)]
    return _varies(column) and known.size > 0 and bool(np.mean(known > 0) >= MOST)


def _varies(column: Column) -> bool:
    """Whether a column is more than one number over and over, a counter of the rows, or a column of percents."""
    numbers = rough(column)
    steps = np.diff(numbers[~np.isnan(numbers)])
    steady = steps.size > 1 and bool((steps == steps[0]).all())
    counter = steady and (steps[0] == 0 or (abs(steps[0]) == 1 and min(numbers[0], numbers[-1]) in (0, 1)))
    return not counter and not any("%" in form for form in column.shapes)


def assignments(columns: Columns) -> list[Assignment]:
    """The ways to see open, high, low and close in the columns that contradict no name."""
    prices = columns.prices()
    named = {columns.role(index): index for index in prices if columns.role(index) in PRICE_COLUMNS}
    return [
        one
        for one in price_assignments(prices, columns.body.dates[0].dates)
        if all(one[role] == index for role, index in named.items() if role in one)
    ]


def volume_beside(columns: Columns, prices: Sequence[int], closing: int) -> int | None:
    """The column of the volume by its name; without names the next after the prices that can be one.

    It is never negative, and no price of the same thing.
    """
    if columns.has_names:
        return next((index for index in columns.numeric if columns.role(index) == "volume"), None)
    close = rough(columns.numeric[closing])
    later = (index for index in columns.numeric if index > max(prices))
    return next((index for index in later if _is_volume(rough(columns.numeric[index]), close)), None)


def _is_volume(numbers: Floats, close: Floats) -> bool:
    known = ~np.isnan(numbers) & ~np.isnan(close)
    if not known.any() or (numbers[known] < 0).any():
        return False
    near = np.mean(np.abs(np.log(np.maximum(numbers[known], 1e-12) / close[known])) < np.log(2))
    return bool(near < 0.5)


def close_within(columns: Columns, roles: Mapping[str, int]) -> list[int]:
    """The other columns that lie between the named low and high in almost every row."""
    prices = {index: rough(columns.numeric[index]) for index in roles.values()} | columns.prices()
    low, high = prices[roles["low"]] * (1 - SLACK), prices[roles["high"]] * (1 + SLACK)
    inside = {index: (numbers >= low) & (numbers <= high) for index, numbers in prices.items()}
    return [index for index, within in inside.items() if index not in roles.values() and np.mean(within) >= MOST]


def ticker_by_rows(columns: Columns, taken: set[int]) -> int | None:
    """The first column of words that tells rows of one date apart: no word twice on a date, each on several dates."""
    dates = columns.body.dates[0].dates
    if np.unique(dates).size >= (1 - _REPEATED) * dates.size:
        return None
    for index in range(columns.body.width):
        if index in taken or index in columns.numeric or index in (*columns.body.date_parts, columns.body.clock):
            continue
        words = columns.body.column(index)
        pairs = len(set(zip(words, dates.tolist(), strict=True)))
        labels = set(words)
        # One row for the open of a day and another for its close, or for its morning and afternoon.
        roles = any(role_of(label) or label.upper() in ("AM", "PM") for label in labels)
        if all(words) and not roles and pairs == len(words) and 1 < len(labels) <= len(words) / 2:
            return index
    return None
