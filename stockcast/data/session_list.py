"""The sessions that a model counts by: what lies how many sessions ahead is asked of a calendar, not of later rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stockcast.data.series import Dates, PriceSeries
from stockcast.data.trading_calendars import (
    MONTHS,
    check_calendar,
    match_calendar,
    next_sessions,
    sessions_between,
)
from stockcast.errors import DataError

AHEAD = 250
"""How many sessions are listed after the last one that is asked for."""

MARGIN = np.timedelta64(400, "D")
"""Days that hold as many, on most exchanges."""


@dataclass(frozen=True)
class SessionList:
    """The sessions of a calendar, `listed` one after another (n,).

    A saved model keeps its list: a forecast must not depend on what a later version of a calendar says.
    """

    calendar: str
    listed: Dates

    def covering(self, date: np.datetime64, count: int) -> SessionList:
        """This list, made longer by its calendar where it has not `count` sessions after `date`."""
        last = self.listed[-1]
        if len(self.listed) - int(np.searchsorted(self.listed, date, side="right")) >= count:
            return self
        missing = max(int((date - last).astype(np.int64)), 0)
        later = next_sessions(self.calendar, last, missing + max(count, AHEAD))
        return replace(self, listed=np.concatenate([self.listed, later]))

    def to_dict(self) -> dict[str, Any]:
        """As a saved model keeps it."""
        return {"calendar": self.calendar, "listed": [str(day) for day in self.listed]}

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> SessionList:
        """The inverse of `to_dict`. Raises `ValueError`, `KeyError` or `TypeError` for what is no list of sessions."""
        listed = np.array(kept["listed"], dtype="datetime64[D]")
        if listed.ndim != 1 or not len(listed) or not (np.diff(listed) > np.timedelta64(0, "D")).all():
            raise ValueError("sessions follow one another")
        return cls(str(kept["calendar"]), listed)


def session_list(series: Sequence[PriceSeries], calendar: str, until: np.datetime64) -> SessionList:
    """The sessions from the first date of `series` to `until` and `AHEAD` more.

    They are those of the calendar that is named or, of "auto", of the one that the dates of `series` follow. Raises
    `DataError` if their rows lie more than a day apart: no session is a day's then.
    """
    newest = max(series, key=lambda one: (one.dates[-1], len(one)))
    name = match_calendar(newest.dates) if calendar == "auto" else check_calendar(calendar)
    if name == "weekly" or name in MONTHS:
        raise DataError(f"events are placed on days, but the prices are {name}.", "leave out --events.")
    first, last = min(one.dates[0] for one in series), until + MARGIN
    known = sessions_between(name, first, last)
    # Before an exchange's sessions are known weekdays stand in, as they do after.
    begin = known[0] if len(known) else last
    early = np.arange(first, begin)
    listed = np.concatenate([early[np.is_busday(early)], known])
    return SessionList(name, listed).covering(until, AHEAD)
