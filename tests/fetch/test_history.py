"""Histories as they were traded: what is written is read again, and adjusted the same way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.fetch.exchanges import SETTLING, Venue, venue_of
from stockcast.fetch.history import History, dividend_factors, from_csv, revised, splits_after, to_csv

FIRST = date(2024, 1, 2)
PRICE = st.floats(0.01, 5000)
ROLES = ("open", "high", "low", "close")


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Rows with gaps between them, prices of any size, splits both ways, and dividends below the price."""
    count = draw(st.integers(2, 12))
    gaps = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    dates = np.datetime64(FIRST) + np.cumsum(gaps)
    columns = {role: np.array(draw(st.lists(PRICE, min_size=count, max_size=count))) for role in ROLES}
    columns["volume"] = np.array(draw(st.lists(st.integers(0, 10**9), min_size=count, max_size=count)), dtype=float)
    days = st.sampled_from(dates.tolist())
    splits = draw(st.dictionaries(days, st.sampled_from([2.0, 3.0, 1.5, 0.1, 7.0]), max_size=3))
    history = History(dates, columns, {}, splits)
    now = splits_after(dates, splits)
    dividends = {}
    for day in draw(st.lists(days, max_size=3, unique=True)):
        before = np.flatnonzero(dates < np.datetime64(day))
        if before.size:  # in the shares of that day
            later = splits_after(np.array([day], dtype="datetime64[D]"), splits)[0]
            dividends[day] = 0.3 * float(columns["close"][before[-1]] / now[before[-1]]) * float(later)
    return History(dates, history.columns, dividends, splits)


@given(histories())
def test_what_is_written_is_read_and_written_again_byte_for_byte(history: History) -> None:
    text = to_csv(history)
    again = from_csv(text, history.dividends, history.splits)
    assert to_csv(again) == text
    assert dividend_factors(again) == dividend_factors(history)
    assert revised(again, history).days == ()
    assert np.allclose(again.columns["close"], history.columns["close"], rtol=1e-6)


@given(histories())
def test_what_a_share_brings_is_what_its_adjusted_close_says(history: History) -> None:
    """Closed form: from row to row, price and dividend of what one share has become, over the price before."""
    lines = [line.split(",") for line in to_csv(history).splitlines()[1:]]
    adjusted = np.array([float(line[5]) for line in lines])
    close, dates = history.columns["close"] / splits_after(history.dates, history.splits), history.dates
    for (one, before), (two, after) in pairwise(enumerate(dates)):
        paid = sum(
            value / float(splits_after(np.array([day], dtype="datetime64[D]"), history.splits)[0])
            for day, value in history.dividends.items()
            if before < np.datetime64(day) <= after
        )
        assert adjusted[two] / adjusted[one] == pytest.approx(close[two] / (close[one] - paid), rel=3e-6)


def test_a_file_in_another_form_is_not_read() -> None:
    good = "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,1,1,1,1,1,1\n"
    for bad in (
        good.replace("Adj Close", "Adjusted"),
        good + "2024-01-02,1,1,1,1,1,1\n",
        good + "2024-01-03,1,1\n",
        good + "soon,1,1,1,1,1,1\n",
        good + "2024-01-03,one,1,1,1,1,1\n",
    ):
        with pytest.raises(ValueError, match=r".+"):
            from_csv(bad, {}, {})


@pytest.mark.parametrize(
    ("exchange", "zone", "day", "close"),
    [
        ("NMS", "America/New_York", "2024-03-08", "2024-03-08T21:00"),  # winter
        ("NMS", "America/New_York", "2024-03-11", "2024-03-11T20:00"),  # summer
        ("NYQ", "America/New_York", "2023-11-24", "2023-11-24T18:00"),  # the day after Thanksgiving
        ("GER", "Europe/Berlin", "2024-03-08", "2024-03-08T16:30"),
        ("JPX", "Asia/Tokyo", "2024-03-08", "2024-03-08T06:00"),
        ("CCC", "UTC", "2024-03-09", "2024-03-10T00:00"),  # a coin, on a Saturday
        ("???", "Asia/Kolkata", "2024-03-08", "2024-03-08T18:30"),  # not known: midnight there
    ],
)
def test_a_session_is_over_at_its_exchanges_close(exchange: str, zone: str, day: str, close: str) -> None:
    venue = venue_of(exchange, zone)
    dates = np.array([day], dtype="datetime64[D]")
    over = datetime.fromisoformat(close).replace(tzinfo=UTC) + SETTLING
    assert not venue.finished(dates, over - timedelta(seconds=1))[0]
    assert venue.finished(dates, over)[0]
    assert venue.newest_session(over) == dates[0]
    assert venue.settled_at(dates[0]) == over


@pytest.mark.parametrize(
    ("moment", "when"),
    [("08:00", "before"), ("14:30", ""), ("20:59", ""), ("21:00", "after"), ("05:00", "")],
)
def test_when_in_a_day_a_report_comes(moment: str, when: str) -> None:
    """New York, winter: 14:30 to 21:00 UTC; midnight there is no hour but none that was given."""
    venue = Venue("NMS", "XNYS", "America/New_York")
    assert venue.timed(datetime.fromisoformat(f"2024-02-01T{moment}+00:00")) == (date(2024, 2, 1), when)


def test_a_report_at_a_weekend_has_no_hour() -> None:
    venue = Venue("NMS", "XNYS", "America/New_York")
    assert venue.timed(datetime(2024, 2, 3, 12, tzinfo=UTC)) == (date(2024, 2, 3), "")
