"""A file's rows as numbers, read but not yet repaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.findings import Finding, finding
from stockcast.data.series import Dates, Floats
from stockcast.reading.columns.roles import Layout
from stockcast.reading.records import Order, Reading

_MANY, _A_FEW = 20, 0.05


@dataclass(frozen=True)
class Table:
    """The rows of a file in its one sound reading.

    - `dates` (rows,), and `numbers`: for each used column its values (rows,), NaN where there is none;
    - `tickers`: each row's ticker, where a column tells several series apart; `only_ticker`: one that all rows have;
    - `decimals`: for each column of closes the usual digits after the point; `intraday`: dates have times of day.
    """

    reading: Reading
    layout: Layout
    dates: Dates
    numbers: Mapping[int, Floats]
    tickers: tuple[str, ...] | None
    only_ticker: str | None
    decimals: Mapping[int, int]
    intraday: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Marks:
    """How a file's cells are written: its delimiter, decimal and thousands mark, and its date format."""

    delimiter: str
    decimal: str
    thousands: str
    date_format: str


def reading_of(
    layout: Layout, date_columns: Sequence[int], filled: Sequence[int], dates: Dates, marks: Marks
) -> Reading:
    """How a file was read: `date_columns` hold its dates, `filled` anything at all."""
    names, series = layout.names, layout.series
    columns = {"date": ", ".join(names[index] or str(index) for index in date_columns)}
    if layout.ticker_column is not None:
        columns["ticker"] = names[layout.ticker_column]
    for role in dict.fromkeys(role for _, roles in series for role in roles):
        of_role = list(dict.fromkeys(names[roles[role]] for _, roles in series if role in roles))
        columns[role] = ", ".join([*of_role[:3], *(["..."] if len(of_role) > 3 else [])])
    used = {*date_columns, *layout.used, layout.ticker_column}
    return Reading(
        marks.delimiter,
        marks.decimal,
        marks.thousands,
        marks.date_format,
        _order(dates),
        columns,
        tuple(names[index] or f"column {index}" for index in filled if index not in used),
        layout.has_names,
    )


def odd_decimals(dates: Dates, digits: NDArray[np.int64]) -> list[Finding]:
    """Whether a few of many volumes, unlike the others, have digits after the point (rows,): one may be damaged."""
    odd = digits > 0
    few = odd.size >= _MANY and 0 < np.count_nonzero(odd) <= _A_FEW * odd.size
    return [finding("odd_decimals", dates[odd])] if few else []


def _order(dates: Dates) -> Order:
    steps = np.diff(dates).astype(np.int64)
    steps = steps[steps != 0]
    rising = float(np.mean(steps > 0)) if steps.size else 1.0
    return "oldest first" if rising > 0.9 else "newest first" if rising < 0.1 else "mixed"
