"""What can be wrong with a file or its prices: every kind with its verdict, what is said of it, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np

from stockcast.errors import DataError, UsageError

Handling = Literal["repaired", "warned", "refused"]

# Verdict, what it is, and what is counted. What is refused is taken with --accept KIND, or KIND:DATE for one row.
KINDS: dict[str, tuple[Handling, str, str]] = {
    "torn_line": ("repaired", "a last line that is cut short, left out", "line"),
    "open_cell": ("repaired", "a last line without a line end, whose last cell may be cut short", "line"),
    "repeated_header": ("repaired", "header lines that stand again among the rows, left out", "line"),
    "ragged": ("refused", "rows without a date or with another number of cells, left out", "row"),
    "actions": ("repaired", "lines that tell of dividends and splits, left out", "line"),
    "blank_lines": ("repaired", "blank lines between the rows, left out", "line"),
    "odd_line_ends": ("warned", "lines that end otherwise than most", "line"),
    "stray_spaces": ("warned", "rows with blanks around a cell where others have none", "row"),
    "mixed_dates": ("warned", "dates with a one-digit day or month where others have a leading zero", "date"),
    "odd_decimals": ("warned", "volumes with digits after the point where the others are whole", "row"),
    "footer": ("repaired", "lines after the prices, left out", "line"),
    "null_rows": ("repaired", "rows without a closing price, left out", "row"),
    "duplicate_rows": ("repaired", "rows that stand twice, taken once", "row"),
    "duplicates": ("refused", "dates that stand twice with different prices", "date"),
    "unsorted": ("repaired", "rows that are not in order, sorted by date", "row"),
    "out_of_order": ("refused", "rows out of order in a file that is sorted, so that their dates may be wrong", "row"),
    "nonpositive": ("refused", "prices that are not above zero", "row"),
    "negative_volume": ("refused", "negative volumes", "row"),
    "filled": ("repaired", "rows without open, high or low, taken from the row's other prices", "row"),
    "contradicting": ("warned", "columns that contradict the close that was named, left out", "column"),
    "left_out": ("repaired", "columns that are empty in most rows, left out", "column"),
    "adjusted": ("repaired", "open, high, low and close multiplied by Adj Close / Close, where these differ", "row"),
    "glued": ("warned", "falls of Adj Close / Close, as where adjusted rows follow unadjusted ones", "date"),
    "splits": ("refused", "unadjusted splits", "split"),
    "close_outside": ("warned", "Close outside Low..High", "row"),
    "open_outside": ("warned", "Open outside Low..High", "row"),
    "high_below_low": ("warned", "High below Low", "row"),
    "bad_prints": ("warned", "prices that leap away and come back the next session", "price"),
    "stale": ("warned", "sessions that only repeat the one before, five or more in a row", "session"),
    "missing_sessions": ("warned", "sessions of the calendar that are missing", "session"),
    "gaps": ("warned", "gaps far longer than the others", "gap"),
    "weekend_rows": ("warned", "rows on a Saturday or Sunday", "row"),
    "running": ("warned", "rows of a week or month that has one already, as where it is still running", "row"),
    "zero_volume": ("warned", "rows with a volume of zero", "row"),
    "future": ("refused", "rows in the future", "row"),
    "stray_close": ("refused", "a newest close far from the same row's high and low", "row"),
    "old_copy": ("warned", "an address that could not be reached, so that its last copy was read", "address"),
    "lost_columns": ("refused", "columns gone that a model was trained on", "column"),
    "shrunk": ("refused", "prices that begin later than those that a model was trained on", "session"),
    "corrected": ("refused", "sessions whose prices are not those that a model was trained on", "session"),
    "ticker": ("warned", "a ticker in the file that contradicts its name", "ticker"),
}


MEND = "mend the prices"
"""How the fix of every finding begins."""


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one file: how often, where first, and what was done about it.

    `dates` are all that it has, where it is refused.
    """

    kind: str
    verdict: Handling
    count: int
    first: date | None
    message: str
    dates: tuple[date, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON knows it."""
        first = self.first and self.first.isoformat()
        return {
            "kind": self.kind,
            "verdict": self.verdict,
            "count": self.count,
            "first": first,
            "message": self.message,
        }

    def left(self, accept: frozenset[str]) -> tuple[date, ...]:
        """Its dates that `accept` does not name one by one."""
        return tuple(day for day in self.dates if f"{self.kind}:{day}" not in accept)

    def is_taken(self, accept: frozenset[str]) -> bool:
        """Whether `accept` holds its kind, as `splits`, or each of its dates, as `splits:2020-08-31`."""
        return self.kind in accept or (bool(self.dates) and not self.left(accept))


def acceptable(faults: Iterable[str]) -> frozenset[str]:
    """The faults that the user accepts, each a kind or a kind with a date.

    Raises `UsageError` for one that is never refused.
    """
    refused = [kind for kind, (verdict, _, _) in KINDS.items() if verdict == "refused"]
    accepted = frozenset(faults)
    for fault in sorted(accepted):
        kind, colon, day = fault.partition(":")
        if kind in KINDS and kind not in refused:
            verdict, what, _ = KINDS[kind]
            done = "is only warned of" if verdict == "warned" else "is repaired"
            raise UsageError(f"--accept {kind}: this {done}, never refused ({what}).", f"leave --accept {kind} out.")
        if kind not in KINDS:
            from stockcast.config.refusal import nearest

            fix = f"use some of {', '.join(refused)}."
            raise UsageError(f"--accept {kind!r}: there is no such finding.{nearest(kind, refused)}", fix)
        if colon and not _is_date(day):
            fix = f"write the date of its row as in {kind}:2020-08-31, or leave it out to take all."
            raise UsageError(f"--accept {fault!r}: {day!r} is no date.", fix)
    return accepted


def _is_date(text: str) -> bool:
    try:
        return str(date.fromisoformat(text)) == text
    except ValueError:
        return False


def remembered(accept: frozenset[str], found: Iterable[Finding]) -> frozenset[str]:
    """What is kept of the faults that the user `accept`s now: those that were found, by their dates if they have any.

    Another one of the same kind is refused again.
    """
    kept: set[str] = set()
    for one in found:
        if one.verdict == "refused":
            faults = [f"{one.kind}:{day}" for day in one.dates] or [one.kind]
            kept.update(faults if one.kind in accept else accept.intersection(faults))
    return frozenset(kept)


def finding(kind: str, dates: Iterable[np.datetime64] = (), detail: str = "", count: int | None = None) -> Finding:
    """A finding of a known kind, at `dates`, or `count` times where it has no dates."""
    days = np.array(list(dates), dtype="datetime64[D]")
    number = days.size if count is None else count
    first = days.min().item() if days.size else None
    verdict, message = KINDS[kind][0], f"{_counted(kind, number, first)} {detail}".strip()
    return Finding(kind, verdict, number, first, message, tuple(days.tolist()) if verdict == "refused" else ())


def _counted(kind: str, number: int, first: date | None, where: str = "") -> str:
    """How often a kind was found, in which series, and when first."""
    _, what, unit = KINDS[kind]
    when = "" if first is None else f", on {first}" if number == 1 else f", the first on {first}"
    return f"{what}: {number:,} {unit}{'' if number == 1 else 's'}{where}{when}."


def merged(found: Iterable[tuple[str, Finding]]) -> tuple[Finding, ...]:
    """One finding a kind out of those of several series, by name: their counts added and some of the series named."""
    kinds: dict[str, list[tuple[str, Finding]]] = {}
    for name, one in found:
        kinds.setdefault(one.kind, []).append((name, one))
    return tuple(_sum(several) for several in kinds.values())


def _sum(several: list[tuple[str, Finding]]) -> Finding:
    name, one = several[0]
    if len(several) == 1:
        return one
    names = ", ".join(name for name, _ in several[:3]) + (", ..." if len(several) > 3 else "")
    first = min((each.first for _, each in several if each.first), default=None)
    count = sum(each.count for _, each in several)
    detail = one.message.removeprefix(_counted(one.kind, one.count, one.first)).strip()
    message = _counted(one.kind, count, first, f" in {len(several)} series ({names})")
    dates = tuple(sorted({day for _, each in several for day in each.dates}))
    return Finding(one.kind, one.verdict, count, first, f"{message} {name}: {detail}" if detail else message, dates)


def refusal(found: Iterable[Finding], accept: frozenset[str], where: str) -> DataError | None:
    """The error of the first finding that is refused and not accepted, or None."""
    for one in found:
        if one.verdict == "refused" and not one.is_taken(accept):
            left = one.left(accept)
            new = f" Of these not taken yet: {', '.join(map(str, left))}." if len(left) < len(one.dates) else ""
            return DataError(f"{where}: {one.message}{new}", f"{MEND}, or take them as they are: --accept {one.kind}.")
    return None


def refuse(found: Iterable[Finding], accept: frozenset[str], where: str) -> None:
    """Raise the `refusal`, if there is one."""
    error = refusal(found, accept, where)
    if error:
        raise error
