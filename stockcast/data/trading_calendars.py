"""Trading sessions: which calendar a file's dates follow, and which sessions come next.

A calendar is a name. The regular ones are stepped here; every other name is an exchange of the package
exchange_calendars, which takes half a second to import and is imported only when an exchange is asked about.
Nothing here reads the clock: the answer depends on the arguments alone.
"""

from __future__ import annotations

import difflib
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stockcast.data.series import Dates
from stockcast.errors import ConfigError, DataError

MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
REGULAR = ("24/7", "weekdays", "weekly", *MONTHS)

# What weekdays are compared with. Exchanges that differ by a session a year or less stand in one group and are compared
# with each other; those that don't differ at all stand here once: XPAR is also Amsterdam, Brussels and Lisbon.
_GROUPS = (
    *(("XNYS",), ("weekdays",), ("XLON",), ("XTKS",), ("XETR", "XPAR", "XSWX", "XMIL", "XMAD"), ("XHKG",), ("XSHG",)),
    *(("XBOM",), ("XTSE",), ("XASX",), ("XIST",), ("BVMF",), ("XSTO",), ("XSES",), ("XTAI",), ("XKRX",)),
)

_RECENT = np.timedelta64(4 * 365, "D")
_DAY = np.timedelta64(1, "D")
# The range of years in which an exchange without bounds of its own is drawn up; pandas' nanoseconds end in 2262.
_FIRST, _LAST = np.datetime64("1885-01-01"), np.datetime64("2200-01-01")


def match_calendar(dates: Dates) -> str:
    """The calendar that `dates` follow, by their last four years.

    Dates that mostly lie more than a day apart are weekly, monthly, quarterly or yearly. Dates with weekends among them
    follow 24/7. All others follow the exchange, or the plain weekdays, with the fewest sessions missing from them or
    added to them: "weekdays" also if even that calendar differs on more than a tenth of the dates.
    """
    days = np.unique(np.asarray(dates, dtype="datetime64[D]"))
    return _period(days) or _nearest_calendar(days[days > days[-1] - _RECENT])


def check_calendar(name: str) -> str:
    """The canonical name of a calendar: "NYSE" is XNYS. Raises `ConfigError` for an unknown one."""
    if name in REGULAR:
        return name
    from exchange_calendars import get_calendar_names, resolve_alias  # type: ignore[import-untyped]  # it has no types

    names: list[str] = get_calendar_names(include_aliases=True)
    if name not in names:
        spelled = {each.lower(): each for each in ("auto", *REGULAR, *names)}
        near = difflib.get_close_matches(name.lower(), spelled, n=1)
        hint = f" Did you mean {spelled[near[0]]!r}?" if near else ""
        raise ConfigError(
            f"there is no trading calendar {name!r}.{hint}",
            f"use auto, {', '.join(REGULAR)}, or an exchange such as XNYS or XLON.",
        )
    return str(resolve_alias(name))


def next_sessions(calendar: str, known: ArrayLike, count: int) -> Dates:
    """The `count` sessions that follow `known`: the last known date, or the last several of them, oldest first.

    Weekly dates keep the weekday that `known` has most often. Monthly, quarterly and yearly dates keep the rule that
    fits `known` most often: the month's last day, the same day, the last weekday, or the first. Where an exchange's
    calendar isn't known, weekdays stand in for it: see `doubt`. Raises `ConfigError` if it can't be drawn up at all.
    """
    days = np.atleast_1d(np.asarray(known, dtype="datetime64[D]"))
    last: np.datetime64 = days[-1]
    if calendar == "24/7":
        return last + np.arange(1, count + 1)
    if calendar == "weekdays":
        return _weekdays(last, count)
    if calendar == "weekly":
        return _weeks(days[-52:], count)
    if calendar in MONTHS:
        return _months(days[-24:], count, MONTHS[calendar])
    return _next_of_exchange(calendar, last, count)


def sessions_between(calendar: str, first: np.datetime64, last: np.datetime64) -> Dates:
    """Every session from `first` to `last`, both included; of an exchange only those within its known years."""
    first, last = first.astype("datetime64[D]"), last.astype("datetime64[D]")
    if calendar not in REGULAR:
        return _exchange(calendar, first, last)
    days = int((last - first) // _DAY) + 1
    if calendar in ("24/7", "weekdays"):
        sessions = next_sessions(calendar, first - _DAY, days)
    else:
        sessions = np.append(first, next_sessions(calendar, first, days))
    return sessions[sessions <= last]


def doubt(calendar: str, dates: Dates) -> str | None:
    """A sentence if some of `dates` lie outside the years that the calendar is known for, else None."""
    if calendar in REGULAR:
        return None
    first, last = _bounds(calendar)
    outside = int(np.count_nonzero((dates < first) | (dates > last)))
    if not outside:
        return None
    return (
        f"the calendar {calendar} is known from {first} to {last}: "
        f"{outside} of {dates.size} sessions are weekdays instead, holidays included."
    )


def coming(listed: Dates, after: np.datetime64, count: int, since: np.datetime64) -> Dates:
    """The `count` sessions after `after`, out of `listed`, which holds every session after `since`.

    Raises `DataError` if `after` lies before `since`, where no sessions are listed, or if the list runs out.
    """
    if after < since:
        raise DataError(
            f"the prices end on {after}, but the model knows the sessions from {since} on.",
            "give newer prices, or train on these: stockcast train --csv PATH",
        )
    sessions = listed[listed > after]
    if sessions.size < count:
        raise DataError(
            f"the prices end on {after}; the model lists {sessions.size} later sessions, and {count} were asked for.",
            "train it again on the newer prices: stockcast train --csv PATH",
        )
    return sessions[:count]


def _period(days: Dates) -> str | None:
    """The calendar of dates that mostly lie more than a day apart, None for daily ones."""
    gap = float(np.median(np.diff(days[-53:]).astype(np.int64))) if days.size > 1 else 1
    if gap <= 1:
        return None
    spans = {"weekly": (6, 8), "monthly": (28, 31), "quarterly": (89, 93), "yearly": (363, 368)}
    return next((name for name, (least, most) in spans.items() if least <= gap <= most), "weekdays")


def _nearest_calendar(days: Dates) -> str:
    differing: dict[str, int] = {}

    def nearest(names: tuple[str, ...]) -> str:
        for name in names:
            known = sessions_between(name, days[0], days[-1])
            differing[name] = np.setxor1d(known, days, assume_unique=True).size
        return min(names, key=differing.__getitem__)

    tenth, year = days.size // 10, days.size // 250
    if np.count_nonzero(~np.is_busday(days)) > tenth:
        return nearest(("weekdays", "24/7"))
    for group in _GROUPS:
        best = nearest(group)
        # So few settle it at once: every other group differs by more than twice as many.
        if differing[best] <= (3 * year if best == "XNYS" else year):
            return best
    best = min(differing, key=differing.__getitem__)
    return best if differing[best] <= tenth else "weekdays"


def _weekdays(last: np.datetime64, count: int) -> Dates:
    return np.busday_offset(last, np.arange(1, count + 1), roll="backward")


def _weeks(known: Dates, count: int) -> Dates:
    weekday = (known.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    usual = int(np.bincount(weekday).argmax())
    # A week's row may be some days off its usual weekday, after a holiday: take the usual day nearest to it.
    shift = (usual - int(weekday[-1]) + 3) % 7 - 3
    nominal: np.datetime64 = known[-1] + shift
    return nominal + 7 * np.arange(1, count + 1)


def _months(known: Dates, count: int, step: int) -> Dates:
    months = known.astype("datetime64[M]")
    usual = int(np.bincount((known - months.astype("datetime64[D]")).astype(np.int64)).argmax())

    def first_day(months: Dates) -> Dates:
        return months.astype("datetime64[D]")

    def last_day(months: Dates) -> Dates:
        return first_day(months + 1) - _DAY

    def same_day(months: Dates) -> Dates:
        return np.minimum(first_day(months) + usual, last_day(months))

    def last_weekday(months: Dates) -> Dates:
        return np.busday_offset(last_day(months), 0, roll="backward")

    def first_weekday(months: Dates) -> Dates:
        return np.busday_offset(first_day(months), 0, roll="forward")

    rules = (last_day, same_day, last_weekday, first_weekday)
    best = max(rules, key=lambda rule: int(np.count_nonzero(rule(months) == known)))
    return best(months[-1] + step * np.arange(1, count + 1))


def _next_of_exchange(name: str, last: np.datetime64, count: int) -> Dates:
    first_known, last_known = _bounds(name)
    if last < first_known:
        return _weekdays(last, count)
    # No exchange is closed on every other day, nor for a month.
    sessions = _exchange(name, last + _DAY, last + np.timedelta64(2 * count + 31, "D"))[:count]
    beyond = _weekdays(max(last, last_known), count - sessions.size)
    return np.concatenate([sessions, beyond])


def _exchange(name: str, first: np.datetime64, last: np.datetime64) -> Dates:
    """An exchange's sessions from `first` to `last`, as far as they are known."""
    first_known, last_known = _bounds(name)
    first, last = max(first, first_known), min(last, last_known)
    if first > last:
        return np.array([], dtype="datetime64[D]")
    # Whole years, because the package refuses a range without a session.
    start = max(first.astype("datetime64[Y]").astype("datetime64[D]"), first_known)
    end = min((last.astype("datetime64[Y]") + 1).astype("datetime64[D]") - _DAY, last_known)
    sessions: Dates = _draw_up(name, start, end).sessions.to_numpy().astype("datetime64[D]")
    return sessions[(sessions >= first) & (sessions <= last)]


@lru_cache(maxsize=32)
def _bounds(name: str) -> tuple[np.datetime64, np.datetime64]:
    """The first and the last date that the package knows an exchange's sessions for."""
    # Bounds belong to the calendar's class, which the package hands out only with a range: any month will do.
    kind = type(_draw_up(name, np.datetime64("2025-06-01"), np.datetime64("2025-06-30")))
    least, most = kind.bound_min(), kind.bound_max()
    first = _FIRST if least is None else np.datetime64(least, "D")
    last = _LAST if most is None else np.datetime64(most, "D")
    return first, last


@lru_cache(maxsize=8)
def _draw_up(name: str, first: np.datetime64, last: np.datetime64) -> Any:
    from exchange_calendars import get_calendar

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the package's own use of pandas
            return get_calendar(name, start=str(first), end=str(last))
    except (ValueError, NotImplementedError) as error:  # a few of the package's calendars contradict themselves
        raise ConfigError(
            f"exchange_calendars can't draw up {name} from {first} to {last}: {str(error)[:100].rstrip('.')}.",
            "choose another calendar: --set data.calendar=weekdays",
        ) from error
