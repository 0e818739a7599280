"""Tables that stand side by side in one file, each with dates of its own: Date,Close,,Date,Close."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from stockcast.errors import AmbiguousData
from stockcast.reading.column_names import columns_flag, normal, role_of
from stockcast.reading.dates.formats import date_readings
from stockcast.reading.delimiters import Grid, Row
from stockcast.reading.records import Hints

_HEADER_LINES, _SAMPLE = 30, 40
_MOST = 0.9
_DATE = re.compile(r"\d{1,4}([-/. ]|年)\w{1,9}(\1|月)\d")


@dataclass(frozen=True)
class _Block:
    """Columns `start` up to `stop`, of which the first holds dates and is called `title`; `names` are the others'."""

    start: int
    stop: int
    title: str
    names: tuple[str, ...]

    def flag(self, names: Sequence[str]) -> str:
        """The flag that reads this block alone."""
        values = [index for index in range(self.start + 1, self.stop) if names[index] or not any(self.names)]
        closes = [index for index in values if (meaning := role_of(names[index])) and meaning[0] == "close"]
        return columns_flag({"date": self.start, "close": [*closes, *values][0]}, [""] * len(names))


def one_block(grid: Grid, where: str, hints: Hints, today: date) -> Grid:
    """The grid, or of blocks side by side the one whose dates the user names, with the other columns left out.

    Raises `AmbiguousData` where there are blocks and the user names none.
    """
    head = next((row for row in grid.rows[:_HEADER_LINES] if any(map(_is_date_name, row.cells))), None)
    blocks = _blocks(grid, head, today)
    titles = {block.title for block in blocks if block.title}
    if len(blocks) < 2 or len(titles) > 1 or len({len(block.names) for block in blocks}) > 1 or not blocks[0].names:
        return grid
    names = [*(head.cells if head else ()), *[""] * grid.width][: grid.width]
    named = hints.columns.get("date", "")
    chosen = [block for block in blocks if named in (str(block.start), names[block.start]) and named]
    if len(chosen) != 1:
        flags = [block.flag(names) for block in blocks[:3]]
        raise AmbiguousData(
            f"{where} has {len(blocks)} tables side by side, each with dates of its own.",
            f"say which: {' or '.join(flags)}.",
        )
    return _only(grid, chosen[0])


def _is_date_name(name: str) -> bool:
    meaning = role_of(re.sub(r"\.\d+$", "", name))
    return meaning is not None and meaning[0] == "date"


def _blocks(grid: Grid, head: Row | None, today: date) -> list[_Block]:
    rows = [row for row in grid.rows if len(row.cells) == grid.width and (head is None or row.line > head.line)]
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    starts = [index for index in range(grid.width) if _holds_dates(sample, index, head, today)]
    cells = [re.sub(r"\.\d+$", "", name) for name in head.cells] if head else []
    blocks = []
    for start, stop in zip(starts, [*starts[1:], grid.width], strict=False):
        filled = [index for index in range(start + 1, stop) if any(row.cells[index] for row in sample)]
        title, *names = (normal(cells[index]) if index < len(cells) else "" for index in (start, *filled))
        blocks.append(_Block(start, stop, title, tuple(names)))
    return blocks


def _holds_dates(rows: Sequence[Row], index: int, head: Row | None, today: date) -> bool:
    cells = [row.cells[index] for row in rows if row.cells[index]]
    if not cells:
        return False
    name = head.cells[index] if head is not None and index < len(head.cells) else ""
    if not (_is_date_name(name) if name else _DATE.match(cells[-1])):
        return False
    readings = date_readings(cells, today)
    return bool(readings) and float(readings[0].known.mean()) >= _MOST


def _only(grid: Grid, block: _Block) -> Grid:
    """The grid with the cells outside a block emptied, without the rows in which the block is empty."""
    inside = range(block.start, block.stop)
    rows = [
        Row(row.line, [cell if place in inside else "" for place, cell in enumerate(row.cells)]) for row in grid.rows
    ]
    left_out = tuple(index for index in range(grid.width) if index not in inside)
    return replace(grid, rows=tuple(row for row in rows if not row.blank), left_out=left_out)
