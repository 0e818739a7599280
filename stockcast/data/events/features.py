"""What events that are known to come say of the next sessions: how high their like have been, and how far off they are.

    KIND ahead h   the log of the height to expect h sessions ahead if an event is known to come there; else 0
    KIND recent    1 on the day of an event, halved every three sessions after it; 0 before the first
    KIND since     the same, halved every twenty

Row t depends on rows up to t and on events that are known on its date. How far ahead an event is is counted in the
sessions of a calendar, because the rows in between do not exist yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stockcast.data.earnings import QUARTER, QUARTERS, earnings_schedule
from stockcast.data.events.heights import PlacedEvents, expected_heights, past_heights, placed_events, pooled
from stockcast.data.events.records import REPORT
from stockcast.data.returns import ReturnSeries
from stockcast.data.series import Dates, Floats, Panel
from stockcast.data.session_list import SessionList

FARTHEST = 22
"""The most sessions ahead that have a column of their own."""

HALF_LIVES = {"recent": 3.0, "since": 20.0}

ELASTICITY = 0.85
"""The power of a height by which a session's scale grows: part of what stood out in past events was chance."""

WEIGHTS_OF_GUESS = 12.0
"""What the quarters that the earnings schedule sums weigh together."""

FORTNIGHT = np.timedelta64(14, "D")
"""So long before an event is due its date should be known."""

Ints = NDArray[np.int64]

_NAME = re.compile(r"(?P<kind>[a-z][\w-]*) (?:ahead \d+|recent|since)")
_NEVER = np.datetime64("9999-12-31", "D")


@dataclass(frozen=True)
class EventColumns:
    """What a series' n rows know of events, and what that makes of their forecasts' scale.

    - `values`: (n,) by the name of the feature;
    - `widening` (n, H): by how much the scale of the next 1 to H sessions' return grows; 1: not at all.
    """

    values: dict[str, Floats]
    widening: Floats


def event_feature_names(kinds: Iterable[str], horizon: int) -> tuple[str, ...]:
    """The columns for events of these kinds and forecasts of so many steps."""
    steps = [f"ahead {step}" for step in range(1, min(horizon, FARTHEST) + 1)]
    return tuple(f"{kind} {what}" for kind in kinds for what in (*steps, *HALF_LIVES))


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds of event that some of the features are of."""
    found = (_NAME.fullmatch(name) for name in names)
    return tuple(dict.fromkeys(one["kind"] for one in found if one))


def event_columns(
    panel: Sequence[ReturnSeries], kinds: Sequence[str], sessions: SessionList, firsts: Sequence[int], horizon: int
) -> list[EventColumns]:
    """What each series' rows from its number in `firsts` on know of events of these kinds.

    `sessions` are to hold as many as the horizon after the last row.
    """
    values: list[dict[str, Floats]] = [{} for _ in panel]
    highest = [np.zeros((len(one) - first, horizon)) for one, first in zip(panel, firsts, strict=True)]
    for kind in kinds:
        every = [
            EventRows(placed_events(one.series.events, kind, sessions), one.series.dates[first:])
            for one, first in zip(panel, firsts, strict=True)
        ]
        ahead = _known_ahead(panel, every, horizon)
        if kind == REPORT:
            ahead = [np.maximum(*both) for both in zip(ahead, map(_guess, panel, every, firsts, ahead), strict=True)]
        names = event_feature_names([kind], horizon)
        for index, (rows, logs) in enumerate(zip(every, ahead, strict=True)):
            values[index] |= dict(zip(names, [*logs[:, :FARTHEST].T, *rows.decays()], strict=True))
            np.maximum(highest[index], logs, out=highest[index])
    return [EventColumns(one, _widening(logs)) for one, logs in zip(values, highest, strict=True)]


def _widening(logs: Floats) -> Floats:
    """The scale of the return over 1 to H sessions, (n, H), where single ones stand out by `logs`: variances add up."""
    variances = np.exp(2 * ELASTICITY * logs)
    scale: Floats = np.sqrt(np.cumsum(variances, axis=1) / np.arange(1, logs.shape[1] + 1))
    return scale


def _known_ahead(panel: Sequence[ReturnSeries], every: Sequence[EventRows], horizon: int) -> list[Floats]:
    """The logs of the heights to expect on each of the next sessions, 0 where no event is known, (n, H) of each series.

    Those of which somebody says when they come in a day have one session that answers, others two that may.
    """
    ahead = [np.zeros((len(rows.dates), horizon)) for rows in every]
    for timed in (False, True):
        chosen = [replace(rows, placed=rows.placed.only(timed)) for rows in every]
        if not any(len(rows.placed) for rows in chosen):
            continue
        past = [past_heights(one, rows.placed, timed) for one, rows in zip(panel, every, strict=True)]
        of_all = pooled(past)
        for logs, one, rows, own in zip(ahead, panel, chosen, past, strict=True):
            heights = expected_heights(own, of_all, rows.dates, one.volatility[len(one) - len(rows.dates) :])
            np.maximum(logs, rows.ahead(np.log(heights), horizon), out=logs)
    return ahead


def _guess(one: ReturnSeries, rows: EventRows, first: int, like: Floats) -> Floats:
    """What past quarters say of each of the next sessions, in logs, where no date says it; else 0. (n, H) as `like`."""
    unsaid = rows.unsaid()
    if not unsaid.any():
        return np.zeros_like(like)
    of = replace(one)  # a copy: what the schedule is made of goes with it
    proxies = of.earnings_proxy, of.usual_earnings_proxy
    due = earnings_schedule(of.series.dates, *proxies, first, like.shape[1]) / WEIGHTS_OF_GUESS
    return np.where(unsaid[:, None], due, 0.0)


@dataclass(frozen=True)
class EventRows:
    """The events of one kind of a series, seen from n of its rows, by their `dates` (n,)."""

    placed: PlacedEvents
    dates: Dates

    @cached_property
    def next_session(self) -> Ints:
        """The number of the session after each row, (n,)."""
        return np.searchsorted(self.placed.sessions.listed, self.dates, side="right")

    @cached_property
    def _come(self) -> tuple[Ints, Ints]:
        """The events in the order in which they come, and how many have come by each row, (n,)."""
        came = self.placed.came
        order = np.argsort(came, kind="stable")
        return order, np.searchsorted(came[order], self.dates, side="right")

    def ahead(self, logs: Floats, horizon: int) -> Floats:
        """Which of the next sessions known events lie on, (n, H): 0, or what is the most in `logs` (n, 2) there.

        These are of the session on which the price can first answer, and of the one after.
        """
        known = np.full(len(self.placed.sessions.listed) + 2, _NEVER)  # from which date on an event on a session is
        np.minimum.at(known, self.placed.base, self.placed.events.known)
        session = self.next_session[:, None] + np.arange(horizon)
        ahead = np.zeros(session.shape)
        for place, one in enumerate(logs.T):
            there = known[session - place] <= self.dates[:, None]
            ahead = np.maximum(ahead, np.where(there, one[:, None], 0.0))
        return ahead

    def decays(self) -> list[Floats]:
        """How near the last event is that has come, by each of the half-lives, (n,) each; 0 before the first."""
        if not len(self.placed):
            return [np.zeros(len(self.dates)) for _ in HALF_LIVES]
        order, number = self._come
        latest = np.maximum.accumulate(self.placed.base[order])[np.maximum(number - 1, 0)]
        since = np.maximum(self.next_session - 1 - latest, 0)
        return [np.where(number > 0, 0.5 ** (since / half), 0.0) for half in HALF_LIVES.values()]

    def unsaid(self) -> NDArray[np.bool_]:
        """Whether nothing says when the next event comes: none is known, and the last one is as long ago as usual.

        That is so where a series has no dates at all, and where a file has ended. (n,)
        """
        if not len(self.placed):
            return np.ones(len(self.dates), dtype=bool)
        order, number = self._come
        came, known = self.placed.came[order], self.placed.events.known[order]
        soonest = np.append(
            np.minimum.accumulate(known[::-1])[::-1], _NEVER
        )  # that any from each on is known, (n + 1,)
        said = soonest[number] <= self.dates
        last = np.maximum(number - 1, 0)
        back = np.minimum(last, QUARTERS)
        usual = (came[last] - came[last - back]).astype(np.int64) // np.maximum(back, 1)
        due = came[last] + np.where(back > 0, usual, QUARTER) - FORTNIGHT
        overdue: NDArray[np.bool_] = (number == 0) | (self.dates > due)
        return ~said & overdue


@dataclass(frozen=True)
class UnsaidEvents:
    """A kind of event of which nothing says when it comes to a series next; `last`: the last that is known, if any."""

    series: str
    kind: str
    last: np.datetime64 | None


def unsaid_events(panel: Panel, names: Iterable[str], sessions: SessionList | None) -> list[UnsaidEvents]:
    """What a model with the features `names` expects to hear and is not told, after the newest row of each series.

    That a series has no event at all is only worth a word of reports, which come to everybody.
    """
    if sessions is None:
        return []
    unsaid = []
    for kind in kinds_of(names):
        for one in panel.series:
            events = placed_events(one.events, kind, sessions)
            if (len(events) or kind == REPORT) and EventRows(events, one.dates[-1:]).unsaid().all():
                unsaid.append(UnsaidEvents(one.name, kind, events.events.dates[-1] if len(events) else None))
    return unsaid
