"""How much prices moved on the days of events, against what they usually do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.data.events.records import AFTER, UNTIMED, Events
from stockcast.data.series import Floats, PriceSeries

YEAR = 250
"""In sessions: what is usual is the mean of so many before."""

FEWEST = 20
"""Sessions below which nothing is usual yet."""

WEEK = np.timedelta64(7, "D")
"""An event in a longer gap between rows moves none of them."""


@dataclass(frozen=True)
class KindMoves:
    """One kind of events: how many there are, on how many series, from when to when, and how prices moved then.

    `median` and `mean` are of the move on each of `days` past days against the series' usual one; NaN of none.
    """

    kind: str
    events: int
    series: int
    first: np.datetime64
    last: np.datetime64
    days: int
    median: float
    mean: float


def event_moves(events: Events, panel: Sequence[PriceSeries]) -> tuple[KindMoves, ...]:
    """Each kind in `events`, by the closes of series that have those that concern them."""
    return tuple(_of_kind(str(kind), events, panel) for kind in np.unique(events.kinds))


def _of_kind(kind: str, events: Events, panel: Sequence[PriceSeries]) -> KindMoves:
    mine = events.take(events.kinds == kind)
    each = [one.events.take(one.events.kinds == kind) for one in panel]
    against = np.concatenate([np.zeros(0), *(_against_usual(one, own) for one, own in zip(panel, each, strict=True))])
    found = (float(np.median(against)), float(np.mean(against))) if len(against) else (np.nan, np.nan)
    concerned = sum(len(own) > 0 for own in each)
    return KindMoves(kind, len(mine), concerned, mine.dates[0], mine.dates[-1], len(against), *found)


def _against_usual(one: PriceSeries, own: Events) -> Floats:
    """The size of the move on each event's session, or on both that may answer, over the mean of such moves before."""
    logs = np.log(one.columns["close"])
    moves = []
    for date, when in zip(own.dates, own.when, strict=True):
        row = int(np.searchsorted(one.dates, date, side="right" if when == AFTER else "left"))
        span = 2 if when == UNTIMED else 1
        if row <= FEWEST or row + span > len(one) or one.dates[row] - date > WEEK:
            continue
        usual = np.abs(logs[span:row] - logs[: row - span])[-YEAR:].mean()
        if usual > 0:
            moves.append(abs(logs[row + span - 1] - logs[row - 1]) / usual)
    return np.array(moves)
