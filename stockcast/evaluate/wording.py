"""How numbers and steps are said in a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

_NUMBERS = ("one", "two", "three", "four", "five")


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[0].upper() + text[1:]


def count(number: int, noun: str) -> str:
    """A number in words, up to five, with its noun."""
    return f"{_number(number)} {noun}{'s' if number > 1 else ''}"


def ahead(steps: Sequence[int]) -> str:
    """Which steps, in rising order: "one step ahead", "two and five steps ahead", "two to five steps ahead"."""
    if len(steps) == 1:
        return f"{count(steps[0], 'step')} ahead"
    if len(steps) > 2 and steps[-1] - steps[0] == len(steps) - 1:
        return f"{_number(steps[0])} to {_number(steps[-1])} steps ahead"
    *before, last = (_number(step) for step in steps)
    return f"{', '.join(before)} and {last} steps ahead"


def above_or_below(share: float) -> str:
    """A share above or below another loss, such as "3.4 % below"."""
    if math.isnan(share):
        return "equal to"
    return f"{100 * abs(share):.1f} % {'above' if share > 0 else 'below'}"


def p_value(p: float) -> str:
    """A p value as readers know it, with digits enough to see on which side of 5 % it lies."""
    if math.isnan(p):
        return "not testable"
    if p < 0.001:
        return "p < 0.001"
    digits = 3 if p < 0.1 else 2
    while digits < 6 and (round(p, digits) < 0.05) != (p < 0.05):
        digits += 1
    return f"p = {p:.{digits}f}"


def interval(low: float, high: float) -> str:
    """Two shares in percent, such as "76.2 to 83.5 %"."""
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _number(number: int) -> str:
    return _NUMBERS[number - 1] if number <= len(_NUMBERS) else str(number)
