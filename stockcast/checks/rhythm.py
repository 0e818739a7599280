"""Whether dates come as prices' dates do: each once, in order, in the rhythm of days, weeks, months or years."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from stockcast.data.series import Dates

MOST = 0.95
_RHYTHMS = ((1, 4), (6, 8), (27, 32), (89, 93), (364, 367))
"""Days from one date to the next: daily over weekends, weekly, monthly, quarterly, yearly."""


def by_ticker(dates: Dates, tickers: Sequence[str] | None) -> Iterator[Dates]:
    """The dates of each series, in the file's order."""
    if tickers is None:
        yield dates
        return
    _, group = np.unique(np.array(tickers), return_inverse=True)
    order = np.argsort(group, kind="stable")
    yield from np.split(dates[order], np.flatnonzero(np.diff(group[order])) + 1)


def is_steady(dates: Dates) -> bool:
    """Whether the dates only rise or only fall."""
    steps = np.diff(dates).astype(np.int64)
    return bool((steps > 0).all() or (steps < 0).all())


def is_regular(dates: Dates) -> bool:
    """Whether almost all steps between the sorted dates fit one rhythm, and none is ten times as long."""
    steps = np.diff(np.unique(dates)).astype(np.int64)
    if steps.size == 0:
        return True
    return any(
        np.mean((steps >= least) & (steps <= most)) >= MOST and steps.max() <= 10 * most for least, most in _RHYTHMS
    )
