"""Dates written in two ways in one column: day first and month first, as where a spreadsheet took some for its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from stockcast.errors import DataError
from stockcast.reading.dates.formats import DateReading, date_readings, day_part
from stockcast.reading.delimiters import Row

_NUMBERS = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2 ?(\d{4}|\d\d)")
_FEWEST = 3
_USUAL_STEP, _LONGEST_STEP = 7, 40
_MOST_ROWS = 5000


def refuse_two_orders(cells: Sequence[str], lines: Sequence[int], where: str) -> None:
    """Raise `DataError` if the dates are in order only when some have the day first and others the month."""
    cells = cells[:_MOST_ROWS]
    found = [_NUMBERS.fullmatch(day_part(cell)) for cell in cells]
    parts = [(int(one[4][-2:]) + 2000, int(one[1]), int(one[3])) for one in found if one]
    if len(parts) < len(cells):
        return
    day_first = [_date(year, second, first) for year, first, second in parts]
    month_first = [_date(year, first, second) for year, first, second in parts]
    for sign in (1, -1):
        chosen = _in_order(day_first, month_first, sign)
        only_day = [row for row in range(len(cells)) if chosen and chosen[row] != month_first[row]]
        only_month = [row for row in range(len(cells)) if chosen and chosen[row] != day_first[row]]
        if min(len(only_day), len(only_month)) >= _FEWEST:
            raise _two_orders(
                (cells[only_day[0]], lines[only_day[0]]), (cells[only_month[0]], lines[only_month[0]]), where
            )


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _in_order(one: Sequence[date | None], other: Sequence[date | None], sign: int) -> list[date] | None:
    """The dates, each read in one of two ways, that follow each other most closely; None where there are none."""
    paths: dict[date, tuple[int, list[date]]] = {day: (0, [day]) for day in (one[0], other[0]) if day}
    for candidates in zip(one[1:], other[1:], strict=True):
        further: dict[date, tuple[int, list[date]]] = {}
        for day in filter(None, candidates):
            reached = [
                (gaps + (step > _USUAL_STEP), path)
                for before, (gaps, path) in paths.items()
                if 0 < (step := sign * (day - before).days) <= _LONGEST_STEP
            ]
            if reached:
                gaps, path = min(reached, key=lambda each: each[0])
                further[day] = (gaps, [*path, day])
        paths = further
    return min(paths.values(), key=lambda each: each[0])[1] if paths else None


def refuse_other_format(
    row: Row, column: int, known: Row, readings: Sequence[DateReading], where: str, today: date, accepted: bool
) -> None:
    """Raise `DataError` if a row's date can't be read as the others because it is written in another way.

    Rows of another order of day and month are refused although rows without a date are accepted.
    """
    cell = row.cells[column] if column < len(row.cells) else ""
    other = date_readings([cell], today) if cell else ()
    if not other or {one.format for one in other} & {one.format for one in readings}:
        return
    mine, theirs = readings[0].format, other[0].format
    if {"".join(re.findall("%([md])", one)) for one in (mine, theirs)} == {"dm", "md"} and "%Y" not in (
        mine[:2],
        theirs[:2],
    ):
        first, second = (known, row) if mine.startswith("%d") else (row, known)
        raise _two_orders((first.cells[column], first.line), (second.cells[column], second.line), where)
    if accepted:
        return
    raise DataError(
        f"{where} has dates written in two ways: line {known.line} has {known.cells[column]!r}, which is {mine}; "
        f"line {row.line} has no date of that kind but {cell!r}, which is {theirs}.",
        "write all dates in one way, or leave those rows out: --accept ragged.",
    )


def _two_orders(day_first: tuple[str, int], month_first: tuple[str, int], where: str) -> DataError:
    (one, its_line), (other, other_line) = day_first, month_first
    return DataError(
        f"{where} has two date orders in one column: {one!r} in line {its_line} has the day first, "
        f"{other!r} in line {other_line} the month first.",
        "export it again with all dates in one order, such as 2020-01-31; a spreadsheet may have exchanged some.",
    )
