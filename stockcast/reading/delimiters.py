"""Lines of text cut into cells: one grid for each delimiter that the lines could have."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stockcast.errors import ConfigError
from stockcast.reading.encoding import Lines

DELIMITERS = (",", ";", "\t", "|", " ")


@dataclass(frozen=True)
class Row:
    """The stripped cells of a line, and its number counted from 1."""

    line: int
    cells: Sequence[str]

    @property
    def blank(self) -> bool:
        """Whether nothing stands in it."""
        return not any(self.cells)


@dataclass(frozen=True)
class Grid:
    """All lines that hold anything, cut at one delimiter.

    - `width` is the number of cells that most rows have;
    - `ended` tells that the last line has a line end; `last_open` that it has neither one nor a closing quote, so that
      its last cell may be cut short;
    - `spaced` are the numbers of the lines with blanks around a cell;
    - `joined` are the columns of year, month and day whose cells stand joined in the first of them (`split_dates`);
    - `left_out` are the columns of other tables beside the one that is read (`blocks`).
    """

    delimiter: str
    width: int
    rows: tuple[Row, ...]
    ended: bool
    last_open: bool
    spaced: frozenset[int]
    joined: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()


def grids(lines: Lines, delimiter: str | None) -> Iterator[Grid]:
    """A grid for the delimiter that the user names, or else for each one that most lines have."""
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise ConfigError(f"--delimiter {delimiter!r} is no delimiter.", "write one character: --delimiter ';'")
    filled = [line for line in lines.lines if line.strip()]
    for candidate in (delimiter,) if delimiter else DELIMITERS:
        if delimiter or sum(candidate in line for line in filled) * 2 > len(filled):
            yield _grid(lines, candidate)


def _grid(lines: Lines, delimiter: str) -> Grid:
    cut = _cut(lines.lines, delimiter)
    if not lines.ended and lines.lines[-1].count('"') % 2:
        cut[-1] = _unquoted(lines.lines[-1] + '"', delimiter)
    stripped = [[cell.strip(" ") for cell in cells] for cells in cut]
    rows = [Row(number, cells) for number, cells in enumerate(stripped, start=1) if any(cells) or len(cells) > 1]
    spaced = frozenset(number for number, cells in enumerate(cut, start=1) if cells != stripped[number - 1])
    counts = Counter(len(row.cells) for row in rows)
    width = max(counts, key=lambda count: (counts[count], count))
    last = lines.lines[-1].rstrip()
    closed = lines.ended or (last.endswith('"') and last.count('"') % 2 == 0)
    return Grid(delimiter, width, tuple(rows), lines.ended, not closed, spaced)


def _cut(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    if delimiter == " ":
        return [re.sub('"', "", line).split() for line in lines]
    return [_unquoted(line, delimiter) if '"' in line else line.split(delimiter) for line in lines]


def _unquoted(line: str, delimiter: str) -> list[str]:
    # A line that breaks the rules of quoting is cut as it stands: its quotes then spoil the cells that they stand in.
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        return line.split(delimiter)
