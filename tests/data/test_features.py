"""Features against their formulas, and what they may know: their own row and earlier ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.config.sections import DataConfig
from stockcast.data.feature_table import make_features
from stockcast.data.features import (
    FEATURES,
    MARKET,
    choose_features,
)
from stockcast.data.returns import ReturnSeries, garman_klass, panel_returns, return_series, trailing_mean
from stockcast.data.series import Dates, Floats, Panel, PriceSeries
from stockcast.errors import ConfigError, DataError

HALFLIFE = 20.0
EVERY = (*FEATURES, *MARKET)

Prices = Callable[..., PriceSeries]


def sessions(*all_series: PriceSeries) -> list[ReturnSeries]:
    return panel_returns(all_series, "close", HALFLIFE)


def tables(*all_series: PriceSeries, names: Sequence[str] = EVERY) -> list[Floats]:
    table = make_features(all_series, names, DataConfig())
    return [one.values[:, :-1] for one in table.parts]


def changed_after(one: PriceSeries, row: int) -> PriceSeries:
    """The same series with other prices and volumes after a row."""
    later = np.arange(len(one)) > row
    return replace(one, columns={key: np.where(later, 3 * values, values) for key, values in one.columns.items()})


def without(one: PriceSeries, *columns: str) -> PriceSeries:
    return replace(one, columns={key: values for key, values in one.columns.items() if key not in columns})


def test_a_session_s_shape_is_in_units_of_its_volatility(prices: Prices) -> None:
    one = prices(rows=60)
    opening, high, low, close = (one.columns[key] for key in ("open", "high", "low", "close"))
    (own,) = sessions(one)
    (table,) = tables(one, names=["range", "gap", "body", "return"])
    for row in (20, 59):
        moves = high[row] / low[row], opening[row] / close[row - 1], close[row] / opening[row]
        np.testing.assert_allclose(table[row, :3], np.log(moves) / own.volatility[row], rtol=1e-9)
    np.testing.assert_allclose(table[20:, 1] + table[20:, 2], table[20:, 3], rtol=1e-9)


def test_of_closes_among_others_a_session_begins_at_the_last_close(prices: Prices) -> None:
    bare = without(prices(rows=60, name="b"), "open", "high", "low")
    reach, gap, body, move = tables(prices(rows=60, name="a"), bare, names=["range", "gap", "body", "return"])[1][20:].T
    np.testing.assert_array_equal(reach, np.abs(move))
    np.testing.assert_array_equal(gap, 0)
    np.testing.assert_array_equal(body, move)


def test_prices_of_another_unit_than_their_range_do_not_count_as_moves(prices: Prices) -> None:
    whole = prices(rows=300)
    early = np.arange(300) < 150
    close = whole.columns["close"]
    split = replace(whole, columns={**whole.columns, "close": np.where(early, 2 * close, close)})
    names = ["range", "gap", "body", "variance_1", "return"]
    sound, half = (
        make_features([one], names, DataConfig(price="open")).parts[0].values[:, :-1] for one in (whole, split)
    )
    np.testing.assert_allclose(half[151:], sound[151:], rtol=1e-6)
    reach, gap, body, variance, move = half[20:151].T
    np.testing.assert_array_equal(reach, np.abs(move))
    np.testing.assert_array_equal(gap, 0)
    np.testing.assert_array_equal(body, move)
    np.testing.assert_allclose(variance, 0.5 * np.log(move**2 + 1e-3), rtol=1e-6)


@pytest.mark.parametrize("sessions_ago", [63, 252])
def test_a_lag_is_the_size_of_the_move_so_long_before_the_next_one(prices: Prices, sessions_ago: int) -> None:
    (table,) = tables(prices(rows=400), names=["return", f"lag_{sessions_ago}"])
    for row in (300, 399):
        assert table[row, 1] == abs(table[row + 1 - sessions_ago, 0])
    assert table[sessions_ago - 1, 1] == 0  # that move would be of the first row, which has none


@settings(max_examples=25)
@given(row=st.integers(25, 598))
def test_no_row_depends_on_a_later_one_of_any_series(prices: Prices, row: int) -> None:
    panel = [prices(rows=600, name="a"), prices(rows=500, seed=1, name="b", start="2020-03-01")]
    day = panel[0].dates[row]
    changed = [changed_after(one, int(np.searchsorted(one.dates, day, side="right")) - 1) for one in panel]
    for one, before, after in zip(panel, tables(*panel), tables(*changed), strict=True):
        known = one.dates <= day
        np.testing.assert_array_equal(before[known], after[known])
    assert not np.array_equal(tables(*panel)[0][row + 1], tables(*changed)[0][row + 1])


def test_neither_the_price_s_unit_nor_the_volume_s_shows(prices: Prices) -> None:
    one = prices(rows=600)
    units = {key: 1e4 if key == "volume" else 1e-3 for key in one.columns}
    other = replace(one, columns={key: values * units[key] for key, values in one.columns.items()})
    np.testing.assert_allclose(tables(one)[0], tables(other)[0], rtol=1e-6, atol=1e-8)


def test_garman_klass_is_its_formula(prices: Prices) -> None:
    one = prices(rows=60)
    opening, high, low, close = (one.columns[key] for key in ("open", "high", "low", "close"))
    for row in (1, 30, 59):
        inside = (
            0.5 * math.log(high[row] / low[row]) ** 2 - (2 * math.log(2) - 1) * math.log(close[row] / opening[row]) ** 2
        )
        gap = math.log(opening[row] / close[row - 1])
        (own,) = sessions(one)
        assert garman_klass(own)[row] == pytest.approx(max(inside, 0) + gap**2, rel=1e-9)


def test_it_measures_the_volatility_of_a_price_that_trades_all_day() -> None:
    random = np.random.default_rng(0)
    ticks = 0.02 / math.sqrt(2000) * random.standard_normal((400, 2000))
    paths = np.exp(np.cumsum(ticks, axis=1) + np.cumsum(ticks.sum(axis=1))[:, None] - ticks.sum(axis=1)[:, None])
    columns = {"open": paths[:, 0], "high": paths.max(axis=1), "low": paths.min(axis=1), "close": paths[:, -1]}
    (one,) = sessions(PriceSeries("a", np.datetime64("2020-01-01") + np.arange(400), columns))
    assert math.sqrt(np.nanmean(one.variance)) == pytest.approx(0.02, rel=0.05)


@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)), min_size=1, max_size=40), st.integers(1, 50))
def test_a_trailing_mean_is_that_of_pandas(values: list[float], count: int) -> None:
    expected = pd.Series(values).rolling(count, min_periods=1).mean()
    np.testing.assert_allclose(trailing_mean(np.array(values), count), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("quarters", [1, 4])
def test_a_season_is_the_week_after_the_same_weekday_quarters_ago(prices: Prices, quarters: int) -> None:
    one = prices(rows=600)
    (own,) = sessions(one)
    season = tables(one, names=[f"season_{quarters}"])[0][:, 0]
    abnormal_move = np.nan_to_num(own.abnormal_move)
    for row in (100, 350, 450, 599):
        then = one.dates[row] - np.timedelta64(91 * quarters, "D")
        week = abnormal_move[one.dates > then][:5].mean()
        usual = np.nanmean(own.abnormal_move[max(row - 249, 0) : row + 1])
        expected = math.log((week + 0.1) / (usual + 0.1)) if then >= one.dates[0] else 0.0
        assert season[row] == pytest.approx(expected, rel=1e-9)


def test_an_event_is_the_greatest_stir_of_late(prices: Prices) -> None:
    one = prices(rows=400)
    leap = one.columns["close"].copy()
    leap[300:] *= 1.3
    columns = {**one.columns, "close": leap, "volume": np.where(np.arange(400) == 300, 5e6, one.columns["volume"])}
    event = tables(replace(one, columns=columns), names=["event_5"])[0][:, 0]
    assert event[300:305].min() > 1.5
    assert event[305:330].max() < 1.5
    assert event[200:300].max() < 1.5


def reporting(one: PriceSeries, days: Dates) -> PriceSeries:
    """The same series with a leap, on five times the volume, over the night before each of the `days`."""
    leaps = np.isin(one.dates, days)
    height = 1.1 ** np.cumsum(leaps)
    columns = {
        key: values * (np.where(leaps, 5, 1) if key == "volume" else height) for key, values in one.columns.items()
    }
    return replace(one, columns=columns)


def test_what_came_at_one_place_in_every_quarter_is_due_there_again(prices: Prices) -> None:
    quiet = prices(rows=800)
    days = quiet.dates[40] + np.timedelta64(91, "D") * np.arange(12)
    one = reporting(quiet, days)
    reported = np.flatnonzero(np.isin(one.dates, days))
    table = tables(one, names=[f"due_{step}" for step in range(1, 6)])[0]
    usual = np.nanmean(table[600:])
    for step in range(1, 6):
        assert table[reported[-1] - step, step - 1] > 10 * usual
        assert table[reported[-1] - step - 8, step - 1] < table[reported[-1] - step, step - 1] / 4


@pytest.mark.parametrize("step", [1, 5])
def test_what_is_due_is_the_sum_of_past_quarters_reports(prices: Prices, step: int) -> None:
    panel = [prices(rows=800, seed=seed, name=name) for seed, name in enumerate("ab")]
    one, _ = sessions(*panel)
    earnings_schedule = tables(*panel, names=[f"due_{step}"])[0][:, 0]
    dates, earnings_proxy, reach = one.series.dates, one.earnings_proxy, 31
    for row in range(100, 800, 7):
        expected = 0.0
        for quarter in range(1, 9):
            at = int(np.searchsorted(dates, dates[row] - np.timedelta64(91 * quarter, "D"), side="right")) + step - 1
            if reach <= at <= row - reach and earnings_proxy[at] == earnings_proxy[at - reach : at + reach + 1].max():
                height = math.log((earnings_proxy[at] + 0.1) / (earnings_proxy[max(at - 249, 0) : at + 1].mean() + 0.1))
                expected += (2 if quarter <= 4 else 1) * min(max(height, 0), 3)
        assert earnings_schedule[row] == pytest.approx(expected, rel=1e-9)


def test_news_is_what_the_others_did_not_do(prices: Prices) -> None:
    one = prices(rows=300, name="a")
    alone, together = sessions(one)[0], sessions(one, replace(one, name="b"))[0]
    assert alone.earnings_proxy[20:].min() > 0
    np.testing.assert_allclose(together.earnings_proxy, 0, atol=1e-12)
    reported = reporting(one, one.dates[[250]])
    earnings_proxy = sessions(reported, replace(one, name="b"))[0].earnings_proxy
    assert np.flatnonzero(earnings_proxy > 1e-9).tolist() == [250]


def test_the_others_of_a_series_are_those_that_trade_on_a_day(prices: Prices) -> None:
    panel = [
        prices(rows=300, name="a"),
        prices(rows=200, seed=1, name="b", start="2020-04-01"),
        prices(rows=90, seed=2, name="c"),
    ]
    stacked = pd.Series(np.concatenate([one.returns for one in sessions(*panel)]))
    by_day = stacked.groupby(np.concatenate([one.dates for one in panel]))
    others = by_day.transform("count") - stacked.notna()
    expected = ((by_day.transform("sum") - stacked.fillna(0)) / others).where(others > 0, 0.0)
    mean = np.concatenate([np.asarray(one.others_return) for one in sessions(*panel)])
    np.testing.assert_allclose(mean, expected, rtol=1e-9, atol=1e-15)


def test_seasons_and_lags_are_given_to_whoever_asks(prices: Prices) -> None:
    panel = Panel((prices(rows=60),))
    assert not [name for name in choose_features((), panel, "close") if name.startswith(("season", "lag"))]
    assert choose_features(("season_1", "lag_63"), panel, "close") == ("season_1", "lag_63")


def test_the_market_is_the_mean_of_those_that_trade_on_a_day(prices: Prices) -> None:
    panel = [prices(rows=300, name="a"), prices(rows=200, seed=1, name="b", start="2020-04-01")]
    own = tables(*panel, names=["variance_5"])
    market = tables(*panel, names=["market_variance_5"])
    stacked = pd.Series(np.concatenate(own)[:, 0])
    dates = np.concatenate([one.dates for one in panel])
    expected = stacked.groupby(dates).transform("mean").where(stacked.notna())
    np.testing.assert_allclose(np.concatenate(market)[:, 0], expected, rtol=1e-9)
    np.testing.assert_array_equal(tables(panel[0], names=["market_variance_5"])[0], own[0])


def test_prices_that_stand_still_for_weeks_and_leap_have_finite_features(prices: Prices) -> None:
    one = prices(rows=400)
    rows = np.arange(400)
    factor = np.where(rows >= 300, 0.6, 1.0)
    columns = {
        key: np.where((rows >= 200) & (rows < 240), 50.0, values * factor)
        for key, values in one.columns.items()
        if key != "volume"
    }
    table = tables(replace(one, columns={**columns, "volume": np.where(rows < 30, np.nan, 0.0)}))[0]
    assert np.isnan(table[:20]).all()
    assert np.isfinite(table[20:]).all()


@pytest.mark.parametrize(
    ("wanted", "said", "fix"),
    [
        (("close", "retrun"), "Did you mean 'return'", """--set 'data.features=["close","return"]';"""),
        (("zzz",), "there is no feature 'zzz'", "--set 'data.features=[]';"),
        (("close", "volume"), "needs the column 'volume'", """--set 'data.features=["close"]'"""),
    ],
)
def test_a_feature_that_can_not_be_had_is_refused_with_the_others(
    wanted: tuple[str, ...], said: str, fix: str, prices: Prices
) -> None:
    with pytest.raises((ConfigError, DataError), match=said) as refused:
        choose_features(wanted, Panel((prices(rows=30, columns=("open", "close")),)), "close")
    assert str(refused.value.fix).startswith(fix)


def test_a_volume_of_nought_can_not_be_forecast(prices: Prices) -> None:
    series = prices(rows=30)
    volume = series.columns["volume"].copy()
    volume[7] = 0
    idle = replace(series, columns={**series.columns, "volume": volume})
    with pytest.raises(DataError, match=f"volume on {series.dates[7]} is 0") as refused:
        return_series(idle, "volume", 20)
    assert refused.value.fix == "--set data.price=close"


def test_a_panel_sees_what_most_of_its_series_have(prices: Prices) -> None:
    whole, closes = prices(rows=60, name="a"), prices(rows=60, name="b", columns=("close",))
    bare = choose_features((), Panel((closes,)), "close")
    assert "return" in bare
    assert not {"volume_surprise", "square_5"} & set(bare)
    assert {"volume_surprise", "square_5", *MARKET} <= set(choose_features((), Panel((whole, closes)), "close"))
    some = Panel((whole, closes, replace(closes, name="c")))
    assert not {"volume_surprise", "square_5"} & set(choose_features((), some, "close"))


def test_a_series_without_volume_among_others_has_no_surprise_in_it(prices: Prices) -> None:
    silent = without(prices(rows=60, name="b"), "volume")
    surprise = tables(prices(rows=60, name="a"), silent, names=["volume_surprise"])[1]
    np.testing.assert_array_equal(surprise[20:], 0.0)


def test_a_feature_that_can_not_be_made_is_refused_with_what_can(prices: Prices) -> None:
    closes = Panel((prices(rows=60, columns=("close",)),))
    with pytest.raises(ConfigError, match="no feature 'vwap'") as unknown:
        choose_features(("vwap",), closes, "close")
    assert "volume_surprise" in (unknown.value.fix or "")
    with pytest.raises(DataError, match="'volume_surprise' needs the column 'volume'; the prices have close"):
        choose_features(("volume_surprise",), closes, "close")
    with pytest.raises(DataError, match="no column 'open'; it has close"):
        return_series(closes.series[0], "open", HALFLIFE)
