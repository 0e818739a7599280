"""Trading sessions: which calendar a file's dates follow, and which sessions come next.

A calendar is a name. The regular ones are stepped here, and so are weeks of other days than Monday to Friday, which
are called by their days: sun-mon-tue-wed-thu. Every other name is an exchange of the package exchange_calendars, which
takes half a second to import and is imported only when an exchange is asked about.
Nothing here reads the clock: the answer depends on the arguments alone.
"""

from __future__ import annotations

import difflib

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stockcast.data.exchange_years import exchange_sessions, known_bounds, whole_years
from stockcast.data.series import Dates
from stockcast.errors import ConfigError, DataError

MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
REGULAR = ("24/7", "weekdays", "weekly", *MONTHS)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKS = np.timedelta64(13 * 7, "D")
"""Of the newest dates, by which the days of a week are learned."""

# What weekdays are compared with. Exchanges that differ by a session a year or less stand in one group and are compared
# with each other; those that don't differ at all stand here once: XPAR is also Amsterdam, Brussels and Lisbon.
_GROUPS = (
    *(("XNYS",), ("weekdays",), ("XLON",), ("XTKS",), ("XETR", "XPAR", "XSWX", "XMIL", "XMAD"), ("XHKG",), ("XSHG",)),
    *(("XBOM",), ("XTSE",), ("XASX",), ("XIST",), ("BVMF",), ("XSTO",), ("XSES",), ("XTAI",), ("XKRX",)),
)

_SUNDAYS = ("XSAU",)  # of the exchanges that are open on Sundays, those that the package can draw up

_RECENT = np.timedelta64(4 * 365, "D")
_DAY = np.timedelta64(1, "D")


def match_calendar(dates: Dates) -> str:
    """The calendar that `dates` follow, by their last four years.

    Dates that mostly lie more than a day apart are weekly, monthly, quarterly or yearly. Dates with weekends among them
    follow 24/7, an exchange that is open on Sundays, or the week that they have themselves. All others follow the
    exchange, or the plain weekdays, with the fewest sessions missing from them or added to them. If even that calendar
    differs on more than a tenth of the dates, they follow their own week, or "weekdays" if that is no better.
    """
    days = np.unique(np.asarray(dates, dtype="datetime64[D]"))
    return _period(days) or _nearest_calendar(days[days > days[-1] - _RECENT])


def check_calendar(name: str) -> str:
    """The canonical name of a calendar: "NYSE" is XNYS. Raises `ConfigError` for an unknown one."""
    if name in REGULAR or _week(name):
        return name
    from exchange_calendars import get_calendar_names, resolve_alias  # type: ignore[import-untyped]  # it has no types

    names: list[str] = get_calendar_names(include_aliases=True)
    if name not in names:
        spelled = {each.lower(): each for each in ("auto", *REGULAR, *names)}
        near = difflib.get_close_matches(name.lower(), spelled, n=1)
        hint = f" Did you mean {spelled[near[0]]!r}?" if near else ""
        raise ConfigError(
            f"there is no trading calendar {name!r}.{hint}",
            f"--set data.calendar={spelled[near[0]] if near else 'auto'}; there are auto, {', '.join(REGULAR)}, a week "
            f"such as {'-'.join((*_DAYS[6:], *_DAYS[:4]))}, and exchanges such as XNYS or XLON.",
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
    if week := _week(calendar):
        return _weekdays(last, count, week)
    if calendar == "weekly":
        return _weeks(days[-52:], count)
    if calendar in MONTHS:
        return _months(days[-24:], count, MONTHS[calendar])
    return _next_of_exchange(calendar, last, count)


def sessions_between(calendar: str, first: np.datetime64, last: np.datetime64) -> Dates:
    """Every session from `first` to `last`, both included; of an exchange only those within its known years."""
    first, last = first.astype("datetime64[D]"), last.astype("datetime64[D]")
    week = _week(calendar)
    if calendar not in REGULAR and not week:
        return exchange_sessions(calendar, first, last)
    days = int((last - first) // _DAY) + 1
    if calendar == "24/7" or week:
        sessions = next_sessions(calendar, first - _DAY, days)
    else:
        sessions = np.append(first, next_sessions(calendar, first, days))
    return sessions[sessions <= last]


def doubt(calendar: str, dates: Dates) -> str | None:
    """A sentence if some of `dates` lie outside the years that the calendar is known for, else None."""
    if calendar in REGULAR or _week(calendar):
        return None
    first, last = known_bounds(calendar)
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

    tenth, year, own = days.size // 10, days.size // 250, _own_week(days)
    if own not in REGULAR and differing[nearest((own,))] <= year:
        return own
    if np.count_nonzero(~np.is_busday(days)) > tenth:
        return nearest((own, "24/7", "weekdays", *_SUNDAYS))
    for group in _GROUPS:
        best = nearest(group)
        # So few settle it at once: every other group differs by more than twice as many.
        if differing[best] <= (3 * year if best == "XNYS" else year):
            return best
    best = min(differing, key=differing.__getitem__)
    if differing[best] > tenth:
        best = nearest((own, "weekdays"))
    return best if differing[best] <= tenth else "weekdays"


def weekdays_of(dates: Dates) -> NDArray[np.int64]:
    """0 for each Monday to 6 for each Sunday."""
    return (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday


def keeps_one_rule(calendar: str) -> bool:
    """Whether a calendar is no exchange's: a regular one, or a week of its own."""
    return calendar in REGULAR or bool(_week(calendar))


def _own_week(days: Dates) -> str:
    """The calendar of the weekdays that more than half of the newest weeks have."""
    recent = days[days > days[-1] - _WEEKS]
    weeks = np.ceil(int((recent[-1] - recent[0]) // _DAY + 1) / 7)
    is_open = np.bincount(weekdays_of(recent), minlength=7) > weeks / 2
    if is_open.all() or not is_open.any():
        return "24/7"
    # From the day on which a week begins: the first after a closed one, counted from the middle of the week.
    begins = next(day for day in (0, 6, 5, 4, 3, 2, 1) if is_open[day] and not is_open[day - 1])
    name = "-".join(_DAYS[day % 7] for day in range(begins, begins + 7) if is_open[day % 7])
    return "weekdays" if _week(name) == _week("weekdays") else name


def _week(calendar: str) -> str:
    """Its days as numpy's mask, Monday first, if it is a calendar of weekdays; else nothing."""
    days = _DAYS[:5] if calendar == "weekdays" else tuple(calendar.split("-"))
    known = set(days) <= set(_DAYS) and len(set(days)) == len(days)
    return "".join("01"[day in days] for day in _DAYS) if known else ""


def _weekdays(last: np.datetime64, count: int, week: str = "1111100") -> Dates:
    return np.busday_offset(last, np.arange(1, count + 1), roll="backward", weekmask=week)


def _weeks(known: Dates, count: int) -> Dates:
    weekday = weekdays_of(known)
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
    first_known, last_known = known_bounds(name)
    if last < first_known:
        return _weekdays(last, count)
    # No exchange is closed on every other day, nor for a month.
    sessions = exchange_sessions(name, last + _DAY, last + np.timedelta64(2 * count + 31, "D"))[:count]
    beyond = _weekdays(max(last, last_known), count - sessions.size)
    return np.concatenate([sessions, beyond])


def openings(calendar: str, sessions: Dates) -> Dates:
    """When each of `sessions` begins, in UTC, as datetime64[s].

    At the exchange's opening of that day, daylight saving and shortened days included; at the beginning of its date in
    UTC for a regular calendar, and for a date that isn't a session of the exchange as far as that is known.
    """
    return _hours(calendar, sessions, "opens", np.timedelta64(0, "D"))


def closings(calendar: str, sessions: Dates) -> Dates:
    """When each of `sessions` ends, in UTC, as datetime64[s]: as `openings`, or at the end of its date."""
    return _hours(calendar, sessions, "closes", _DAY)


def _hours(calendar: str, sessions: Dates, which: str, otherwise: np.timedelta64) -> Dates:
    """The exchange's opens or closes of `sessions`; `otherwise` so long after the beginning of the date."""
    days = np.asarray(sessions, dtype="datetime64[D]")
    usual: Dates = np.asarray(days + otherwise, dtype="datetime64[s]")
    if keeps_one_rule(calendar) or not usual.size:
        return usual
    drawn = whole_years(calendar, days.min(), days.max())
    at = {}
    if drawn is not None:
        hours = getattr(drawn, which).dt.tz_localize(None).to_numpy().astype("datetime64[s]")
        at = dict(zip(drawn.sessions.to_numpy().astype("datetime64[D]").tolist(), hours, strict=True))
    return np.array([at.get(day, one) for day, one in zip(days.tolist(), usual, strict=True)])
