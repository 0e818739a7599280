"""Events against their formulas, and what they may know: earlier rows, and what was announced by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from stockcast.config.sections import DataConfig
from stockcast.data.earnings import earnings_schedule
from stockcast.data.events.features import event_feature_names
from stockcast.data.events.records import NO_EVENTS, Events, events_of
from stockcast.data.feature_table import FeatureTable, SeriesFeatures, make_features
from stockcast.data.returns import panel_returns
from stockcast.data.series import Panel, PriceSeries
from stockcast.data.session_list import SessionList, session_list
from stockcast.errors import DataError

Prices = Callable[..., PriceSeries]
CONFIG = DataConfig(horizon=5)
NAMES = event_feature_names(["report"], 5)
AHEAD = [NAMES.index(f"report ahead {step}") for step in range(1, 6)]


def reports(dates: Sequence[str], series: str = "acme", when: str = "", lead: int = 30) -> Events:
    days = np.array(dates, dtype="datetime64[D]")
    return events_of([(day, series, "report", when, day - lead) for day in days])


def quarterly(one: PriceSeries, shift: int = 0, count: int = 99) -> Events:
    """A report each 13 weeks, from row 30 of a series on."""
    days = np.arange(one.dates[30] + shift, one.dates[-1] + np.timedelta64(200, "D"), np.timedelta64(91, "D"))
    return reports([str(day) for day in days[:count]], one.name)


def with_reports(one: PriceSeries, events: Events) -> PriceSeries:
    """Prices that answer to each report with a move of a tenth, up and down in turn, on its day."""
    jumps = np.zeros(len(one))
    rows = np.searchsorted(one.dates, events.dates)
    rows = rows[rows < len(one)]
    jumps[rows] = 0.1 * (-1.0) ** np.arange(len(rows))
    factor = np.exp(np.cumsum(jumps))
    before = np.append(1.0, factor[:-1])
    columns = {key: values * factor for key, values in one.columns.items() if key in ("close", "volume")}
    columns |= {"open": one.columns["open"] * before}
    columns |= {"high": np.maximum(one.columns["high"], one.columns["close"]) * np.maximum(factor, before)}
    columns |= {"low": np.minimum(one.columns["low"], one.columns["close"]) * np.minimum(factor, before)}
    return replace(one, columns=columns, events=events)


def listed(*panel: PriceSeries) -> SessionList:
    return session_list(panel, "weekdays", max(one.dates[-1] for one in panel))


def table(*panel: PriceSeries, sessions: SessionList | None = None, names: Sequence[str] = NAMES) -> FeatureTable:
    return make_features(panel, names, CONFIG, sessions=sessions or listed(*panel))


def part(*panel: PriceSeries, sessions: SessionList | None = None) -> SeriesFeatures:
    return table(*panel, sessions=sessions).parts[0]


def test_an_event_stands_on_its_day_and_the_next_as_far_as_they_are_ahead(prices: Prices) -> None:
    one = prices(rows=100)
    made = part(replace(one, events=reports([str(one.dates[60])])))
    ahead = made.values[:, AHEAD] > 0
    for row in range(50, 63):
        assert [step for step in range(1, 6) if ahead[row, step - 1]] == [
            step for step in range(1, 6) if row + step in (60, 61)
        ]


@pytest.mark.parametrize(("when", "first"), [("before", 60), ("after", 61)])
def test_who_reports_after_the_close_moves_the_next_session(prices: Prices, when: str, first: int) -> None:
    one = prices(rows=100)
    made = part(replace(one, events=reports([str(one.dates[60])], when=when)))
    row = 58
    assert np.flatnonzero(made.values[row, AHEAD] > 0).tolist() == [first - row - 1, first - row]


def test_a_report_at_the_weekend_moves_the_monday(prices: Prices) -> None:
    one = prices(rows=100)
    friday = next(row for row in range(60, 70) if one.dates[row + 1] - one.dates[row] > np.timedelta64(1, "D"))
    made = part(replace(one, events=reports([str(one.dates[friday] + np.timedelta64(1, "D"))])))
    assert (made.values[friday, AHEAD] > 0).tolist() == [True, True, False, False, False]


def test_an_event_is_not_used_before_it_is_known(prices: Prices) -> None:
    one = prices(rows=100)
    made = part(replace(one, events=reports([str(one.dates[60])], lead=2)))
    known = one.dates[60] - np.timedelta64(2, "D")
    there = (made.values[:, AHEAD] > 0).any(axis=1)
    np.testing.assert_array_equal(there, (one.dates >= known) & (np.arange(100) <= 60))


def test_holidays_are_no_sessions(prices: Prices) -> None:
    one = replace(prices(rows=110, start="2024-02-14"), events=reports(["2024-07-05"], when="before"))
    made = part(one, sessions=session_list([one], "XNYS", one.dates[-1]))
    row = int(np.searchsorted(one.dates, np.datetime64("2024-07-03")))
    assert one.dates[row + 2] == np.datetime64("2024-07-05")  # the file has a row on the Fourth, the exchange has none
    assert made.values[row, AHEAD[0]] > 0


def test_the_height_is_the_mean_of_past_ones_shrunk_to_all_series_and_these_to_one_and_a_half(prices: Prices) -> None:
    one, other = prices(rows=500), prices(rows=500, seed=1, name="other")
    panel = [with_reports(one, quarterly(one)), with_reports(other, quarterly(other, shift=20))]
    every = panel_returns(panel, "close", CONFIG.halflife)
    row = len(one) - 1
    heights, own = [], []
    for series, rows in zip(panel, every, strict=True):
        usual = rows.earnings_proxy / np.maximum(rows.usual_earnings_proxy, 1e-9)
        for day in series.events.dates[series.events.dates < one.dates[row]]:
            at = int(np.searchsorted(series.dates, day))
            if at + 1 <= row:
                pair = np.minimum(usual[[at, at + 1]], 15)
                heights.append(pair)
                own += [pair * rows.volatility[at - 1]] if series is panel[0] else []
    prior = (np.sum(heights, axis=0) + 2 * 1.5) / (len(heights) + 2)
    expected = (np.sum(own, axis=0) / every[0].volatility[row] + 2 * prior) / (len(own) + 2)
    assert len(own) > 3

    past = panel[0].events.dates[panel[0].events.dates < one.dates[row]]
    later = replace(panel[0], events=reports([str(day) for day in (*past, one.dates[row] + np.timedelta64(4, "D"))]))
    made = part(later, panel[1])
    at = next(step for step in range(5) if made.values[row, AHEAD[step]] > 0)
    np.testing.assert_allclose(np.exp(made.values[row, AHEAD[at : at + 2]]), np.maximum(expected, 1), rtol=1e-9)


def test_a_series_without_a_past_has_the_heights_of_the_others(prices: Prices) -> None:
    other = prices(rows=400, name="other")
    fresh = prices(rows=60, seed=2, name="fresh", start=str(other.dates[340]))
    fresh = replace(fresh, events=reports([str(fresh.dates[50])], "fresh"))
    calm = table(fresh, replace(other, events=quarterly(other))).parts[0].values[49, AHEAD[0]]
    wild = table(fresh, with_reports(other, quarterly(other))).parts[0].values[49, AHEAD[0]]
    assert wild > calm + 0.5


def test_the_scale_of_h_sessions_is_that_of_independent_moves(prices: Prices) -> None:
    one = prices(rows=300)
    made = part(with_reports(one, quarterly(one)))
    logs = made.values[20:, AHEAD]
    variance = np.cumsum(np.exp(2 * 0.85 * logs), axis=1) / np.arange(1, 6)
    assert made.widening is not None
    np.testing.assert_allclose(made.widening[20:], np.sqrt(variance), rtol=1e-12)
    assert made.widening[20:].max() > 1.5
    assert made.widening[20:].min() == 1


def test_since_the_last_event_is_halved_every_few_sessions(prices: Prices) -> None:
    one = prices(rows=100)
    made = part(replace(one, events=reports([str(one.dates[60])])))
    recent, since = (made.values[:, NAMES.index(f"report {name}")] for name in ("recent", "since"))
    np.testing.assert_array_equal(recent[20:60], 0)
    np.testing.assert_allclose(recent[60:], 0.5 ** (np.arange(40) / 3))
    np.testing.assert_allclose(since[60:], 0.5 ** (np.arange(40) / 20))


@pytest.mark.parametrize("lead", [-3, 2, 30])
def test_a_row_is_the_same_in_the_file_cut_there(prices: Prices, lead: int) -> None:
    """Neither later prices nor what is only known later show, whether the file of events holds it or not."""
    bare = [prices(rows=400, name="a"), prices(rows=300, seed=1, name="b", start="2020-05-04")]
    panel = [with_reports(one, quarterly(one)) for one in bare]
    dates = {one.name: one.events.dates for one in panel}
    weekly = np.arange(panel[0].dates[10], panel[0].dates[-1] + 30, 7)
    events = events_of(
        [(day, name, "report", "", day - lead) for name, days in dates.items() for day in days]
        + [(day, "", "rates", "before", day - lead) for day in weekly]
    )
    whole = Panel(tuple(panel)).with_events(events)
    names = event_feature_names(["rates", "report"], 5)
    sessions = listed(*panel)
    every = table(*whole.series, sessions=sessions, names=names)
    for row in range(60, 400, 11):
        cut = whole.upto(panel[0].dates[row])
        for told in (cut, cut.with_events(events)):
            known = table(*told.series, sessions=sessions, names=names)
            for before, after in zip(every.parts, known.parts, strict=False):
                np.testing.assert_array_equal(before.values[: len(after)], after.values)
                assert before.widening is not None
                assert after.widening is not None
                np.testing.assert_array_equal(before.widening[: len(after)], after.widening)


def test_the_newest_rows_alone_are_those_of_the_whole_table(prices: Prices) -> None:
    one = replace(prices(rows=400), events=quarterly(prices(rows=400), count=3))
    sessions = listed(one)
    some = make_features([one], NAMES, CONFIG, one.dates[333], sessions).parts[0]
    every = part(one, sessions=sessions)
    np.testing.assert_array_equal(some.values, every.values[333:])
    assert some.widening is not None
    assert every.widening is not None
    np.testing.assert_array_equal(some.widening, every.widening[333:])


def test_without_a_date_past_quarters_say_what_is_due(prices: Prices) -> None:
    bare = with_reports(prices(rows=600), quarterly(prices(rows=600)))
    made = part(replace(bare, events=NO_EVENTS))
    (one,) = panel_returns([bare], "close", CONFIG.halflife)
    due = earnings_schedule(bare.dates, one.earnings_proxy, one.usual_earnings_proxy) / 12
    np.testing.assert_array_equal(made.values[20:, AHEAD], due[20:])
    assert due.max() > 0.5
    assert not made.values[20:, AHEAD[-1] + 1 : -1].any()


def test_where_a_file_has_ended_past_quarters_say_it_from_the_fortnight_before_a_date_is_missing(
    prices: Prices,
) -> None:
    bare = with_reports(prices(rows=700), quarterly(prices(rows=700)))
    ended = replace(bare, events=quarterly(bare, count=4))
    made, guessed = part(ended), part(replace(bare, events=NO_EVENTS))
    missing = ended.events.dates[-1] + np.timedelta64(91, "D")
    late = bare.dates > missing - np.timedelta64(14, "D")
    np.testing.assert_array_equal(made.values[late][:, AHEAD], guessed.values[late][:, AHEAD])
    quiet = ~late & (bare.dates > ended.events.dates[-1] + np.timedelta64(7, "D"))
    assert not made.values[quiet][:, AHEAD].any()
    assert guessed.values[late][:, AHEAD].any()


def test_what_is_no_report_is_never_guessed(prices: Prices) -> None:
    one = replace(prices(rows=400), events=events_of([]))
    made = make_features([one], event_feature_names(["rates"], 5), CONFIG, sessions=listed(one)).parts[0]
    assert not made.values[20:, :-1].any()


def test_an_event_of_all_series_is_measured_by_the_whole_move(prices: Prices) -> None:
    days = [str(day) for day in quarterly(prices(rows=500)).dates]
    rates = events_of([(np.datetime64(day), "", "rates", "before", np.datetime64(day) - 30) for day in days])
    panel = [with_reports(prices(rows=500, seed=seed, name=f"s{seed}"), rates) for seed in range(3)]
    names = event_feature_names(["rates"], 5)
    made = make_features(panel, names, CONFIG, sessions=listed(*panel)).parts[0].values[450:, 0]
    assert made.max() > 1  # against the others, which move as much, nothing would stand out


def test_sessions_ahead_are_days(prices: Prices) -> None:
    one = prices(rows=60)
    weekly = replace(one, dates=np.datetime64("2020-01-06") + 7 * np.arange(60))
    with pytest.raises(DataError, match="prices are weekly"):
        session_list([weekly], "auto", weekly.dates[-1])


@pytest.mark.parametrize("calendar", ["weekdays", "24/7", "XNYS", "XSHG"])
def test_a_list_of_sessions_made_longer_is_that_of_a_longer_file(prices: Prices, calendar: str) -> None:
    one = prices(rows=300, start="1989-06-01")
    short = session_list([one], calendar, one.dates[-1])
    date = short.listed[-1] + np.timedelta64(900, "D")
    longer, whole = short.covering(date, 5), session_list([one], calendar, date)
    count = min(len(longer.listed), len(whole.listed))
    np.testing.assert_array_equal(longer.listed[:count], whole.listed[:count])
    assert longer.listed[-5] > date
    assert SessionList.from_dict(short.to_dict()).listed.tolist() == short.listed.tolist()


@pytest.mark.parametrize(("past", "coming"), [("", "after"), ("after", ""), ("after", "after")])
def test_what_was_learned_counts_whoever_said_when_it_came(prices: Prices, past: str, coming: str) -> None:
    """The price answers on the session after each date: the heights say so of events with and without a time."""
    bare = prices(rows=600)
    days = bare.dates[40:560:65]
    shifted = with_reports(bare, reports([str(day) for day in days + np.timedelta64(1, "D")]))
    told = events_of(
        [(day, "acme", "report", past, day - 30) for day in days]
        + [(bare.dates[597], "acme", "report", coming, bare.dates[560])]
    )
    ahead = part(replace(shifted, events=told)).values[595, AHEAD]  # the report is two sessions ahead, its answer three
    assert int(np.argmax(ahead)) == 2
    assert ahead[2] > 1
