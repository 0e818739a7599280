"""Which sessions several series should have: those of the calendar that they follow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from stockcast.data.series import Dates, PriceSeries
from stockcast.data.trading_calendars import MONTHS, match_calendar, sessions_between

PERIODIC = ("weekly", *MONTHS)

_MATCHED = 1500
"""Newest dates by which a calendar is matched: more than four years of days."""


def followed_calendar(series: Sequence[PriceSeries]) -> str:
    """The calendar that the longest series follows."""
    return _calendar(max(series, key=len).dates[-_MATCHED:].tobytes())


def expected_sessions(series: Sequence[PriceSeries]) -> Dates | None:
    """The sessions of the calendar that the longest series follows, over the years of all of them.

    None for dates that lie weeks or months apart: there the checks look for gaps.
    """
    calendar = followed_calendar(series)
    if calendar in PERIODIC:
        return None
    years = [one.dates[[0, -1]].astype("datetime64[Y]") for one in series]
    return _sessions(calendar, str(min(year[0] for year in years)), str(max(year[1] for year in years)))


# The files of a folder mostly follow one calendar, and drawing one up takes longer than reading a file.
@lru_cache(maxsize=64)
def _calendar(days: bytes) -> str:
    return match_calendar(np.frombuffer(days, dtype="datetime64[D]"))


@lru_cache(maxsize=64)
def _sessions(calendar: str, first: str, last: str) -> Dates:
    """All sessions from the year `first` to the year `last`."""
    begin, end = np.datetime64(first, "D"), np.datetime64(last, "Y") + 1
    return sessions_between(calendar, begin, end.astype("datetime64[D]") - np.timedelta64(1, "D"))
