"""The years of an exchange, as the package exchange_calendars draws them up."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from stockcast.data.series import Dates
from stockcast.errors import ConfigError

_DAY = np.timedelta64(1, "D")
# The range of years in which an exchange without bounds of its own is drawn up; pandas' nanoseconds end in 2262.
_FIRST, _LAST = np.datetime64("1885-01-01"), np.datetime64("2200-01-01")


def exchange_sessions(name: str, first: np.datetime64, last: np.datetime64) -> Dates:
    """An exchange's sessions from `first` to `last`, as far as they are known."""
    drawn = whole_years(name, first, last)
    if drawn is None:
        return np.array([], dtype="datetime64[D]")
    sessions: Dates = drawn.sessions.to_numpy().astype("datetime64[D]")
    return sessions[(sessions >= first) & (sessions <= last)]


def whole_years(name: str, first: np.datetime64, last: np.datetime64) -> Any:
    """An exchange's calendar for the years that `first` to `last` lie in, as far as they are known; None: not at all.

    Whole years, because the package refuses a range without a session.
    """
    first_known, last_known = known_bounds(name)
    first, last = max(first, first_known), min(last, last_known)
    if first > last:
        return None
    start = max(first.astype("datetime64[Y]").astype("datetime64[D]"), first_known)
    end = min((last.astype("datetime64[Y]") + 1).astype("datetime64[D]") - _DAY, last_known)
    return _draw_up(name, start, end)


@lru_cache(maxsize=32)
def known_bounds(name: str) -> tuple[np.datetime64, np.datetime64]:
    """The first and the last date that the package knows an exchange's sessions for."""
    # Bounds belong to the calendar's class, which the package hands out only with a range: any month will do.
    kind = type(_draw_up(name, np.datetime64("2025-06-01"), np.datetime64("2025-06-30")))
    least, most = kind.bound_min(), kind.bound_max()
    first = _FIRST if least is None else np.datetime64(least, "D")
    last = _LAST if most is None else np.datetime64(most, "D")
    return first, last


@lru_cache(maxsize=8)
def _draw_up(name: str, first: np.datetime64, last: np.datetime64) -> Any:
    from exchange_calendars import get_calendar  # type: ignore[import-untyped]  # it has no types

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the package's own use of pandas
            return get_calendar(name, start=str(first), end=str(last))
    except (ValueError, NotImplementedError) as error:  # a few of the package's calendars contradict themselves
        raise ConfigError(
            f"exchange_calendars can't draw up {name} from {first} to {last}: {str(error)[:100].rstrip('.')}.",
            "choose another calendar: --set data.calendar=weekdays",
        ) from error
