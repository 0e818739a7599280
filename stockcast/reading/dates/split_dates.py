"""Dates that are split over columns: year, month and day apart, and the time of day beside the date."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache

from stockcast.errors import DataError
from stockcast.reading.column_names import normal, role_of
from stockcast.reading.delimiters import Grid, Row
from stockcast.reading.records import Hints
from stockcast.reading.vendor_names import DATE_PARTS

_HEADER_LINES = 30
_CLOCK = re.compile(
    r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?(?: ?(?:Z|UTC|GMT)?(?:[+-]\d\d:?\d\d)?)?"
)
_CLOCK_DIGITS = re.compile(r"(?:[01]?\d|2[0-3])(?:[0-5]\d){0,2}")
_YEAR = re.compile(r"(?:1[6-9]|2[0-6])\d\d(?:\.0)?")


@cache
def _parts() -> dict[str, str]:
    return {normal(each): part for part, names in DATE_PARTS.items() for each in names.split(";")}


@lru_cache(maxsize=4096)
def _part_of(name: str) -> str | None:
    """The part of a date that a column name means, or None."""
    return _parts().get(normal(name))


def join_dates(grid: Grid, where: str, hints: Hints) -> Grid:
    """A grid whose years, months and days stand in one column, that of the year, if its header has them apart.

    Raises `DataError` for years and weeks, which are not joined.
    """
    head = next((row for row in grid.rows[:_HEADER_LINES] if _has_parts(row.cells)), None)
    if head is None or "date" in hints.columns:
        return grid
    parts = {_part_of(name): index for index, name in reversed(list(enumerate(head.cells))) if _part_of(name)}
    if "week" in parts and not {"month", "quarter"} & parts.keys():
        raise DataError(
            f"{where} has its dates split over years and weeks.", "write the date of each row in one column."
        )
    places = [parts[part] for part in ("year", "month", "quarter", "day") if part in parts]
    joined = [_joined(row, parts) if row.line > head.line else row for row in grid.rows]
    return replace(grid, rows=tuple(joined), joined=tuple(places))


def _has_parts(cells: Sequence[str]) -> bool:
    """Whether a header names a year and another part of the date, and no column of whole dates."""
    parts = {_part_of(name) for name in cells}
    whole = any(meaning and meaning[0] == "date" and not _part_of(name) for name in cells if (meaning := role_of(name)))
    return "year" in parts and bool(parts & {"month", "quarter", "week"}) and not whole


def _joined(row: Row, parts: Mapping[str | None, int]) -> Row:
    cells = [*row.cells]
    if len(cells) <= max(parts.values()) or not _YEAR.fullmatch(cells[parts["year"]]):
        return row
    date = [cells[parts["year"]].removesuffix(".0")]
    if "month" not in parts and "quarter" in parts:
        date.append("Q" + cells[parts["quarter"]].lstrip("Qq"))
    date += [cells[parts[part]].removesuffix(".0") for part in ("month", "day") if part in parts]
    cells[parts["year"]] = "-".join(date)
    return Row(row.line, cells)


def clock_column(rows: Sequence[Row], names: Sequence[str], date_column: int) -> int | None:
    """The column of times of day beside the dates, if they are not the same all along."""
    for index, first in enumerate(rows[0].cells):
        named = index < len(names) and _part_of(names[index]) == "time"
        pattern = re.compile(f"{_CLOCK.pattern}|{_CLOCK_DIGITS.pattern}") if named else _CLOCK
        if index != date_column and pattern.fullmatch(first):
            cells = {row.cells[index] for row in rows}
            if len(cells) > 1 and all(map(pattern.fullmatch, cells)):
                return index
    return None
