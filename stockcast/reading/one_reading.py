"""One sound reading of a file, or a question: delimiter, dates and decimal mark are decided by the whole file.

A reading is sound if its dates are unique and regular and its numbers have one decimal mark throughout. Where two
are, and give different dates or numbers, the user is asked; nothing is guessed.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.checks.rhythm import by_ticker, is_regular, is_steady
from stockcast.data.series import Dates, Floats
from stockcast.errors import AmbiguousData, DataError
from stockcast.reading.blocks import one_block
from stockcast.reading.columns.roles import Layout, find_layout
from stockcast.reading.dates.eras import OFFSETS, weekdays_prove
from stockcast.reading.dates.formats import DateReading
from stockcast.reading.dates.orders import refuse_two_orders
from stockcast.reading.dates.split_dates import join_dates
from stockcast.reading.delimiters import Grid, grids
from stockcast.reading.encoding import Lines
from stockcast.reading.number_formats import (
    SPREADSHEET_ERRORS,
    Column,
    NumberFormat,
    formats_of,
    is_null,
    shape,
    study,
    values,
)
from stockcast.reading.records import Hints
from stockcast.reading.table_bounds import Body, find_body

_JUMP = np.log(50)


@dataclass(frozen=True)
class Choice:
    """A body in its one sound reading, all rows as they stand in the file.

    - `dates` (rows,), and `numbers`: for each used column its values (rows,), NaN where there is none;
    - `tickers`: each row's ticker, where a column tells several series apart.
    """

    body: Body
    layout: Layout
    date_format: str
    decimal: str
    thousands: str
    dates: Dates
    numbers: Mapping[int, Floats]
    tickers: tuple[str, ...] | None


def choose(lines: Lines, where: str, hints: Hints, today: date) -> Choice:
    """The one sound reading of a file's lines. Raises `AmbiguousData` where there are two, `DataError` where none."""
    choices: list[Choice] = []
    refusals: list[DataError] = []
    for grid in grids(lines, hints.delimiter):
        try:
            laid = _laid_out(grid, where, hints, today)
        except DataError as error:
            refusals.append(error)
            continue
        try:
            choices += [_decide(*laid, where, hints)] if laid else []
        except AmbiguousData:
            raise
        except DataError as error:
            refusals.append(error)
    if not choices:
        raise _worst(refusals) if refusals else _no_table(lines, where, hints)
    if len(choices) > 1:
        one, other = (repr(choice.body.delimiter) for choice in choices[:2])
        raise AmbiguousData(
            f"{where} has two sound readings: cells between {one}, or between {other}.",
            f"say which: --delimiter {one} or --delimiter {other}.",
        )
    return choices[0]


def _worst(refusals: Sequence[DataError]) -> DataError:
    """The first question, or else the first refusal."""
    return min(refusals, key=lambda one: not isinstance(one, AmbiguousData))


def _laid_out(cut: Grid, where: str, hints: Hints, today: date) -> tuple[Body, dict[int, Column], Layout] | None:
    """The body of a grid, its columns of numbers and what each column is, or None where it holds no prices."""
    grid = one_block(join_dates(cut, where, hints), where, hints, today)
    body = find_body(grid, where, hints, today)
    numeric = _numeric(body) if body else {}
    if body is None or not numeric:
        return None
    _refuse_destroyed(body, where)
    return body, numeric, find_layout(body, numeric, where, hints)


def _no_table(lines: Lines, where: str, hints: Hints) -> DataError:
    first = next(line for line in lines.lines if line.strip())
    said = {"--delimiter": hints.delimiter, "--date-format": hints.date_format, "--columns": hints.columns}
    given = " and ".join(flag for flag, value in said.items() if value)
    return DataError(
        f"{where} has no column of dates beside a column of numbers; it begins {first.strip()[:60]!r}.",
        f"leave out {given}, with which it can't be read."
        if given
        else "give a CSV file with a column of dates and one of prices; unusual dates are described by --date-format.",
    )


def _numeric(body: Body) -> dict[int, Column]:
    studied = {index: study(body.column(index)) for index in range(body.width) if index != body.date_column}
    last = body.width - 1
    column = studied.get(last)
    if body.last_open and last != body.date_column and not (column and column.formats):
        # A cell that is cut short is no evidence against the others.
        studied[last] = study([*body.column(last)[:-1], ""])
    return {index: column for index, column in studied.items() if column}


def _decide(body: Body, numeric: Mapping[int, Column], layout: Layout, where: str, hints: Hints) -> Choice:
    if "ticker" in hints.columns and layout.ticker_column is None:
        said = f"--columns ticker={hints.columns['ticker']}"
        raise DataError(f"{where}: {said} has no effect, since its columns are called after tickers.", "leave it out.")
    tickers = tuple(body.column(layout.ticker_column)) if layout.ticker_column is not None else None
    if tickers and "ticker" not in hints.columns and np.unique(body.dates[0].dates).size == len(tickers):
        tickers = None  # A column of contract codes, say: one row a date is one series.
    dates = _choose_dates(body, tickers, where, hints)
    decimal = _choose_decimal(body, layout, numeric, where, hints)
    formats = {index: numeric[index].plainest(decimal) for index in layout.used}
    for index in layout.used:
        _refuse_alien(body, layout, index, numeric[index], where)
    return Choice(
        body,
        layout,
        dates.format,
        decimal,
        max((one.thousands for one in formats.values()), key=len),
        dates.dates,
        {index: values(numeric[index], formats[index]) for index in layout.used},
        tickers,
    )


def _choose_dates(body: Body, tickers: Sequence[str] | None, where: str, hints: Hints) -> DateReading:
    """The reading of the dates that is in order and regular, if the others are not."""
    left = list(body.dates)
    if tickers is None and not hints.date_format and not any(is_steady(one.dates) for one in left):
        refuse_two_orders(body.column(body.date_column), [row.line for row in body.rows], where)
    for test in (is_steady, is_regular):
        passing = [one for one in left if all(test(dates) for dates in by_ticker(one.dates, tickers))]
        left = passing or left
    row = next((row for row in range(len(body.rows)) if len({one.dates[row] for one in left}) > 1), None)
    if row is None:
        return left[0] if hints.date_format else _of_a_certain_era(left[0], body, where)
    one, other = next((a, b) for a in left for b in left if a.dates[row] != b.dates[row])
    raise AmbiguousData(
        f"{where} has two sound readings of its dates: {body.rows[row].cells[body.date_column]!r} in line "
        f"{body.rows[row].line} is {one.dates[row]} as {one.format}, or {other.dates[row]} as {other.format}.",
        f"say which: --date-format {shlex.quote(one.format)} or --date-format {shlex.quote(other.format)}.",
    )


def _of_a_certain_era(chosen: DateReading, body: Body, where: str) -> DateReading:
    """The reading, if its years are of the common era or weekdays prove that they are of another."""
    era = next((era for era in OFFSETS if chosen.format.endswith(era)), None)
    if era is None or weekdays_prove(chosen.dates):
        return chosen
    row = int(np.argmin(np.isnat(chosen.dates)))
    raise AmbiguousData(
        f"{where} seems to have{era.removeprefix(',')}: {body.rows[row].cells[body.date_column]!r} would be "
        f"{chosen.dates[row]}, but its weekdays don't prove it.",
        f"if that is right, say so: --date-format {shlex.quote(chosen.format)}.",
    )


def _choose_decimal(body: Body, layout: Layout, numeric: Mapping[int, Column], where: str, hints: Hints) -> str:
    """The one decimal mark that all used columns allow; other columns and jumps settle it between two."""
    left = _shared_decimals(layout, numeric, where)
    if hints.decimal:
        if hints.decimal not in left:
            raise DataError(f"{where} can't be read with the decimal mark {hints.decimal!r}.", "leave out --decimal.")
        return hints.decimal
    for column in numeric.values():
        left = left & column.decimals() or left
    if len(left) == 1:
        return next(iter(left))
    differing = [index for index in layout.used if _differs(numeric[index])]
    commas = any("," in form for index in differing for form in numeric[index].shapes)
    if not differing or (body.delimiter == "," and not commas):
        return "."  # Who groups digits with points has decimal commas, and then semicolons between the cells.
    smooth = [mark for mark in sorted(left) if not any(_jumps(numeric[index], mark) for index in differing)]
    if len(smooth) == 1:
        return smooth[0]
    raise _which_decimal(body, numeric[differing[0]], where)


def _shared_decimals(layout: Layout, numeric: Mapping[int, Column], where: str) -> frozenset[str]:
    left = frozenset(".,")
    settled: dict[str, str] = {}
    for index in layout.used:
        allowed = numeric[index].decimals()
        name = layout.names[index] or str(index)
        if not allowed:
            raise _contradiction(numeric[index], name, where)
        if not left & allowed:
            mine, theirs = min(allowed), min(left)
            raise DataError(
                f"{where}: {name} has the decimal mark {mine!r} ({_example(numeric[index], mine)!r}), "
                f"but {settled[theirs]}.",
                "export the file again with one decimal mark; a spreadsheet may have destroyed its numbers.",
            )
        left &= allowed
        if len(allowed) == 1:
            settled.setdefault(
                min(allowed), f"{name} has {min(allowed)!r} ({_example(numeric[index], min(allowed))!r})"
            )
    return left


def _example(column: Column, decimal: str) -> str:
    """A cell that shows the column's marks."""
    return next((cell for cell in column.cells if not is_null(cell) and any(mark in cell for mark in ".,")), decimal)


def _contradiction(column: Column, name: str, where: str) -> DataError:
    seen: dict[frozenset[NumberFormat], str] = {}
    for cell in column.cells:
        seen.setdefault(formats_of(shape(cell)), cell)
    pairs = [(a, b) for one, a in seen.items() for other, b in seen.items() if one and other and not one & other]
    one, other = pairs[0] if pairs else _most_and_least_common(column)
    return DataError(
        f"{where}: {name} has {one!r} and {other!r}, not written alike: no decimal and thousands marks fit both.",
        "export the file again with one number format; a spreadsheet may have destroyed its numbers.",
    )


def _most_and_least_common(column: Column) -> tuple[str, str]:
    """A cell of the most common shape and one of the rarest."""
    counts = Counter(shape(cell) for cell in column.cells if formats_of(shape(cell)))
    ranked = [form for form, _ in counts.most_common()]
    one, other = (next(cell for cell in column.cells if shape(cell) == form) for form in (ranked[0], ranked[-1]))
    return one, other


def _differs(column: Column) -> bool:
    return len(column.decimals()) == 2 and not np.array_equal(
        values(column, column.plainest(".")), values(column, column.plainest(",")), equal_nan=True
    )


def _jumps(column: Column, decimal: str) -> bool:
    """Whether a column leaps fiftyfold from one row to the next, as where only some cells are taken as thousands."""
    numbers = values(column, column.plainest(decimal))
    numbers = numbers[numbers > 0]
    return bool((np.abs(np.diff(np.log(numbers))) > _JUMP).any())


def _which_decimal(body: Body, column: Column, where: str) -> AmbiguousData:
    point, comma = values(column, column.plainest(".")), values(column, column.plainest(","))
    row = int(np.flatnonzero((point != comma) & ~np.isnan(point))[0])
    return AmbiguousData(
        f"{where} has two sound readings of its numbers: {column.cells[row]!r} in line {body.rows[row].line} is "
        f"{point[row]:g} with a decimal point, or {comma[row]:g} with a decimal comma.",
        "say which: --decimal . or --decimal ,",
    )


def _refuse_destroyed(body: Body, where: str) -> None:
    for row in body.rows:
        for cell in row.cells:
            if cell.startswith("#") and SPREADSHEET_ERRORS.search(cell):
                raise DataError(
                    f"{where}, line {row.line} has {cell!r}: a spreadsheet wrote a sign of error in place of a number.",
                    "widen the columns in the spreadsheet, or mend the formula, and export again.",
                )


def _refuse_alien(body: Body, layout: Layout, index: int, column: Column, where: str) -> None:
    """A cell of a used column that is no number is refused; in a last line that is cut short it is left to `torn`."""
    for row in column.non_numeric:
        last = row == len(body.rows) - 1 and body.last_open and index == body.width - 1
        if not last:
            raise DataError(
                f"{where}, line {body.rows[row].line}: {layout.names[index]} is {column.cells[row]!r}, not a number.",
                "mend that cell; an unknown value is left empty.",
            )
