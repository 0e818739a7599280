"""Which columns of numbers can be open, high, low and close of the same sessions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stockcast.data.series import Dates, Floats

MOST = 0.99
SLACK = 1e-6
"""Relative rounding that is no contradiction."""


def open_high_low_close(columns: Mapping[int, Floats], dates: Dates) -> dict[str, int] | None:
    """The first four neighbouring columns that can be open, high, low and close, or None.

    The highest and lowest are seen from each row. Between them in second and third place, the others are open and close
    as everywhere; else the open is the one that lies nearer to the other one of the session before.
    """
    order = np.argsort(dates, kind="stable")
    indices = list(columns)
    for start in range(len(indices) - 3):
        four = indices[start : start + 4]
        table = np.stack([columns[index][order] for index in four])  # (4, rows)
        table = table[:, ~np.isnan(table).any(axis=0)]
        found = _ordered(table) if table.shape[1] >= 5 else None
        if found:
            return {role: four[place] for role, place in found.items()}
    return None


def _ordered(table: Floats) -> dict[str, int] | None:
    top = [place for place in range(4) if np.mean(table[place] >= table.max(axis=0) * (1 - SLACK)) >= MOST]
    bottom = [place for place in range(4) if np.mean(table[place] <= table.min(axis=0) * (1 + SLACK)) >= MOST]
    if len(top) != 1 or len(bottom) != 1 or (table <= 0).any():
        return None
    first, second = (place for place in range(4) if place not in (top[0], bottom[0]))
    if (first, top[0], bottom[0], second) == (0, 1, 2, 3):
        return {"open": 0, "high": 1, "low": 2, "close": 3}
    logs = np.log(table)
    ahead = np.abs(logs[first, 1:] - logs[second, :-1]).mean()
    behind = np.abs(logs[second, 1:] - logs[first, :-1]).mean()
    if min(ahead, behind) > 0.9 * max(ahead, behind):
        return None
    opening, closing = (first, second) if ahead < behind else (second, first)
    return {"open": opening, "high": top[0], "low": bottom[0], "close": closing}
