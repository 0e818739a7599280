"""The cells of a row file as arrays: a header in any order, and every cell read strictly or named with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates, Floats
from stockcast.errors import DataError
from stockcast.evaluate.csv_escape import restored
from stockcast.evaluate.row_file.table import CONTRACT, FIELDS, MEDIAN, NEEDED, RowTable, refuse_line

MOST_STEPS = 1000
ROWS_AT_ONCE = 4096

NUMBERS = "write numbers as 1234.5, with a point and no other marks; leave out rows that have no forecast."

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_rows(text: str, where: str) -> RowTable:
    """The rows of a file. Raises `DataError` for a column that is missing and for a cell that can't be read."""
    header, lines, columns = _cells(text, where)
    known, levels = _known_columns(header, where)
    if not lines:
        raise DataError(f"{where} has no rows below its first line.", "give a file with forecasts.")
    unused = [name.strip() or "one without a name" for at, name in enumerate(header) if at not in known.values()]
    read = _Columns(where, lines, {name: columns[at] for name, at in known.items()})
    model, models = read.names("model")
    series, names = read.names("series")
    return RowTable(
        where=where,
        line=np.array(lines),
        model=model,
        series=series,
        cutoff=read.days("cutoff"),
        date=read.days("date"),
        step=read.steps(),
        last=read.numbers("last", positive=True),
        actual=read.numbers("actual", positive=True),
        forecast=read.numbers("forecast", positive=True),
        quantiles=read.quantiles(levels),
        models=models,
        names=names,
        levels=levels,
        rounding=read.rounding(("last", "actual")),
        notes=(f"Not used: the columns {', '.join(unused)}.",) if unused else (),
    )


def _cells(text: str, where: str) -> tuple[list[str], list[int], list[list[str]]]:
    """The header, the line of each row, and the cells of each column."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    lines: list[int] = []
    columns: list[list[str]] = []
    try:
        header = next(reader, [])
        columns = [[] for _ in header]
        rows: list[list[str]] = []
        for cells in reader:
            if len(cells) == len(header):
                rows.append(cells)
                lines.append(reader.line_num)
            elif cells:
                what = f"there are {len(cells)} cells, and {len(header)} in the first line"
                refuse_line(where, reader.line_num, what, "complete that line, or leave it out.")
            if len(rows) == ROWS_AT_ONCE:
                _move(rows, columns)
        _move(rows, columns)
    except csv.Error as error:
        refuse_line(
            where, reader.line_num, f"the quotes are broken ({error})", "write the file anew with a CSV writer."
        )
    return header, lines, columns


def _move(rows: list[list[str]], columns: list[list[str]]) -> None:
    """Empty `rows` into the columns: the garbage collector goes through every list that lives on, again and again."""
    for column, cells in zip(columns, zip(*rows, strict=True), strict=False):
        column.extend(cells)
    rows.clear()


def _known_columns(header: Sequence[str], where: str) -> tuple[dict[str, int], tuple[float, ...]]:
    """Where each column of the contract stands, quantiles by `q` and their level, and the levels, rising."""
    known: dict[str, int] = {}
    levels = []
    for at, cell in enumerate(header):
        name = cell.strip().lower()
        level = _level(name, where)
        if level is not None:
            name = f"q{level!r}"
            levels.append(level)
        if (level is not None or name in FIELDS) and name in known:
            raise DataError(f"{where} has two columns {name}.", "leave one of them out, or rename it.")
        if level is not None or name in FIELDS:
            known[name] = at
    missing = [name for name in NEEDED if name not in known]
    if "forecast" not in known and MEDIAN not in levels:
        missing.append("forecast")
    if missing:
        begin = ",".join(header)[:80]
        no = ", ".join(missing)
        raise DataError(
            f"{where} is not a row file of forecasts: its first line is {begin!r}, without {no}.", _fix(begin)
        )
    return known, tuple(sorted(levels))


def _fix(header: str) -> str:
    other = next((kind for mark, kind in ((";", "semicolons"), ("\t", "tabs")) if mark in header), None)
    return f"write commas between the cells, not {other}; {CONTRACT}." if other else f"{CONTRACT}."


def _level(name: str, where: str) -> float | None:
    """The level of a column of quantiles; None for any other column."""
    if not (name.startswith("q") and _NUMBER.fullmatch(name[1:])):
        return None
    level = float(name[1:])
    if not 0 < level < 1:
        like = f"q{level / 100:g}" if 1 <= level < 100 else "q0.1"
        raise DataError(
            f"{where} has a column {name}: a level lies between 0 and 1.", f"call it {like}, if it is that."
        )
    return level


@dataclass(frozen=True)
class _Columns:
    """The cells of the known columns, (rows,) each, and how they become arrays."""

    where: str
    lines: Sequence[int]
    cells: Mapping[str, Sequence[str]]

    def names(self, column: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Each row's place among the names, as they first appear."""
        places: dict[str, int] = {}
        found = np.array([places.setdefault(cell, len(places)) for cell in self.cells[column]], dtype=np.int64)
        if "" in places:
            line = self.lines[int(np.argmax(found == places[""]))]
            refuse_line(self.where, line, f"{column} is empty", f"name the {column}.")
        return found, tuple(restored(name) for name in places)

    def days(self, column: str) -> Dates:
        """ISO dates; there are far fewer than rows."""
        days = {cell: _day(cell) for cell in set(self.cells[column])}
        for line, cell in zip(self.lines, self.cells[column], strict=True) if None in days.values() else ():
            if days[cell] is None:
                refuse_line(self.where, line, f"{column} {cell[:40]!r} is no date", "write dates as YYYY-MM-DD.")
        return np.array([days[cell] for cell in self.cells[column]], dtype="datetime64[D]")

    def steps(self) -> NDArray[np.int64]:
        """Whole numbers from 1."""
        steps = {cell: _step(cell) for cell in set(self.cells["step"])}
        for line, cell in zip(self.lines, self.cells["step"], strict=True) if None in steps.values() else ():
            if steps[cell] is None:
                what = f"step {cell[:40]!r} is no whole number from 1 to {MOST_STEPS}"
                refuse_line(self.where, line, what, "count the sessions ahead: 1 is the first after the cutoff.")
        return np.array([steps[cell] for cell in self.cells["step"]], dtype=np.int64)

    def numbers(self, column: str, positive: bool) -> Floats:
        """Finite numbers, NaN for an empty cell and for a column that is not there."""
        cells = self.cells.get(column)
        if cells is None:
            return np.full(len(self.lines), np.nan)
        values = _quickly(cells)
        if values is None:
            values = np.array([_number(cell) for cell in cells])
        unread = np.isposinf(values)
        wrong = unread | (positive & (values <= 0))
        if wrong.any():
            first = int(np.argmax(wrong))
            shown = cells[first][:40]
            what = (
                f"{column} {shown!r} is no number" if unread[first] else f"{column} is {shown}, and prices are above 0"
            )
            fix = NUMBERS if unread[first] else "give prices, not returns."
            refuse_line(self.where, self.lines[first], what, fix, others=int(wrong.sum()) - 1)
        return values

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """The columns of `levels`, (rows, Q); a price's quantile may lie below 0."""
        columns = [self.numbers(f"q{level!r}", positive=False) for level in levels]
        return np.column_stack(columns) if columns else np.empty((len(self.lines), 0))

    def rounding(self, columns: Iterable[str]) -> float:
        """Half a unit of the last digit that any of the columns is written with."""
        every = [cell for column in columns for cell in self.cells.get(column, ())]
        return 0.5 * 10.0 ** -max((len(cell.strip().partition(".")[2]) for cell in every), default=0)


def _quickly(cells: Sequence[str]) -> Floats | None:
    """All cells at once, or None if one is not plainly a finite number."""
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return values if np.isfinite(values).all() and "_" not in "".join(cells) else None


def _number(cell: str) -> float:
    """NaN for an empty cell, infinity for one that is no finite number."""
    if not cell or cell.isspace():
        return np.nan
    value = float(cell) if _NUMBER.fullmatch(cell) else np.inf
    return value if np.isfinite(value) else np.inf


def _day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell.strip()) if _DAY.fullmatch(cell.strip()) else None
    except ValueError:
        return None


def _step(cell: str) -> int | None:
    text = cell.strip().removesuffix(".0")  # as a column of floats is written
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_STEPS else None
