"""Report dates in an events file: what a provider says now beside what it said before.

On which day a date was first seen can't be had later: it is kept, since no forecast may use a date before it was known.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from stockcast.errors import DataError
from stockcast.fetch.exchanges import Venue
from stockcast.store import atomic

HEADER = ("date", "series", "kind", "when", "known")
_KIND = "report"

Rows = Sequence[Sequence[str]]


def load_events(path: Path) -> Rows:
    """The lines below the header of an events file; none if there is no file.

    Raises `DataError` for a file in another form than this module's: it is never written over.
    """
    with atomic.reading(path):
        if not path.exists():
            return ()
        text = path.read_bytes().decode("utf-8", errors="replace")
    header, *rows = [row for row in csv.reader(io.StringIO(text)) if row] or [[]]
    if tuple(header) != HEADER or any(len(row) != len(HEADER) for row in rows):
        raise DataError(
            f"{path} is not an events file with the columns {','.join(HEADER)}, and is left as it is.",
            "name another file with --events; both can be given to train.",
        )
    return rows


def save_events(path: Path, rows: Rows) -> None:
    """Make `rows` the lines of an events file, oldest date first. Raises `CannotCreate` or `IOFailure`."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *sorted(rows, key=lambda row: tuple(row[:3]))])
    data = out.getvalue().encode()
    if not path.exists() or path.read_bytes() != data:
        aside = path.with_name(f".aside-{path.name}")
        atomic.make_folder(path.parent)
        atomic.sweep(aside)
        atomic.replace_file(aside, path, data)


def has_reports(rows: Rows, symbol: str) -> bool:
    """Whether any line is a report of `symbol`."""
    return any(_is_report(row, symbol) for row in rows)


def with_reports(rows: Rows, symbol: str, moments: Sequence[datetime], venue: Venue, today: date) -> Rows:
    """The lines with the reports of `symbol` as its provider knows them `today`; without any, as they were.

    A new date from today on is known from today. One that was seen before, and is no longer among the dates around it,
    was moved, and goes. Lines of others, and of other kinds, stay as they are.
    """
    days = _days(moments, venue)
    if not days:
        return rows
    mine = {row[0]: row for row in rows if _is_report(row, symbol)}
    kept = {day: row for day, row in mine.items() if day in days or not _was_moved(row, days, today)}
    for day, when in days.items():
        seen = kept.get(day)
        known = seen[4] if seen else str(today) if day >= str(today) else ""
        kept[day] = (day, seen[1] if seen else symbol, _KIND, when, known)
    return [*(row for row in rows if not _is_report(row, symbol)), *kept.values()]


def _is_report(row: Sequence[str], symbol: str) -> bool:
    return row[2] == _KIND and row[1].upper() == symbol


def _days(moments: Sequence[datetime], venue: Venue) -> Mapping[str, str]:
    """Each day with whether its report comes before or after the session; nothing where two disagree."""
    found: dict[str, str] = {}
    for moment in moments:
        day, when = venue.timed(moment)
        found[str(day)] = when if found.get(str(day), when) == when else ""
    return found


def _was_moved(row: Sequence[str], days: Mapping[str, str], today: date) -> bool:
    """Whether a date that is not among the provider's is one that was announced, and never came true."""
    return row[0] > str(today) or (bool(row[4]) and min(days) < row[0] < max(days))
