"""The opponents: what they say, against oracles, and that they see no future."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.data.forecast import LEVELS, Forecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import DataError, UsageError
from stockcast.evaluate.steps import naive_errors, score
from stockcast.model.baselines import BASELINES, Scaled, build

Prices = Callable[..., PriceSeries]
HORIZON = 5
BANDED = ("naive", "drift", "ewma", "har", "har-own")
"""Those that need no library."""


def walk(rows: int = 600, seed: int = 1, name: str = "one") -> PriceSeries:
    """A close-only random walk whose volatility doubles and halves every hundred days."""
    random = np.random.default_rng(seed)
    volatility = np.where(np.arange(rows) // 100 % 2, 0.02, 0.01)
    dates = np.datetime64("2015-01-01") + np.arange(rows)
    return PriceSeries(name, dates, {"close": 50 * np.exp(np.cumsum(volatility * random.standard_normal(rows)))})


def known(panel: Panel, rows: int) -> Panel:
    return panel.upto(np.datetime64("2015-01-01") + rows - 1)


def same(one: Forecast, other: Forecast) -> bool:
    return all(
        np.array_equal(getattr(one, key), getattr(other, key))
        for key in ("series", "row", "last", "point", "quantiles")
    )


def spread(forecast: Forecast) -> np.ndarray:
    """The log of the upper over the lower end of the 80 % band, (n, H)."""
    return np.log(forecast.quantiles[..., LEVELS.index(0.9)] / forecast.quantiles[..., LEVELS.index(0.1)])


def test_the_last_price_has_the_quantiles_of_past_moves() -> None:
    panel = Panel((walk(),))
    level = panel.series[0].columns["close"]
    forecast = build("naive", known(panel, 400), "close", HORIZON).forecast(panel, [np.array([450, 599])])
    np.testing.assert_array_equal(forecast.point, np.repeat(level[[450, 599]][:, None], HORIZON, axis=1))
    for step in range(1, HORIZON + 1):
        moves = level[step:400] / level[: 400 - step]
        expected = np.exp(np.quantile(np.log(moves), LEVELS))
        np.testing.assert_allclose(forecast.quantiles[1, step - 1], level[599] * expected)


def test_drift_goes_on_as_training_did() -> None:
    panel = Panel((walk(),))
    level = panel.series[0].columns["close"]
    forecast = build("drift", known(panel, 400), "close", HORIZON).forecast(panel, [np.array([500])])
    growth = (level[399] / level[0]) ** (1 / 399)
    np.testing.assert_allclose(forecast.point[0], level[500] * growth ** np.arange(1, HORIZON + 1))


def test_ewma_bands_are_as_wide_as_pandas_ewma_volatility() -> None:
    panel = Panel((walk(),))
    returns = np.diff(np.log(panel.series[0].columns["close"]))
    variance = pd.Series([np.mean(returns[:399] ** 2), *returns**2]).ewm(halflife=20, adjust=False).mean().to_numpy()
    rows = np.array([0, 50, 150, 599])
    forecast = build("ewma", known(panel, 400), "close", HORIZON).forecast(panel, [rows])
    width = spread(forecast)
    np.testing.assert_allclose(width / width[:1], np.repeat(np.sqrt(variance[rows] / variance[0])[:, None], HORIZON, 1))
    moves = np.log(panel.series[0].columns["close"])
    moves = (moves[2:400] - moves[:398]) / np.sqrt(2 * variance[:398])
    expected = np.quantile(moves, LEVELS) * np.sqrt(2 * variance[599])
    np.testing.assert_allclose(np.log(forecast.quantiles[3, 1] / forecast.last[3]), expected)


def test_garch_volatility_is_archs_own() -> None:
    from arch import arch_model

    panel = Panel((walk(1500),))
    returns = np.diff(np.log(panel.series[0].columns["close"]))
    forecaster = build("garch", panel, "close", HORIZON)
    assert isinstance(forecaster, Scaled)
    ahead = forecaster.volatility.ahead(panel, "close", HORIZON)[0]  # (rows, H)
    fit = cast("Any", arch_model(100 * returns, mean="Zero", dist="t", rescale=False).fit(disp="off"))
    np.testing.assert_allclose(ahead[300:-1, 0], fit.conditional_volatility[300:] / 100, rtol=2e-3)
    steps = fit.forecast(horizon=HORIZON, reindex=False).variance.to_numpy()[0] / 100**2
    np.testing.assert_allclose(ahead[-1], np.sqrt(np.cumsum(steps)), rtol=2e-3)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("last", [10, 400, 450])
def test_no_later_price_moves_a_forecast_by_a_bit(name: str, last: int) -> None:
    one, two = walk(seed=1, name="one"), walk(seed=2, name="two")
    panel = Panel((one, two))
    forecaster = build(name, known(panel, 400), "close", HORIZON)
    origins = [np.arange(last + 1), np.arange(last // 2, last + 1)]
    before = forecaster.forecast(panel, origins)
    shock = np.where(np.arange(600) > last, 1 + np.random.default_rng(3).random(600), 1)
    changed = [PriceSeries(each.name, each.dates, {"close": each.columns["close"] * shock}) for each in panel.series]
    assert same(before, forecaster.forecast(Panel(tuple(changed)), origins))
    assert same(before, forecaster.forecast(known(panel, last + 1), origins))


@pytest.mark.parametrize("name", BASELINES)
def test_training_is_all_that_fitting_sees(name: str) -> None:
    panel = Panel((walk(),))
    longer = Panel((walk(700),))
    rows = [np.array([500])]
    one = build(name, known(panel, 400), "close", HORIZON).forecast(panel, rows)
    other = build(name, known(longer, 400), "close", HORIZON).forecast(panel, rows)
    assert same(one, other)


@pytest.mark.parametrize("name", BASELINES)
def test_series_that_training_never_saw_get_the_bands_of_all_others(name: str) -> None:
    old = Panel((walk(seed=1, name="a"), walk(seed=2, name="b")))
    new = walk(rows=60, seed=3, name="new")
    panel = Panel((*old.series, new))
    forecast = build(name, old, "close", HORIZON).forecast(panel, [np.array([599]), np.array([599]), np.array([0, 59])])
    assert np.isfinite(forecast.quantiles).all()
    assert (np.diff(forecast.quantiles, axis=2) > 0).all()
    width = spread(forecast)[:, 0]
    assert (width[2:] > 0.3 * width[:2].min()).all()
    assert (width[2:] < 3 * width[:2].max()).all()


@pytest.mark.parametrize("name", ["naive", "ewma", "har"])
def test_a_short_series_has_no_quantiles_of_its_own(name: str) -> None:
    short, long = walk(rows=70, seed=2, name="short"), walk(seed=1, name="long")
    calm = PriceSeries("short", short.dates, {"close": short.columns["close"] ** 0.01})
    alone = spread(build(name, Panel((calm,)), "close", 1).forecast(Panel((calm,)), [np.array([69])]))
    beside = spread(build(name, Panel((calm, long)), "close", 1).forecast(Panel((calm,)), [np.array([69])]))
    assert (beside > 5 * alone).all() if name == "naive" else (beside != alone).all()


@pytest.mark.parametrize("name", BASELINES)
def test_bands_hold_what_they_say(name: str) -> None:
    panel = Panel((walk(3000),))
    forecaster = build(name, known(panel, 1500), "close", 2)
    evaluated = evaluate(name, panel, forecaster.forecast(panel, [np.arange(1500, 2999)]), "close")
    for step in score(evaluated, naive_errors(panel, "close", 2)):
        for band in step.bands:
            assert band.coverage == pytest.approx(band.level, abs=0.03)


def test_wild_times_have_wider_bands_except_of_the_last_price() -> None:
    panel = Panel((walk(),))
    rows = [np.array([499, 599])]  # after a hundred calm days, after a hundred wild ones
    for name in BASELINES:
        calm, wild = spread(build(name, known(panel, 400), "close", 1).forecast(panel, rows))[:, 0]
        assert wild == pytest.approx(calm) if name in ("naive", "drift") else wild > 1.5 * calm


@given(
    st.lists(st.floats(0.01, 1e6), min_size=30, max_size=60),
    st.sampled_from(["naive", "drift", "ewma", "har", "har-own"]),
)
def test_any_prices_give_finite_bands_in_order(level: list[float], name: str) -> None:
    dates = np.array(["2000-01"], dtype="datetime64[M]") + np.arange(len(level))  # months
    panel = Panel((PriceSeries("monthly", dates.astype("datetime64[D]"), {"close": np.array(level)}),))
    forecast = build(name, panel, "close", 2).forecast(panel, [np.arange(len(level))])
    assert np.isfinite(forecast.quantiles).all()
    assert (forecast.quantiles > 0).all()
    assert (np.diff(forecast.quantiles, axis=2) >= 0).all()


def test_the_column_asked_for_is_forecast(prices: Prices) -> None:
    panel = Panel((prices(),))
    forecast = build("ewma", panel, "open", 1).forecast(panel, [np.array([299])])
    assert forecast.last[0] == panel.series[0].columns["open"][299]


def test_a_series_may_have_no_forecasts() -> None:
    panel = Panel((walk(name="one"), walk(name="two")))
    forecast = build("naive", panel, "close", 1).forecast(panel, [np.empty(0, dtype=np.int64), np.array([5])])
    assert (forecast.series.tolist(), forecast.row.tolist()) == ([1], [5])


def test_prices_that_never_move_have_bands_without_width_and_no_garch() -> None:
    flat = Panel((PriceSeries("flat", np.datetime64("2015-01-01") + np.arange(300), {"close": np.full(300, 7.0)}),))
    for name in BANDED:
        forecast = build(name, flat, "close", 2).forecast(flat, [np.array([250])])
        np.testing.assert_array_equal(forecast.quantiles, np.full((1, 2, len(LEVELS)), 7.0))
    with pytest.raises(DataError, match="found no fit"):
        build("garch", flat, "close", 2)


def test_prices_that_often_stand_still_do_not_break_garch() -> None:
    one = walk(800)
    still = np.repeat(one.columns["close"][:80], 10)  # moves once in ten days
    panel = Panel((one, PriceSeries("still", one.dates, {"close": still})))
    forecast = build("garch", panel, "close", 2).forecast(panel, [np.arange(800)] * 2)
    assert np.isfinite(forecast.quantiles).all()
    assert np.log(forecast.quantiles[..., -1] / forecast.quantiles[..., 0]).max() < 1


def test_an_unknown_baseline_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'garch'") as error:
        build("grach", Panel((walk(),)), "close", 1)
    assert error.value.fix == "use one of naive, drift, ewma, har, har-own, garch."


def test_without_arch_garch_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(UsageError, match="needs the library arch") as error:
        build("garch", Panel((walk(),)), "close", 1)
    assert error.value.fix == "pip install 'stockcast-cli[baselines]'"


def test_too_short_a_training_part_is_refused_with_the_numbers() -> None:
    with pytest.raises(DataError, match="has 24 sessions; the baseline ewma needs 25 to forecast 5 steps"):
        build("ewma", Panel((walk(24),)), "close", 5)
