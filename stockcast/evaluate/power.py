"""How many days it takes before silence means anything: the power of the tests behind the verdict's words.

docs/verdict.md has the table that these numbers come from; `python tools/verdict_power.py` makes it.
"""

from __future__ import annotations

FEW = 200
"""Separate days below which "no evidence" would say nothing: on as many, bands 10 points too narrow are found out in
four of five cases, and on fewer they mostly are not."""

FEW_OF_TAIL = 1200
"""The same for a value at risk at 1 % that returns fall below twice as often as they should; docs/risk.md has the
table of these two, and `python tools/risk_power.py` makes it."""

FEW_EXCEEDED = 12
"""Separate days with returns below the value at risk on which an expected shortfall that is a fifth too small is found
out in four of five cases."""

ENOUGH = 1000
"""Separate days on which bands that hold exactly what they promise are shown to do so in four of five cases."""


def separate_days(days: float, step: int) -> float:
    """How many separate days are worth as much as forecasts `step` steps ahead made on so many days in a row.

    They share part of their path, which for the bands of a random walk costs the factor (2 h^2 + 1) / (3 h).
    """
    return days * 3 * step / (2 * step**2 + 1)
