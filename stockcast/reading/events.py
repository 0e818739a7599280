"""Event files to events: date, series, kind, and if need be when in a day and known from which date on.

They are read in the same stages as prices. But nothing is left out here: whatever can't be taken is refused, with its
line, because an event that is missing looks exactly like a day without one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.data.events.records import AFTER, BEFORE, REPORT, UNTIMED, Events, events_of
from stockcast.data.series import Dates
from stockcast.errors import AmbiguousData, DataError
from stockcast.reading.column_names import known_names, normal, role_of
from stockcast.reading.dates.formats import date_readings
from stockcast.reading.delimiters import Grid, Row, grids
from stockcast.reading.encoding import decode
from stockcast.reading.files import Source, load_source
from stockcast.reading.reader import find_files

KNOWN_BEFORE = np.timedelta64(30, "D")
"""So long before its date an event is known where the file does not say: companies announce a report weeks before."""

MOST_KINDS = 12

YEARS_AHEAD = 20
"""Years of two digits may be so far in the future."""

_REQUIRED = ("date", "series", "kind")
_NAMES = {
    "series": ("series",),
    "kind": ("kind", "event", "event type", "type"),
    "when": ("when", "timing"),
    "known": ("known", "known since", "known from", "announced"),
}
_REPORTS = (REPORT, "reports", "earnings", "results")
_WHEN = {"": UNTIMED, "before": BEFORE, "bmo": BEFORE, "after": AFTER, "amc": AFTER}
_OF_DAYS = re.compile("%d|epoch|Excel")
_KIND = re.compile(r"[a-z][\w-]{0,30}")

_Event = tuple[np.datetime64, str, str, str, np.datetime64]


@dataclass(frozen=True)
class _Sheet:
    """The rows of a file below its header, and which column has which role."""

    where: str
    rows: Sequence[Row]
    columns: dict[str, int]

    def cell(self, row: Row, role: str) -> str:
        """What stands in a row; nothing where the file has no such column."""
        return row.cells[self.columns[role]] if role in self.columns else ""

    def refusal(self, row: Row, message: str, fix: str) -> DataError:
        return DataError(f"{self.where}, line {row.line}: {message}.", fix)


def read_events(paths: Sequence[str]) -> Events:
    """All events of the files that `paths` means. Raises `NotFound` if there is no file, and as `events_in`."""
    return events_in([load_source(path) for path in find_files(paths, "--events")])


def events_in(sources: Sequence[Source]) -> Events:
    """All events in the content of files, each once.

    Raises `DataError` with the line for what can't be taken, `AmbiguousData` where a file's dates can be read in two
    ways.
    """
    found: dict[tuple[np.datetime64, str, str], tuple[_Event, str]] = {}
    for source in sources:
        for event, where in _read(source):
            key = (event[0], event[1].lower(), event[2])
            earlier, place = found.setdefault(key, (event, where))
            if earlier[3:] != event[3:]:
                raise DataError(
                    f"{where}: {event[2]} of {event[1] or 'all series'} on {event[0]} stands in {place}, too, with "
                    "another time.",
                    "leave one of the two lines out.",
                )
    kinds = sorted({key[2] for key in found})
    if len(kinds) > MOST_KINDS:
        where = ", ".join(str(one.path) for one in sources)
        raise DataError(
            f"{where}: there are {len(kinds)} kinds of events ({', '.join(kinds[:3])}, ...); "
            f"{MOST_KINDS} are the most.",
            "write a kind as one word that many dates share, such as report.",
        )
    return events_of([event for event, _ in found.values()])


def _read(source: Source) -> list[tuple[_Event, str]]:
    """The events of one file, each with its place."""
    sheet = _sheet(source)
    dates, known = _dates(sheet)
    return [
        (
            (day, sheet.cell(row, "series"), _kind(sheet, row), _when(sheet, row), since),
            f"{sheet.where}, line {row.line}",
        )
        for row, day, since in zip(sheet.rows, dates, known, strict=True)
    ]


def _sheet(source: Source) -> _Sheet:
    where = str(source.path)
    lines = decode(source.content, where, known_names)
    for grid in grids(lines, None):
        columns = _columns(grid)
        if columns.keys() >= set(_REQUIRED):
            return _checked(grid, columns, where)
    first = next(line for line in lines.lines if line.strip())
    raise DataError(
        f"{where} has no header with the columns {', '.join(_REQUIRED)}; it begins {first.strip()[:60]!r}.",
        "begin the file with the line date,series,kind; an empty series means all of them.",
    )


def _columns(grid: Grid) -> dict[str, int]:
    """The column of each role that the first line names; of two that could have a role, the plainer name has it."""
    ranks: dict[str, tuple[int, int]] = {}
    for index, name in enumerate(grid.rows[0].cells):
        for role, rank in _roles(name):
            ranks[role] = min(ranks.get(role, (rank, index)), (rank, index))
    return {role: index for role, (_, index) in ranks.items()}


def _roles(name: str) -> list[tuple[str, int]]:
    own = [(role, names.index(normal(name)) - 99) for role, names in _NAMES.items() if normal(name) in names]
    meant = role_of(name)
    others = {"date": "date", "ticker": "series"}
    return own or ([(others[meant[0]], meant[1])] if meant and meant[0] in others else [])


def _checked(grid: Grid, columns: dict[str, int], where: str) -> _Sheet:
    header, *rows = grid.rows
    sheet = _Sheet(where, [row for row in rows if not row.blank], columns)
    if not sheet.rows:
        raise DataError(f"{where} has a header and no event.", "write a line for each date.")
    for row in sheet.rows:
        if len(row.cells) != len(header.cells):
            found = f"{len(row.cells)} cells where the header has {len(header.cells)}"
            raise sheet.refusal(row, found, "mend that line; what is not known is left empty between its delimiters.")
    return sheet


def _dates(sheet: _Sheet) -> tuple[Dates, Dates]:
    """The date of each row, and from when on it is known: both are written in one way."""
    cells = [sheet.cell(row, "date") for row in sheet.rows]
    since = [sheet.cell(row, "known") for row in sheet.rows]
    said = [index for index, cell in enumerate(since) if cell]
    every, rows = [*cells, *(since[index] for index in said)], [*sheet.rows, *(sheet.rows[index] for index in said)]
    read = _one_reading(sheet, rows, every)
    dates = read[: len(cells)]
    known = dates - KNOWN_BEFORE
    known[said] = read[len(cells) :]
    return dates, known


def _one_reading(sheet: _Sheet, rows: Sequence[Row], cells: Sequence[str]) -> Dates:
    """All cells as dates, each of the row beside it."""
    today = date.today()  # noqa: DTZ011 -- the user's own day
    every = date_readings(cells, today.replace(year=today.year + YEARS_AHEAD, day=1))
    readings = [one for one in every if _OF_DAYS.search(one.format)]
    unread = [~one.known for one in readings] or [np.ones(len(cells), dtype=bool)]
    if unread[0].any():
        at = int(np.argmax(unread[0]))
        raise sheet.refusal(rows[at], f"{cells[at]!r} is no date like the others", "write it as YYYY-MM-DD.")
    for other in readings[1:]:
        differing = np.flatnonzero(other.dates != readings[0].dates)
        if len(differing):
            at = int(differing[0])
            one, two = (reading.dates[at] for reading in (readings[0], other))
            raise AmbiguousData(
                f"{sheet.where}, line {rows[at].line}: {cells[at]!r} is {one}, or {two}.",
                "write all dates as YYYY-MM-DD.",
            )
    return readings[0].dates


def _kind(sheet: _Sheet, row: Row) -> str:
    written = sheet.cell(row, "kind")
    kind = "-".join(written.lower().split())
    if not _KIND.fullmatch(kind):
        raise sheet.refusal(row, f"the kind {written[:40]!r} is not a word", "write a word such as report or rates.")
    return REPORT if kind in _REPORTS else kind


def _when(sheet: _Sheet, row: Row) -> str:
    written = sheet.cell(row, "when")
    if written.lower() not in _WHEN:
        raise sheet.refusal(
            row,
            f"{written[:40]!r} doesn't say when in a day it comes",
            "write before or after (the market's opening hours), or nothing.",
        )
    return _WHEN[written.lower()]
