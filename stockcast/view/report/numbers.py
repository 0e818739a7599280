"""Numbers as the cells of a page's tables show them; a mark stands for one that isn't known."""

from __future__ import annotations

import math

from markupsafe import Markup

from stockcast.evaluate.wording import p_value
from stockcast.view.text import UNKNOWN, number, percent_text

Known = float | None
"""A number of a manifest, where None is one that isn't known."""


def percent(share: Known) -> str:
    """A share in percent."""
    return UNKNOWN if share is None else percent_text(share)


def signed(share: Known, digits: int = 1) -> str:
    """A change in percent, with its sign."""
    if share is None or math.isnan(share):
        return UNKNOWN
    return f"{100 * share:+.{digits}f} %".replace("-", "\N{MINUS SIGN}")


def plain(value: Known, digits: int) -> str:
    """A number with so many decimals."""
    return UNKNOWN if value is None else number(value, digits)


def ratio(loss: Known, other: Known) -> str:
    """A loss in units of another."""
    return plain(None if loss is None or not other else loss / other, 3)


def p_cell(p: Known) -> str:
    """A p value below its own heading."""
    return UNKNOWN if p is None or math.isnan(p) else p_value(p).removeprefix("p = ").removeprefix("p ")


def band_bar(low: float, high: float, reach: float) -> Markup:
    """A band of moves around the last price as a bar; `reach` is the move at either end of its row, greater than zero.

    The numbers stand in text beside it, so that it says nothing to a screen reader.
    """
    left, right = (50 + 50 * max(-1.0, min(1.0, move / reach)) for move in (low, high))
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><path d="M50 0V8"/>'
        '<rect x="{:.1f}" width="{:.1f}" y="2" height="4"/></svg>'
    ).format(left, max(right - left, 0.5))
