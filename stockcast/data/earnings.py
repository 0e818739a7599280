"""News of a series' own, and when it is due again: most companies report once a quarter, and mostly on one weekday.

No file of prices says when a company reports. But the greatest stir between two quiet halves of a quarter is mostly its
report, as prices then move with volume, and what came at that place in past quarters comes again in this one (Beaver
1968, The information content of annual earnings announcements). All arrays are (rows,), and row t depends on rows up
to and with t.
"""

from __future__ import annotations

import numpy as np

from stockcast.data.series import Dates, Floats

QUARTER = 91
"""In days: 13 weeks, so that it ends on the weekday on which it began."""

HALF_QUARTER = 31
"""In sessions."""

QUARTERS = 8
"""How many quarters back reports are looked for; those of the last year count twice."""

SCHEDULE_STEPS = 5
"""How many sessions ahead it is said what is due."""

TALLEST = 3.0
"""The most that a report can stand out, in logs: twenty times the usual news."""


def log_excess(earnings_proxy: Floats, usual: Floats) -> Floats:
    """The log of `earnings_proxy` above the `usual`, both non-negative and about 1 on most days."""
    return np.log((earnings_proxy + 0.1) / (usual + 0.1))


def trailing_max(values: Floats, sessions: int) -> Floats:
    """The greatest of the last `sessions` values, which are not negative."""
    padded = np.concatenate([np.zeros(sessions - 1), values])
    most: Floats = np.lib.stride_tricks.sliding_window_view(padded, sessions).max(axis=1)
    return most


def report_heights(earnings_proxy: Floats, usual: Floats) -> Floats:
    """How far the news of `HALF_QUARTER` sessions ago stood out, if none for as long before and since was greater.

    Else 0. It takes that long to know.
    """
    known = np.zeros(len(earnings_proxy))
    then = slice(HALF_QUARTER, max(len(earnings_proxy) - HALF_QUARTER, HALF_QUARTER))
    now = slice(2 * HALF_QUARTER, None)
    height = np.clip(log_excess(earnings_proxy[then], usual[then]), 0.0, TALLEST)
    known[now] = np.where(earnings_proxy[then] == trailing_max(earnings_proxy, 2 * HALF_QUARTER + 1)[now], height, 0.0)
    return known


def earnings_schedule(dates: Dates, known: Floats) -> Floats:
    """What the `report_heights` of past quarters, as `known` on each row, say of the next sessions, (rows, STEPS_DUE).

    The session `step` ahead lies where the one `step` after the same weekday lay whole quarters ago. The heights of the
    reports in these places are summed.
    """
    rows = np.arange(len(dates))[:, None]
    total = np.zeros((len(dates), SCHEDULE_STEPS))
    for quarters in range(1, QUARTERS + 1):
        then = dates - np.timedelta64(quarters * QUARTER, "D")
        first = np.searchsorted(dates, then, side="right")
        seen = first[:, None] + np.arange(SCHEDULE_STEPS) + HALF_QUARTER  # the row on which a report there became known
        weight = 2.0 if quarters <= QUARTERS // 2 else 1.0
        total += weight * np.where(seen <= rows, known[np.minimum(seen, rows)], 0.0)
    return total
