"""Frames and pages of notebooks: the only module that imports pandas, when the first frame is made."""

from __future__ import annotations

import html
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stockcast.api.columns import Columns

if TYPE_CHECKING:
    from pandas import DataFrame

LOG = logging.getLogger("stockcast")
"""Where goes what there is to say beside a result. Whoever wants to hear it sets it up."""

_IN_SHORT = ("step", "model", "days", "rmse", "rmse_percent", "pinball", "held_80", "held_95")


def frame_of(columns: Columns) -> DataFrame:
    """Columns as a frame; dates become datetime64."""
    import pandas as pd

    return pd.DataFrame(columns)


def in_short(scores: DataFrame) -> DataFrame:
    """The scores that a page has room for."""
    known = [column for column in _IN_SHORT if column in scores and scores[column].notna().any()]
    return scores[known]


def page(title: str, lines: Sequence[str], table: DataFrame) -> str:
    """What a notebook shows: a title, a paragraph for each line, and a table."""
    told = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    return f"<h4>{html.escape(title)}</h4>{told}{table.to_html(index=False, float_format=_short)}"


def _short(number: float) -> str:
    """Counts whole, and of anything else six digits."""
    return f"{number:,.0f}" if number == round(number) else f"{number:.6g}"
