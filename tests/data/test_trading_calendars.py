"""Calendars against holidays that are on record, and the properties that every list of sessions must have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import exchange_calendars  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.data import trading_calendars as calendars
from stockcast.data.series import Dates
from stockcast.errors import ConfigError, DataError

IBM = Path(__file__).parents[2] / "data" / "ibm.csv"

NEW_YORK_2013 = "01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25"
LONDON_2013 = "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26"

DAILY = ("24/7", "weekdays", "XNYS", "XHKG")
EVERY = (*DAILY, "weekly", "monthly", "quarterly", "yearly")


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


def days(text: str) -> Dates:
    return np.array(text.split(), dtype="datetime64[D]")


def open_in_2013(holidays: str) -> Dates:
    """All weekdays of 2013 but the holidays."""
    closed = days(" ".join(f"2013-{each}" for each in holidays.split()))
    year = np.arange("2013-01-01", "2014-01-01", dtype="datetime64[D]")
    return year[np.is_busday(year, holidays=closed)]


dates = st.integers(0, 24_000).map(lambda number: np.datetime64(number, "D"))  # 1970 to 2035


@pytest.mark.parametrize(("calendar", "holidays"), [("XNYS", NEW_YORK_2013), ("XLON", LONDON_2013)])
def test_a_whole_year_of_an_exchange(calendar: str, holidays: str) -> None:
    expected = open_in_2013(holidays)
    np.testing.assert_array_equal(calendars.next_sessions(calendar, day("2012-12-31"), expected.size), expected)
    np.testing.assert_array_equal(calendars.sessions_between(calendar, day("2013-01-01"), day("2013-12-31")), expected)
    assert calendars.match_calendar(expected) == calendar


@pytest.mark.parametrize(
    ("after", "following"),
    [
        ("2013-03-28", "2013-04-01"),  # Good Friday
        ("2012-10-26", "2012-10-31"),  # two days of hurricane Sandy
        ("2001-09-10", "2001-09-17"),
        ("1933-03-03", "1933-03-15"),  # the bank holiday
        ("2013-03-02", "2013-03-04"),  # from a Saturday
    ],
)
def test_new_york_reopens(after: str, following: str) -> None:
    assert calendars.next_sessions("XNYS", day(after), 1) == [day(following)]


def test_the_sample_prices_follow_new_york() -> None:
    table = np.loadtxt(IBM, delimiter=",", skiprows=1, usecols=0, dtype="datetime64[D]")
    assert calendars.match_calendar(table) == "XNYS"
    np.testing.assert_array_equal(calendars.sessions_between("XNYS", table[0], table[-1]), table)


@pytest.mark.parametrize("calendar", ["XNYS", "weekdays", "24/7", "XTKS", "XETR", "XPAR"])
def test_a_calendar_is_matched_despite_lost_rows(calendar: str) -> None:
    known = calendars.sessions_between(calendar, day("2018-01-01"), day("2024-06-28"))
    lost = np.random.default_rng(0).choice(known.size, 6, replace=False)
    assert calendars.match_calendar(np.delete(known, lost)) == calendar


def test_an_unreal_row_on_a_holiday_does_not_hide_the_exchange() -> None:
    known = np.append(open_in_2013(NEW_YORK_2013), day("2013-07-04"))
    assert calendars.match_calendar(known) == "XNYS"


def test_only_recent_years_count() -> None:
    before = np.arange("1990-01-01", "2000-01-01", dtype="datetime64[D]")
    after = calendars.sessions_between("XNYS", day("2000-01-03"), day("2006-01-03"))
    assert calendars.match_calendar(np.concatenate([before, after])) == "XNYS"


def test_dates_that_no_calendar_explains_are_weekdays() -> None:
    every = np.arange("2020-01-06", "2021-12-31", dtype="datetime64[D]")
    assert calendars.match_calendar(every[np.is_busday(every, weekmask="1001000")]) == "weekdays"


WEEKS = {
    "sun-mon-tue-wed-thu": "1111001",  # Cairo, Tel Aviv up to 2025
    "sat-sun-mon-tue-wed": "1110011",  # Tehran
    "mon-tue-wed-thu-fri-sat": "1111110",
    "mon-tue-wed-thu": "1111000",
    "tue-wed-thu-fri-sat": "0111110",
    "weekdays": "1111100",
    "24/7": "1111111",
}


@pytest.mark.parametrize(("name", "weekmask"), list(WEEKS.items()), ids=list(WEEKS))
@pytest.mark.parametrize("rows", [39, 400])
def test_a_week_is_learned_from_the_dates(name: str, weekmask: str, rows: int) -> None:
    every = np.arange("2019-01-01", "2026-12-31", dtype="datetime64[D]")
    is_open = np.is_busday(every, weekmask=weekmask)
    sessions = every[is_open]
    known, later = np.delete(sessions[:rows], 20 if rows > 250 else []), sessions[rows : rows + 6]
    assert calendars.match_calendar(known) == name
    np.testing.assert_array_equal(calendars.next_sessions(name, known, 6), later)
    np.testing.assert_array_equal(calendars.sessions_between(name, every[0], every[99]), every[:100][is_open[:100]])
    assert calendars.check_calendar(name) == name
    assert calendars.doubt(name, later) is None


def test_a_market_that_has_changed_its_week_follows_the_new_one() -> None:
    """As the Emirates did in 2022, and Tel Aviv in 2026."""
    every = np.arange("2019-01-01", "2022-03-31", dtype="datetime64[D]")
    old, new = (np.is_busday(every, weekmask=week) for week in ("1111001", "1111100"))
    known = every[np.where(every < day("2022-01-03"), old, new)]
    np.testing.assert_array_equal(
        calendars.next_sessions(calendars.match_calendar(known), known, 3), days("2022-03-31 2022-04-01 2022-04-04")
    )


def test_an_exchange_that_is_open_on_sundays_is_matched() -> None:
    known = calendars.sessions_between("XSAU", day("2021-01-03"), day("2024-06-30"))
    assert calendars.match_calendar(known) == "XSAU"


@pytest.mark.parametrize("name", ["mon-mon", "sun-", "-", "mon-tues"])
def test_what_is_no_week_is_no_calendar(name: str) -> None:
    with pytest.raises(ConfigError, match="no trading calendar"):
        calendars.check_calendar(name)


@pytest.mark.parametrize(
    ("calendar", "known"),
    [
        ("weekly", np.arange("2019-01-04", "2021-01-04", 7, dtype="datetime64[D]")),
        ("monthly", np.arange("2019-01", "2022-01", dtype="datetime64[M]").astype("datetime64[D]")),
        ("quarterly", np.arange("2010-01", "2022-01", 3, dtype="datetime64[M]").astype("datetime64[D]")),
        ("yearly", np.arange("1990", "2022", dtype="datetime64[Y]").astype("datetime64[D]")),
    ],
)
def test_periods_are_matched_and_continued(calendar: str, known: Dates) -> None:
    assert calendars.match_calendar(known[:-3]) == calendar
    np.testing.assert_array_equal(calendars.next_sessions(calendar, known[:-3], 3), known[-3:])
    np.testing.assert_array_equal(calendars.sessions_between(calendar, known[0], known[-1]), known)


@pytest.mark.parametrize(
    ("calendar", "known", "following"),
    [
        ("monthly", "2013-01-01", "2013-02-01 2013-03-01"),
        ("monthly", "2013-02-28", "2013-03-31 2013-04-30"),  # a month's end stays a month's end
        ("monthly", "2012-06-29 2012-07-31 2012-08-31 2012-09-28", "2012-10-31 2012-11-30 2012-12-31"),
        ("monthly", "2012-12-31 2013-03-29 2013-05-31", "2013-06-28 2013-07-31 2013-08-30"),  # last weekday
        ("monthly", "2013-04-01 2013-05-01 2013-06-03 2013-07-01", "2013-08-01 2013-09-02"),  # first weekday
        ("monthly", "2012-11-30 2012-12-30 2013-01-30", "2013-02-28 2013-03-30"),  # the 30th
        ("monthly", "2013-01-01 2013-02-01 2013-03-01 2013-03-14", "2013-04-01 2013-05-01"),  # a month not yet over
        ("quarterly", "2013-03-31", "2013-06-30 2013-09-30"),
        ("yearly", "2011-12-30 2012-12-31 2013-12-31", "2014-12-31 2015-12-31"),
        ("weekly", "2013-03-15 2013-03-22 2013-03-28", "2013-04-05 2013-04-12"),  # Friday; a Thursday before Easter
        ("weekly", "2013-03-04 2013-03-11 2013-03-13", "2013-03-18 2013-03-25"),  # Monday; a week not yet over
    ],
)
def test_periods_keep_their_rule(calendar: str, known: str, following: str) -> None:
    expected = days(following)
    np.testing.assert_array_equal(calendars.next_sessions(calendar, days(known), expected.size), expected)


@pytest.mark.parametrize("calendar", EVERY)
@settings(max_examples=8)
@given(after=dates, count=st.integers(0, 260))
def test_sessions_are_later_in_order_and_as_many_as_asked(calendar: str, after: np.datetime64, count: int) -> None:
    found = calendars.next_sessions(calendar, after, count)
    assert found.dtype == "datetime64[D]"
    assert found.size == count
    assert (np.diff(np.append(after, found)) > np.timedelta64(0, "D")).all()
    if calendar in ("weekdays", "XNYS", "XHKG"):
        assert np.is_busday(found).all()


@pytest.mark.parametrize("calendar", DAILY)
@settings(max_examples=3)
@given(after=dates, first=st.integers(1, 60), then=st.integers(1, 60))
def test_going_on_from_a_session_is_going_on(calendar: str, after: np.datetime64, first: int, then: int) -> None:
    whole = calendars.next_sessions(calendar, after, first + then)
    begun = calendars.next_sessions(calendar, after, first)
    np.testing.assert_array_equal(np.concatenate([begun, calendars.next_sessions(calendar, begun, then)]), whole)
    np.testing.assert_array_equal(calendars.sessions_between(calendar, whole[0], whole[-1]), whole)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the package's own use of pandas
def test_where_an_exchange_is_not_known_weekdays_stand_in_and_it_is_said() -> None:
    small = exchange_calendars.get_calendar("XHKG", start="2025-06-01", end="2025-06-30")
    end = np.datetime64(type(small).bound_max(), "D")
    found = calendars.next_sessions("XHKG", np.array([end]) - 30, 60)
    assert (np.diff(found) > np.timedelta64(0, "D")).all()
    beyond = found[found > end]
    np.testing.assert_array_equal(beyond, np.busday_offset(end, np.arange(1, beyond.size + 1), roll="backward"))
    said = calendars.doubt("XHKG", found)
    assert said is not None
    assert str(end) in said
    assert f"{beyond.size} of 60 sessions are weekdays" in said
    assert calendars.doubt("XHKG", found[found <= end]) is None
    assert calendars.sessions_between("XHKG", found[0], found[-1])[-1] <= end


def test_before_an_exchange_is_known_weekdays_stand_in() -> None:
    found = calendars.next_sessions("XTKS", day("1950-01-02"), 5)
    np.testing.assert_array_equal(found, days("1950-01-03 1950-01-04 1950-01-05 1950-01-06 1950-01-09"))
    assert calendars.doubt("XTKS", found) is not None
    assert calendars.sessions_between("XTKS", found[0], found[-1]).size == 0


@pytest.mark.parametrize(("first", "last"), [("2013-03-02", "2013-03-03"), ("2023-12-30", "2023-12-31")])
def test_a_range_without_a_session_is_empty(first: str, last: str) -> None:
    assert calendars.sessions_between("XNYS", day(first), day(last)).size == 0


def test_an_alias_becomes_the_canonical_name() -> None:
    assert calendars.check_calendar("NYSE") == "XNYS"
    assert calendars.check_calendar("XLON") == "XLON"
    assert all(calendars.check_calendar(name) == name for name in calendars.REGULAR)


@pytest.mark.parametrize(
    ("name", "nearest"), [("XNYX", "XNYS"), ("xlon", "XLON"), ("Weekly", "weekly"), ("month", "monthly")]
)
def test_an_unknown_calendar_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}'.*Did you mean '{nearest}'"):
        calendars.check_calendar(name)


def test_a_calendar_that_contradicts_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def contradict(*_: object, **__: object) -> None:
        raise ValueError("Special dates are not sessions")

    monkeypatch.setattr(exchange_calendars, "get_calendar", contradict)
    with pytest.raises(ConfigError, match=r"can't draw up XWAR.*Special dates") as caught:
        calendars.next_sessions("XWAR", day("2013-03-01"), 5)
    assert caught.value.fix is not None


def test_coming_sessions_are_those_after_the_newest_row() -> None:
    listed = days("2013-03-04 2013-03-05 2013-03-06 2013-03-07")
    since = day("2013-03-01")
    np.testing.assert_array_equal(calendars.coming(listed, since, 2, since), listed[:2])
    np.testing.assert_array_equal(calendars.coming(listed, day("2013-03-05"), 2, since), listed[2:])
    with pytest.raises(DataError, match="2013-03-05; the model lists 2 later sessions, and 3 were asked for"):
        calendars.coming(listed, day("2013-03-05"), 3, since)
    with pytest.raises(DataError, match="end on 2013-02-28, but the model knows the sessions from 2013-03-01 on"):
        calendars.coming(listed, day("2013-02-28"), 1, since)


def test_predicting_imports_no_calendar() -> None:
    program = (
        "import sys, numpy as np; from stockcast.data.trading_calendars import coming;"
        "day = np.datetime64('2013-03-01');"
        "coming(np.array([day + 3]), day, 1, day); print({'exchange_calendars', 'pandas'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
