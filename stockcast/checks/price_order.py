"""Which columns of numbers can be open, high, low and close of the same sessions, and whether that is proven."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from stockcast.data.series import Dates, Floats

MOST = 0.99
SLACK = 1e-6
"""Relative rounding that is no contradiction."""

_FEWEST = 5
_MOST_COLUMNS, _ROWS = 12, 5000
_CLOSE_TOGETHER, _WIDEST = float(np.log(2)), 6.0
"""A usual session's high is less than twice its low, and its range is some two or three times the usual move from
one session to the next: not so of shares traded and turnover, or of the highest and lowest price of a year."""
_SURE, _SURE_AS_USUAL = 3.0, 2.0
"""By so many standard errors the open lies nearer to the close before than the close to the open before; less will do
where the columns stand in the usual order, open, high, low, close."""

Assignment = dict[str, int]


def price_assignments(columns: Mapping[int, Floats], dates: Dates) -> tuple[Assignment, ...]:
    """Every way in which four of the columns can be open, high, low and close: none, one that is proven, or several.

    Highest and lowest are seen from each row. Of the other two the open is the one that lies nearer to the other of the
    session before; where the rows can't tell, both ways are given.
    """
    order = np.argsort(dates, kind="stable")[-_ROWS:]
    sorted_columns = {index: values[order] for index, values in columns.items() if np.nanmin(values, initial=1) > 0}
    found: list[Assignment] = []
    distinct = list(_distinct(sorted_columns))
    indices = distinct if len(distinct) >= 4 else list(sorted_columns)  # an open that is the close in every row
    for four in combinations(indices[:_MOST_COLUMNS], 4):
        table = np.stack([sorted_columns[index] for index in four])  # (4, rows)
        table = np.log(table[:, ~np.isnan(table).any(axis=0)])
        if table.shape[1] >= _FEWEST:
            found += [{role: four[place] for role, place in one.items()} for one in _ordered(table)]
    return tuple(found)


def _distinct(columns: Mapping[int, Floats]) -> Iterator[int]:
    """The columns without those that are equal to an earlier one."""
    kept: list[Floats] = []
    for index, values in columns.items():
        if not any(np.array_equal(values, one, equal_nan=True) for one in kept):
            kept.append(values)
            yield index


def _ordered(table: Floats) -> Iterator[Assignment]:
    """The ways to see open, high, low and close in four columns of logs, (4, rows), by place."""
    top = [place for place in range(4) if np.mean(table[place] >= table.max(axis=0) - SLACK) >= MOST]
    bottom = [place for place in range(4) if np.mean(table[place] <= table.min(axis=0) + SLACK) >= MOST]
    if len(top) != 1 or len(bottom) != 1 or not _like_a_session(table[top[0]], table[bottom[0]]):
        return
    first, second = (place for place in range(4) if place not in (top[0], bottom[0]))
    usual = (first, top[0], bottom[0], second) == (0, 1, 2, 3)
    lead = leads(table[first], table[second])
    same = np.array_equal(table[first], table[second])
    for opening, closing, for_it in ((first, second, lead), (second, first, -np.inf if same else -lead)):
        if for_it > -(_SURE_AS_USUAL if usual and opening == second else _SURE):
            yield {"open": opening, "high": top[0], "low": bottom[0], "close": closing}


def _like_a_session(high: Floats, low: Floats) -> bool:
    """Whether highest and lowest lie as close together as a session's do, against the moves between sessions."""
    moves = np.abs(np.diff(high + low)) / 2
    return bool(np.median(high - low) < _CLOSE_TOGETHER and np.mean(high - low) <= _WIDEST * np.mean(moves) + SLACK)


def leads(opening: Floats, closing: Floats) -> float:
    """By how many standard errors `opening` rather than `closing` is the open, both logs (rows,), oldest first.

    An open lies a night away from the close before it, a close two days and a night from the open before it. Where
    every open is the close before, as in currencies, there is no error.
    """
    ahead, behind = np.abs(opening[1:] - closing[:-1]), np.abs(closing[1:] - opening[:-1])
    for one, other, sign in ((ahead, behind, 1), (behind, ahead, -1)):
        if (one <= SLACK).all() and (other > SLACK).any():
            return float(sign * np.inf)
    nearer = behind - ahead
    error = float(np.std(nearer, ddof=1)) / np.sqrt(nearer.size) if nearer.size > 1 else 0.0
    return float(np.mean(nearer)) / error if error > 0 else 0.0
