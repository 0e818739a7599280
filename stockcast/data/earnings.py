"""The earnings schedule: when reports are due again, as most companies report once a quarter, mostly on one weekday.

No file of prices says when a company reports. But the greatest abnormal move between two quiet halves of a quarter is
mostly its report, as prices then move with volume, and what came at that place in past quarters comes again in this one
(Beaver 1968, The information content of annual earnings announcements). All arrays are (rows,), and row t depends on
rows up to and with t.
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
"""The most that a report can stand out, in logs: twenty times the usual earnings proxy."""


def log_excess(proxy: Floats, usual: Floats) -> Floats:
    """The log of `proxy` above the `usual`, both non-negative and about 1 on most days."""
    return np.log((proxy + 0.1) / (usual + 0.1))


def trailing_max(values: Floats, sessions: int, first: int = 0) -> Floats:
    """The greatest of the last `sessions` values, which are not negative, of the rows from `first` on."""
    before = values[max(first - sessions + 1, 0) :]
    padded = np.concatenate([np.zeros(max(sessions - 1 - first, 0)), before])
    most, reach = padded, 1
    while reach < sessions:
        further = min(reach, sessions - reach)
        most, reach = np.maximum(most[further:], most[:-further]), reach + further
    return most


def report_heights(proxy: Floats, usual: Floats, first: int = 0) -> Floats:
    """How far the proxy of `HALF_QUARTER` sessions ago stood out, if none for as long before and since was greater.

    Else 0; of the rows from `first` on, (rows - first,). It takes that long to know.
    """
    begin = max(first, 2 * HALF_QUARTER)
    known = np.zeros(len(proxy) - first)
    if begin >= len(proxy):
        return known
    then = slice(begin - HALF_QUARTER, len(proxy) - HALF_QUARTER)
    height = np.clip(log_excess(proxy[then], usual[then]), 0.0, TALLEST)
    greatest = trailing_max(proxy, 2 * HALF_QUARTER + 1, begin)
    known[begin - first :] = np.where(proxy[then] == greatest, height, 0.0)
    return known


def earnings_schedule(
    dates: Dates, proxy: Floats, usual: Floats, first: int = 0, steps: int = SCHEDULE_STEPS
) -> Floats:
    """What the reports of past quarters say of the next sessions, (rows - first, steps).

    The session `step` ahead lies where the one `step` after the same weekday lay whole quarters ago. The heights of the
    reports in these places are summed, as far as they are known on each row.
    """
    rows = np.arange(first, len(dates))
    # of quarters, the rows on which a report one step ahead became known, (QUARTERS, rows - first)
    back = np.arange(1, QUARTERS + 1)[:, None] * np.timedelta64(QUARTER, "D")
    seen = np.searchsorted(dates, dates[first:] - back, side="right") + HALF_QUARTER
    begin = min(int(seen.min(initial=len(dates))), len(dates))
    known = np.concatenate([report_heights(proxy, usual, begin), np.zeros(steps)])
    steps_ahead = np.lib.stride_tricks.sliding_window_view(known, steps)
    total = np.zeros((len(rows), steps))
    for quarter, one in enumerate(seen, start=1):
        heights = steps_ahead[np.minimum(one, len(dates)) - begin]
        if (one + steps > rows + 1).any():
            heights = np.where(one[:, None] + np.arange(steps) <= rows[:, None], heights, 0.0)
        total += (2.0 if quarter <= QUARTERS // 2 else 1.0) * heights
    return total
