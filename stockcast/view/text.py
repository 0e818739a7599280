"""Plain tables: aligned columns that read the same on a terminal, in a pipe and in a mail from cron."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

UNKNOWN = "-"

FEW = 3
"""So many sentences of one kind are each said; of more, one stands for all."""


def some(names: Sequence[str], most: int = 12) -> str:
    """A list of names for a message, cut short."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def likewise(sentences: Mapping[str, str]) -> list[str]:
    """Sentences of one kind, by the name of what each is about: all of a few; of many the first, and for whom else."""
    if len(sentences) <= FEW:
        return list(sentences.values())
    (_, first), *others = sentences.items()
    return [f"{first} Likewise {len(others)} more: {some([name for name, _ in others], FEW)}."]


def number(value: float, digits: int) -> str:
    """A number with so many decimals, or a mark for one that isn't known."""
    return UNKNOWN if math.isnan(value) else f"{value:.{digits}f}"


def percent_text(share: float) -> str:
    """A share in percent, or a mark for one that isn't known."""
    return UNKNOWN if math.isnan(share) else f"{100 * share:.1f} %"


def ratio_text(loss: float, other: float) -> str:
    """How many times the `other` loss; a mark where that is zero, as the last price's is on prices that don't move."""
    return number(loss / other if other > 0 else math.nan, 3)


def error_text(error: float) -> str:
    """An error of a score table: four decimals, or three digits where these would hide it."""
    return number(error, 4) if math.isnan(error) or error >= 0.01 or error == 0 else f"{error:.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns as wide as their longest cell, the first `left` of them flush left and the others flush right."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "-" * max(len(line) for line in lines), *lines[1:]])


def printable(value: object) -> str:
    """One line of text from a file, with a ? for whatever could steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))
