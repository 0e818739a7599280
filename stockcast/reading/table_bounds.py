"""Where in a grid the prices stand: the column of dates, the rows that have one, and the lines around them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from stockcast.errors import DataError
from stockcast.reading.column_names import role_of
from stockcast.reading.dates.formats import DateReading, date_reading, date_readings
from stockcast.reading.dates.orders import refuse_other_format
from stockcast.reading.dates.split_dates import clock_column
from stockcast.reading.delimiters import Grid, Row
from stockcast.reading.number_formats import formats_of, is_null, shape
from stockcast.reading.records import Hints
from stockcast.reading.vendor_names import ACTION_WORDS

_UNNAMED = 1000
_ACTION = re.compile(rf"(?:[\d.,:/ -]+(?:for [\d.]+ )?)?{ACTION_WORDS}(?: [\d.,:/]+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Body:
    """The rows with dates of one grid.

    - `dates` are the possible readings of the date column, each of shape (rows,);
    - `names` are the header's lines, each of `grid.width` cells, outermost first; none for a file without header;
    - `repeated`, `blank`, `footer`: how many header lines and blank lines between the rows and lines after them were
      left out; `ragged`: broken rows, left out because the user accepts that; `torn`: the last line, if cut short;
    - `actions`: how many lines between the rows tell of dividends and splits, left out;
    - `spaced`: how many rows have blanks around a cell;
    - `date_parts`: the column of dates, or those of which it was joined; `clock`: a column of times of day beside it;
    - `left_out`: columns of other tables beside this one.
    """

    delimiter: str
    rows: tuple[Row, ...]
    date_column: int
    dates: tuple[DateReading, ...]
    names: tuple[Sequence[str], ...]
    repeated: int
    blank: int
    footer: int
    ragged: tuple[Row, ...]
    torn: Row | None
    last_open: bool
    actions: int
    spaced: int
    date_parts: tuple[int, ...]
    clock: int | None
    left_out: tuple[int, ...]

    @property
    def width(self) -> int:
        """Cells in each row."""
        return len(self.rows[0].cells)

    def column(self, index: int) -> list[str]:
        """All rows' cells of one column."""
        return [row.cells[index] for row in self.rows]


def find_body(grid: Grid, where: str, hints: Hints, today: date) -> Body | None:
    """The body of a grid, or None where no column holds dates.

    Raises `DataError` for a row between the others that has no date or another number of cells, unless the user
    accepts "ragged": then it is left out as well.
    """
    full = [row for row in grid.rows if len(row.cells) == grid.width]
    found = _date_column(full, grid.width, hints, today)
    if found is None or grid.width < 2:
        return None
    column, best = found
    readings = tuple(one for one in best if np.array_equal(one.known, best[0].known))
    known = np.flatnonzero(readings[0].known)
    first, last = full[known[0]], full[known[-1]]
    torn = _torn(grid, last)
    outside = [
        row for row in grid.rows if not first.line <= row.line <= last.line and row is not torn and not row.blank
    ]
    broken = [row for row in outside if row.line > 1 and _is_broken(row, grid.width, column)]
    names = _names(grid, [row for row in outside if row.line < first.line and row not in broken])
    between = _between(grid, full, readings, (first, last), names)
    ragged = sorted([*between.ragged, *broken], key=lambda row: row.line)
    for row in ragged:
        refuse_other_format(row, column, first, readings, where, today, "ragged" in hints.accept)
    if ragged and "ragged" not in hints.accept:
        raise _ragged(ragged[0], grid.width, where)
    index = {row.line: number for number, row in enumerate(full)}
    chosen = [index[row.line] for row in between.kept]
    return Body(
        grid.delimiter,
        tuple(between.kept),
        column,
        tuple(DateReading(one.format, one.dates[chosen]) for one in readings),
        names,
        between.repeated,
        last.line - first.line + 1 - between.repeated - between.actions - len(between.ragged) - len(between.kept),
        len([row for row in outside if row.line > last.line and row not in broken]),
        tuple(ragged),
        torn,
        grid.last_open and torn is None,
        between.actions,
        sum(row.line in grid.spaced for row in between.kept),
        grid.joined or (column,),
        clock_column(between.kept, names[-1] if names else (), column),
        grid.left_out,
    )


def _date_column(
    rows: Sequence[Row], width: int, hints: Hints, today: date
) -> tuple[int, tuple[DateReading, ...]] | None:
    if "date" in hints.columns:
        column = _hinted(rows, hints)
        readings = _date_readings(rows, column, hints, today)
        return (column, readings) if readings else None
    ranks = {column: _rank(rows, column) for column in range(width)}
    for column in sorted(ranks, key=lambda column: (ranks[column], column)):
        readings = _date_readings(rows, column, hints, today)
        # Numbers that could be dates are dates only where a header says so, or in the first column.
        if readings and (ranks[column] < _UNNAMED or column == 0 or not _is_numeric(readings[0])):
            return column, readings
    return None


def _date_readings(rows: Sequence[Row], column: int, hints: Hints, today: date) -> tuple[DateReading, ...]:
    cells = [row.cells[column] for row in rows]
    if not hints.date_format:
        return date_readings(cells, today)
    named = date_reading(cells, hints.date_format, today)
    return (named,) if named.known.any() else ()


def _rank(rows: Sequence[Row], column: int) -> int:
    """How well a header's line names a column as the dates; 0 is best."""
    meanings = [role_of(row.cells[column]) for row in rows[:4]]
    return min((meaning[1] for meaning in meanings if meaning and meaning[0] == "date"), default=_UNNAMED)


def _is_numeric(reading: DateReading) -> bool:
    return reading.format == "%Y" or reading.format.startswith(("epoch", "Excel", "%Y%m", "%y%m%d", "%d%m", "%m%d"))


def _hinted(rows: Sequence[Row], hints: Hints) -> int:
    wanted = hints.columns["date"]
    headers = [row for row in rows[:20] if wanted in row.cells and not wanted.isdecimal()]
    if headers and list(headers[0].cells).count(wanted) == 1:
        return list(headers[0].cells).index(wanted)
    if headers:
        raise DataError(f"there are several columns called {wanted!r}.", "say which by its number from 0.")
    if wanted.isdecimal() and int(wanted) < len(rows[0].cells):
        return int(wanted)
    raise DataError(f"there is no column {wanted!r}.", "give a name of the header, or a column number from 0.")


def _torn(grid: Grid, last: Row) -> Row | None:
    """The last line, if it is open, stands after the body and begins as the body's lines do."""
    row = grid.rows[-1]
    alike = row.cells[0][:1].isdigit() == last.cells[0][:1].isdigit()
    return row if not grid.ended and row.line > last.line and alike else None


def _names(grid: Grid, above: Sequence[Row]) -> tuple[Sequence[str], ...]:
    """The header's lines: those right above the body that have as many cells, up to three."""
    names: list[Sequence[str]] = []
    for row in reversed(above[-3:]):
        if len(row.cells) != grid.width and len(row.cells) < max(2, grid.width // 2):
            break
        further = row.cells[grid.width :]
        names.insert(0, row.cells if any(further) else row.cells[: grid.width])
    return tuple(names)


@dataclass
class _Between:
    """The rows between the first and the last date: those kept, broken ones, and how many others were left out."""

    kept: list[Row] = field(default_factory=list)
    ragged: list[Row] = field(default_factory=list)
    repeated: int = 0
    actions: int = 0


def _between(
    grid: Grid,
    full: Sequence[Row],
    readings: Sequence[DateReading],
    span: tuple[Row, Row],
    names: Sequence[Sequence[str]],
) -> _Between:
    dated = {row.line for row, known in zip(full, readings[0].known, strict=True) if known}
    found = _Between()
    for row in grid.rows:
        if not span[0].line <= row.line <= span[1].line or row.blank:
            continue
        if _is_action(row):
            found.actions += 1
        elif row.line in dated:
            found.kept.append(row)
        elif any(list(row.cells) == list(name) for name in names):
            found.repeated += 1
        else:
            found.ragged.append(row)
    return found


def _is_action(row: Row) -> bool:
    """Whether a line tells of a dividend or a split: beside the date nothing else stands in it."""
    words = {cell for cell in row.cells[1:] if cell}
    return len(words) == 1 and _ACTION.fullmatch(next(iter(words))) is not None


def _ragged(row: Row, width: int, where: str) -> DataError:
    text = " | ".join(row.cells)[:80]
    found = f"has {len(row.cells)} cells where others have {width}" if len(row.cells) != width else "has no date"
    return DataError(f"{where}, line {row.line} {found}: {text}.", "mend that line, or leave it out: --accept ragged.")


def _is_broken(row: Row, width: int, column: int) -> bool:
    """Above and below the prices stand words; a row of numbers there is a broken row."""
    others = [cell for index, cell in enumerate(row.cells) if index != column and not is_null(cell)]
    numbers = sum(bool(formats_of(shape(cell))) for cell in others)
    own = row.cells[column] if column < len(row.cells) else ""
    worded = own and not any(letter.isdigit() for letter in own)
    return len(row.cells) > width // 2 and not worded and 2 * numbers >= width - 1
