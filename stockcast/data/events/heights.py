"""How high events have been: what a price did on the day of one, and on the day after, against what it usually does.

A height is the earnings proxy of a session over its usual level; of what concerns all series, where the others' moves
are no reason to subtract them, it is the abnormal move. Its size, the height times the volatility before it, is what
comes again: a report moves a price by as many percent in calm times as in wild ones, and stands out less in these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stockcast.data.events.records import AFTER, UNTIMED, Events
from stockcast.data.returns import ReturnSeries
from stockcast.data.series import Dates, Floats
from stockcast.data.session_list import SessionList

Ints = NDArray[np.int64]

TALLEST = 15.0
"""The most that a height counts for."""

RECENT = 20
"""How many of a series' last events count: five years of reports."""

PRIOR = 1.5
"""The height of an event of which nothing is known yet."""

WEIGHT_OF_PRIOR = 2.0
"""How many events that weighs in the mean of all series, and this mean in that of one."""

WEEK = np.timedelta64(7, "D")
"""Of an event in a longer gap between a series' rows nothing is learned."""


@dataclass(frozen=True)
class PlacedEvents:
    """n events of one series and one kind, and where they stand among `sessions`."""

    events: Events
    sessions: SessionList

    def __len__(self) -> int:
        return len(self.events)

    @cached_property
    def base(self) -> Ints:
        """The number of the session on which the price can first answer to each, (n,); beyond the list, its length.

        To those of which nobody says when they come in a day it may answer on the next session, too.
        """
        dates, listed = self.events.dates, self.sessions.listed
        same, next_one = np.searchsorted(listed, dates), np.searchsorted(listed, dates, side="right")
        return np.where(self.events.when == AFTER, next_one, same)

    @cached_property
    def came(self) -> Dates:
        """On which date's close each has come and is known, (n,)."""
        listed = self.sessions.listed
        day = np.where(self.base < len(listed), listed[np.minimum(self.base, len(listed) - 1)], self.events.dates)
        return np.maximum(day, self.events.known)

    @property
    def timed(self) -> NDArray[np.bool_]:
        """Of which somebody says when they come in a day, (n,)."""
        timed: NDArray[np.bool_] = self.events.when != UNTIMED
        return timed

    def only(self, timed: bool) -> PlacedEvents:
        """Those of which somebody says when they come in a day, or the others."""
        return replace(self, events=self.events.take(self.timed == timed))

    def untimed(self) -> PlacedEvents:
        """The same as if nobody said it of any."""
        return replace(self, events=replace(self.events, when=np.full_like(self.events.when, UNTIMED)))


def placed_events(events: Events, kind: str, sessions: SessionList) -> PlacedEvents:
    """The events of one kind among `sessions`, but for those before the first."""
    return PlacedEvents(events.take((events.kinds == kind) & (events.dates >= sessions.listed[0])), sessions)


@dataclass(frozen=True)
class Heights:
    """How high m past events were, in the order in which that became known.

    - `complete` (m,): the date on which it did;
    - `heights` (m, 2): of the session that could first answer and of the one after;
    - `volatility` (m,): the EWMA's before both.
    """

    complete: Dates
    heights: Floats
    volatility: Floats

    def known_by(self, dates: Dates) -> Ints:
        """How many are known on each of the dates, (n,)."""
        return np.searchsorted(self.complete, dates, side="right")


def past_heights(one: ReturnSeries, placed: PlacedEvents, timed: bool) -> Heights:
    """The heights of a series' events, as they are to be compared with others that are `timed`, or are not.

    Of an event that is not itself, the session that stood out more is then taken for the one that answered. An event
    without a session of its own, or with none after it, has no height.
    """
    placed = placed if timed else placed.untimed()
    if not len(placed):
        return Heights(placed.came, np.zeros((0, 2)), np.zeros(0))
    rows = replace(one)  # a copy: what heights are made of goes with it
    dates, events = rows.series.dates, placed.events
    listed = placed.sessions.listed
    base = listed[np.minimum(placed.base, len(listed) - 1)]
    row = np.minimum(np.searchsorted(dates, base), len(dates) - 1)
    after, before = np.minimum(row + 1, len(dates) - 1), np.maximum(row - 1, 0)
    of_all = (events.series == "")[:, None]
    both = np.column_stack([row, after])
    heights = np.where(
        of_all,
        _ratio(rows.abnormal_move, rows.usual_abnormal_move)[both],
        _ratio(rows.earnings_proxy, rows.usual_earnings_proxy)[both],
    )
    if timed:
        heights = np.where(placed.timed[:, None], heights, -np.sort(-heights, axis=1))
    volatility = rows.volatility[before]
    there = (placed.base < len(listed)) & (dates[row] >= base) & (dates[row] < base + WEEK)
    there &= (after > row) & (before < row)
    there &= np.isfinite(heights).all(axis=1) & np.isfinite(volatility)
    complete = np.maximum(dates[after], events.known)
    kept = np.flatnonzero(there)
    kept = kept[np.argsort(complete[kept], kind="stable")]
    return Heights(complete[kept], heights[kept], volatility[kept])


def _ratio(move: Floats, usual: Floats) -> Floats:
    """Heights, (rows,); NaN where nothing is usual yet."""
    ratio = np.divide(move, usual, out=np.full(len(move), np.nan), where=usual > 0)
    capped: Floats = np.minimum(ratio, TALLEST)
    return capped


def pooled(every: Sequence[Heights]) -> Heights:
    """The heights of all series as one."""
    complete = np.concatenate([one.complete for one in every])
    order = np.argsort(complete, kind="stable")
    heights = np.concatenate([one.heights for one in every])[order]
    return Heights(complete[order], heights, np.concatenate([one.volatility for one in every])[order])


def expected_heights(own: Heights, of_all: Heights, dates: Dates, volatility: Floats) -> Floats:
    """The heights to expect of the next event on its session and on the one after, as known on each date, (n, 2).

    The mean size of a series' own last events in units of its `volatility` (n,), shrunk towards the mean height of all
    series', and that towards `PRIOR`.
    """
    everybody = of_all.known_by(dates)
    sums = _sums(of_all.heights)[everybody]
    prior = (sums + WEIGHT_OF_PRIOR * PRIOR) / (everybody + WEIGHT_OF_PRIOR)[:, None]
    number = own.known_by(dates)
    counted = np.minimum(number, RECENT)
    sizes = _sums(own.heights * own.volatility[:, None])
    recent = (sizes[number] - sizes[number - counted]) / volatility[:, None]
    expected: Floats = (recent + WEIGHT_OF_PRIOR * prior) / (counted + WEIGHT_OF_PRIOR)[:, None]
    return expected


def _sums(values: Floats) -> Floats:
    """The sums of the first 0 to m of `values` (m, 2), (m + 1, 2)."""
    return np.concatenate([np.zeros((1, 2)), np.cumsum(values, axis=0)])
