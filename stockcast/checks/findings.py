"""What can be wrong with a file or its prices: every kind with its verdict, what is said of it, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from stockcast.errors import DataError, UsageError

Handling = Literal["repaired", "warned", "refused"]

# Verdict, what it is, and what is counted. What is refused is taken with --accept KIND.
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
    "zero_volume": ("warned", "rows with a volume of zero", "row"),
    "future": ("warned", "rows in the future", "row"),
    "ticker": ("warned", "a ticker in the file that contradicts its name", "ticker"),
}


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one file: how often, where first, and what was done about it."""

    kind: str
    verdict: Handling
    count: int
    first: date | None
    message: str


def acceptable(kinds: Iterable[str]) -> frozenset[str]:
    """The kinds that the user accepts. Raises `UsageError` for one that is never refused."""
    refused = [kind for kind, (verdict, _, _) in KINDS.items() if verdict == "refused"]
    accepted = frozenset(kinds)
    unknown = sorted(accepted - set(refused))
    if unknown:
        raise UsageError(f"--accept {unknown[0]!r}: there is no such refusal.", f"use one of {', '.join(refused)}.")
    return accepted


def finding(kind: str, dates: Iterable[np.datetime64] = (), detail: str = "", count: int | None = None) -> Finding:
    """A finding of a known kind, at `dates`, or `count` times where it has no dates."""
    days = np.array(list(dates), dtype="datetime64[D]")
    number = days.size if count is None else count
    first = days.min().item() if days.size else None
    return Finding(kind, KINDS[kind][0], number, first, f"{_counted(kind, number, first)} {detail}".strip())


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
    return Finding(one.kind, one.verdict, count, first, f"{message} {name}: {detail}" if detail else message)


def refusal(found: Iterable[Finding], accept: frozenset[str], where: str) -> DataError | None:
    """The error of the first finding that is refused and not accepted, or None."""
    for one in found:
        if one.verdict == "refused" and one.kind not in accept:
            return DataError(
                f"{where}: {one.message}", f"mend the prices, or take them as they are: --accept {one.kind}."
            )
    return None


def refuse(found: Iterable[Finding], accept: frozenset[str], where: str) -> None:
    """Raise the `refusal`, if there is one."""
    error = refusal(found, accept, where)
    if error:
        raise error
