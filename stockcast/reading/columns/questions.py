"""What is asked where neither names nor numbers prove which column is the price: every answer is a flag to type."""

from __future__ import annotations

from collections.abc import Sequence

from stockcast.checks.price_order import Assignment
from stockcast.errors import AmbiguousData, DataError
from stockcast.reading.column_names import columns_flag
from stockcast.reading.columns.evidence import Columns

_SHOWN = 4


def which_close(columns: Columns, candidates: Sequence[int]) -> DataError:
    """Several columns could be the closing price, or one that nothing proves to be."""
    could = _listed([columns.names[index] or f"column {index}" for index in candidates])
    return AmbiguousData(
        f"{columns.where} has dates, but no column that is surely the closing price: it could be {could}.",
        f"say which: {_flags(columns, [{'close': index} for index in candidates])}.",
    )


def which_order(columns: Columns, found: Sequence[Assignment]) -> DataError:
    """Open, high, low and close can be seen in the columns in several ways."""
    names = columns.names
    ways = _listed([" ".join(f"{role} {names[index]}" for role, index in one.items()) for one in found])
    return AmbiguousData(
        f"{columns.where} has dates, but no column that is surely the closing price: its numbers could be {ways}.",
        f"say which: {_flags(columns, found)}.",
    )


def no_close(columns: Columns, why: str | None = None, closes: Sequence[int] = ()) -> DataError:
    """No column can be the closing price by its name or its numbers, or `why` else the file can't be read as it is.

    Every column of numbers may be named instead, or one of `closes`; those that could be prices are shown first.
    """
    what = f"its columns are {', '.join(filter(None, columns.names))}" if columns.has_names else "it has no header line"
    prices = columns.prices()
    others = sorted(columns.numeric, key=lambda index: index not in prices)
    flags = _flags(columns, [{"close": index} for index in closes or others])
    return DataError(
        why or f"{columns.where} has dates, but no column that is surely the closing price: {what}.",
        f"if one of the others is what you mean, name it: {flags}."
        if not closes
        else f"mend it, or leave it out: {flags}.",
    )


def _flags(columns: Columns, found: Sequence[Assignment]) -> str:
    date = {} if columns.has_names else {"date": columns.body.date_column}
    return " or ".join(columns_flag({**date, **one}, columns.names) for one in found[:_SHOWN])


def _listed(words: Sequence[str]) -> str:
    more = f" or one of {len(words) - _SHOWN} others" if len(words) > _SHOWN else ""
    return " or ".join(words[:_SHOWN]) + more
