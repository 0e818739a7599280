"""The edges of a file: the lines around its rows, and a last line that may be cut short."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from stockcast.checks.findings import Finding, finding
from stockcast.data.series import Floats
from stockcast.reading.dates.formats import day_part, has_time
from stockcast.reading.number_formats import usual_decimals
from stockcast.reading.one_reading import Choice
from stockcast.reading.table import Marks, Table, odd_decimals, reading_of

_CLOCKED = 50
"""Rows that are looked at for a time of day."""
_BEFORE, _FAR, _FALL = 60, 2.0, 0.25
"""A volume more than twice the largest of 60 rows is rarer than a file without a last line end."""


def trimmed(choice: Choice, odd_ends: int) -> Table:
    """The table of a reading, without a torn last row, and what was found around the rows.

    `odd_ends` is the number of lines that end otherwise than most of the file's do.
    """
    body, layout = choice.body, choice.layout
    state = _state_of_last(choice) if body.last_open else "whole"
    kept = slice(len(body.rows) - (state == "torn"))
    numbers = dict(choice.numbers)
    if state == "unknown":
        numbers[body.width - 1] = np.append(numbers[body.width - 1][:-1], np.nan)
    written = body.column(layout.ticker_column)[kept] if layout.ticker_column is not None else []
    marks = Marks(body.delimiter, choice.decimal, choice.thousands, choice.date_format)
    filled = [index for index in range(body.width) if index in body.left_out or any(body.column(index))]
    date_columns = (*body.date_parts, *((body.clock,) if body.clock is not None else ()))
    used = layout if choice.tickers is not None else replace(layout, ticker_column=None)
    reading = reading_of(used, date_columns, filled, choice.dates, marks)
    return Table(
        reading,
        layout,
        choice.dates[kept],
        {index: values[kept] for index, values in numbers.items()},
        choice.tickers and choice.tickers[kept],
        written[0] if len(set(written)) == 1 else None,
        {index: usual_decimals(body.column(index), choice.decimal) for index in layout.closes},
        body.clock is not None or any(has_time(cell) for cell in body.column(body.date_column)[:_CLOCKED]),
        tuple(_around(choice, state, odd_ends)),
    )


def _around(choice: Choice, state: str, odd_ends: int) -> list[Finding]:
    body = choice.body
    counts = {
        "repeated_header": body.repeated,
        "actions": body.actions,
        "blank_lines": body.blank,
        "footer": body.footer,
        "odd_line_ends": odd_ends,
        "stray_spaces": body.spaced if body.spaced <= 0.1 * len(body.rows) else 0,
    }
    found = [finding(kind, (), "", count) for kind, count in counts.items() if count] + _mixed_dates(choice)
    found += _odd_decimals(choice)
    if body.ragged:
        lines = ", ".join(str(row.line) for row in body.ragged[:5])
        first = " | ".join(body.ragged[0].cells)[:80]
        found.append(finding("ragged", (), f"In line {lines}; the first reads {first}.", len(body.ragged)))
    if body.torn or state == "torn":
        number = body.torn.line if body.torn else body.rows[-1].line
        found.append(finding("torn_line", (), f"It is line {number}.", 1))
    if state == "unknown":
        found.append(finding("open_cell", (), f"Taken as unknown: {body.rows[-1].cells[-1]!r}.", 1))
    return found


def _mixed_dates(choice: Choice) -> list[Finding]:
    """Whether some dates have leading zeros and some lack them: one digit was lost, or two files were joined."""
    cells = choice.body.column(choice.body.date_column)
    padded = any(re.search(r"(?<!\d)0\d(?!\d)", day_part(cell)) for cell in cells)
    bare = np.array([bool(re.search(r"(?<!\d)\d(?!\d)", day_part(cell))) for cell in cells])
    return [finding("mixed_dates", choice.dates[bare])] if padded and bare.any() else []


def _odd_decimals(choice: Choice) -> list[Finding]:
    """Of each column of volumes; 1.5M among whole numbers is none."""
    columns = {roles["volume"] for _, roles in choice.layout.series if "volume" in roles}
    cells = {index: choice.body.column(index) for index in columns}
    digits = [[_digits_after(cell, choice.decimal) for cell in own] for own in cells.values() if not _scaled(own)]
    return [one for own in digits for one in odd_decimals(choice.dates, np.array(own))]


def _state_of_last(choice: Choice) -> str:
    """Whether the open last cell is whole, unknown (a volume: the row is of use without it) or torn (a price)."""
    body, column = choice.body, choice.body.width - 1
    cell, others = body.rows[-1].cells[column], [row.cells[column] for row in body.rows[:-1]]
    if column == body.date_column:
        return "whole" if len(cell) >= max(map(len, others), default=0) else "torn"
    if column == choice.layout.ticker_column:
        longer = any(other != cell and other.startswith(cell) for other in others)
        return "whole" if cell in others and not longer else "torn"
    roles = {role for _, roles in choice.layout.series for role, index in roles.items() if index == column}
    if not roles:
        return "whole"
    lacking = "unknown" if roles == {"volume"} else "torn"
    if not cell or np.isnan(choice.numbers[column][-1]):
        return "whole" if not cell and roles == {"volume"} else lacking
    if _scaled(others):
        return "whole" if _ends_alike(cell, others) else lacking
    digits = [_digits_after(each, choice.decimal) for each in (cell, *others)]
    if max(digits) > 0:
        return "whole" if digits[0] == max(digits) else lacking
    return "whole" if _is_whole_number(cell, choice.numbers[column], roles == {"volume"}) else lacking


def _is_whole_number(cell: str, values: Floats, is_volume: bool) -> bool:
    """Whether no digit is missing at the end of the last of whole numbers.

    That can't be seen from the cell; but a price does not fall to a tenth, and ten times as large a volume would stand
    out from the rows before.
    """
    before, last = values[-_BEFORE - 1 : -1], values[-1]
    if cell == "0" or before.size == 0:
        return cell == "0"
    if not is_volume:
        return bool(last > _FALL * before[-1])
    return bool(10 * last > _FAR * np.nanmax(before, initial=0.0) > 0)


def _digits_after(cell: str, decimal: str) -> int:
    return len(cell.partition(decimal)[2])


def _scaled(cells: list[str]) -> bool:
    """Whether a column's cells end with letters, such as 1.5M, so that one without may have lost it."""
    return any(cell[-1:].isalpha() for cell in cells)


def _ends_alike(cell: str, others: list[str]) -> bool:
    """Whether a cell's last letters end other cells, and are not the beginning of longer ones."""
    endings = {re.sub(r".*[\d.,' ]", "", other) for other in others}
    own = re.sub(r".*[\d.,' ]", "", cell)
    return bool(own) and own in endings and not any(ending != own and ending.startswith(own) for ending in endings)
