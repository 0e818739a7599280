"""Log HAR against a design made by hand and numpy's least squares."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.data.forecast import LEVELS, Forecast
from stockcast.data.series import Floats, Panel, PriceSeries
from stockcast.errors import DataError
from stockcast.model.baselines import Scaled, build
from stockcast.model.har import BEYOND, EVEN, FALLS, PRIOR, WINDOWS, fit_log_har

Prices = Callable[..., PriceSeries]
HORIZON = 3


def variance_of(one: PriceSeries) -> Floats:
    """Garman-Klass plus the squared gap, (rows - 1,): written out again, from row 1 on."""
    opening, high, low, close = (np.log(one.columns[key]) for key in ("open", "high", "low", "close"))
    inside = 0.5 * (high - low) ** 2 - (2 * np.log(2) - 1) * (close - opening) ** 2
    variance: Floats = np.maximum(inside, 0)[1:] + (opening[1:] - close[:-1]) ** 2
    return variance


def by_hand(one: PriceSeries, variance: Floats) -> tuple[Floats, Floats]:
    """Regressors (rows, 7) and answers (rows, H), row by row: `variance` (rows - 1,) of all rows but the first."""
    start, returns = variance.mean(), np.diff(np.log(one.columns["close"]))
    before, still_days = np.full(66, start), np.zeros(66)
    history, moves = np.concatenate([before, [start], variance]), np.concatenate([still_days, [0.0], returns])
    rows = len(variance) + 1
    x, y = np.empty((rows, 7)), np.full((rows, HORIZON), np.nan)
    for row in range(rows):
        past, fell = history[: row + 67], moves[: row + 67]
        usual = past[-66:].mean()
        logs = [np.log(past[-window:].mean() + 0.03 * usual) for window in (1, 5, 22, 66)]
        falls = [min(fell[-window:].mean(), 0.0) * np.sqrt(window / usual) for window in (1, 5, 22)]
        x[row] = [*logs, *falls]
        for step in range(1, min(HORIZON, rows - 1 - row) + 1):
            y[row, step - 1] = np.log(history[row + 67 : row + 67 + step].mean() + 0.03 * usual)
    return x, y


def held_to_even(x: Floats, y: Floats) -> tuple[float, Floats]:
    """The level and the slopes: ordinary least squares with rows added that say what is believed."""
    off = x - x.mean(axis=0)
    belief = np.diag(np.sqrt(PRIOR / len(y) * (off**2).sum(axis=0)))
    a, b = np.vstack([off, belief]), np.concatenate([y - y.mean(), belief @ EVEN])
    slopes = np.linalg.lstsq(a, b, rcond=None)[0]
    return float(y.mean() - x.mean(axis=0) @ slopes), slopes


def test_the_windows_are_corsis_with_a_quarter_and_falls_over_his_three() -> None:
    assert (WINDOWS, FALLS) == ((1, 5, 22, 66), (1, 5, 22))
    assert EVEN.sum() == 1


@pytest.mark.parametrize("columns", [("open", "high", "low", "close"), ("close",)])
def test_one_series_is_fitted_as_numpy_fits_a_design_made_by_hand(prices: Prices, columns: tuple[str, ...]) -> None:
    """Where there are closes only, squared returns take the place of the ranges."""
    one = prices(rows=500, columns=columns)
    variance = variance_of(one) if len(columns) > 1 else np.diff(np.log(one.columns["close"])) ** 2
    x, y = by_hand(one, variance)
    spread = fit_log_har(Panel((one,)), "close", HORIZON, pooled=True).ahead(Panel((one,)), "close", HORIZON)[0]
    for step in range(1, HORIZON + 1):
        level, slopes = held_to_even(x[:-step], y[:-step, step - 1])
        np.testing.assert_allclose(spread[:, step - 1], np.sqrt(step * np.exp(level + x @ slopes)), rtol=1e-8)


def test_the_quantiles_are_those_of_past_moves_in_its_own_spread(prices: Prices) -> None:
    one = prices(rows=400)
    panel = Panel((one,))
    forecaster = build("har", panel, "close", HORIZON)
    assert isinstance(forecaster, Scaled)
    spread = forecaster.volatility.ahead(panel, "close", HORIZON)[0]
    level = np.log(one.columns["close"])
    forecast = forecaster.forecast(panel, [np.array([399])])
    for step in range(1, HORIZON + 1):
        numbers = (level[step:] - level[:-step]) / spread[:-step, step - 1]
        expected = np.exp(np.quantile(numbers, LEVELS) * spread[399, step - 1])
        np.testing.assert_allclose(forecast.quantiles[0, step - 1], one.columns["close"][399] * expected)


def test_several_series_share_their_slopes_and_keep_their_levels(prices: Prices) -> None:
    """Deviations from each series' own mean are fitted together: the same as a column of ones for each series."""
    panel = Panel((prices(seed=1, name="a"), calmer(prices(seed=2, name="b"), 4.0)))
    parts = [by_hand(one, variance_of(one)) for one in panel.series]
    x, y = (np.concatenate([part[which][:-1] for part in parts]) for which in (0, 1))
    dummies = np.repeat(np.eye(2), [len(part[0]) - 1 for part in parts], axis=0)
    off = np.concatenate([part[0][:-1] - part[0][:-1].mean(axis=0) for part in parts])
    belief = np.diag(np.sqrt(PRIOR / len(y) * (off**2).sum(axis=0)))
    a = np.vstack([np.hstack([x, dummies]), np.hstack([belief, np.zeros((7, 2))])])
    fitted = np.linalg.lstsq(a, np.concatenate([y[:, 0], belief @ EVEN]), rcond=None)[0]
    together = fit_log_har(panel, "close", 1, pooled=True)
    np.testing.assert_allclose(together.slopes.of(("a", "b"))[..., 0], np.tile(fitted[:7], (2, 1)), rtol=1e-6)
    np.testing.assert_allclose(together.level.of(("a", "b"))[:, 0], fitted[7:], rtol=1e-6)


def test_alone_the_two_are_the_same_and_in_a_panel_each_series_own_is_what_it_is_alone(prices: Prices) -> None:
    one, two = Panel((prices(seed=1, name="a"),)), Panel((prices(seed=2, name="b"),))
    both = Panel((*one.series, *two.series))
    newest = [np.array([299])]
    alone = [build("har-own", panel, "close", 2).forecast(panel, newest) for panel in (one, two)]
    pooled = build("har", one, "close", 2).forecast(one, newest)
    np.testing.assert_array_equal(pooled.quantiles, alone[0].quantiles)
    beside = build("har-own", both, "close", 2).forecast(both, newest * 2)
    np.testing.assert_allclose(beside.quantiles, np.concatenate([one.quantiles for one in alone]), rtol=1e-12)
    assert (build("har", both, "close", 2).forecast(both, newest * 2).quantiles != beside.quantiles).any()


def test_a_fall_makes_the_days_after_it_wilder_where_it_did_so_in_training() -> None:
    random = np.random.default_rng(0)
    returns = np.zeros(1500)
    for row in range(1, 1500):
        returns[row] = 0.01 * (1.0 if returns[row - 1] >= 0 else 2.0) * random.standard_normal()
    one = PriceSeries("one", np.datetime64("2015-01-01") + np.arange(1500), {"close": 50 * np.exp(returns.cumsum())})
    mirrored = PriceSeries("one", one.dates, {"close": 50 * np.exp(-returns.cumsum())})
    har = fit_log_har(Panel((one,)), "close", 1, pooled=True)
    fell, rose = (har.ahead(Panel((each,)), "close", 1)[0, :, 0] for each in (one, mirrored))
    down = returns < -0.02
    assert (fell[down] > rose[down]).mean() > 0.95


@given(st.sampled_from([1e-4, 0.5, 3.0, 1e5]))
def test_the_unit_of_the_price_does_not_matter(unit: float) -> None:
    random = np.random.default_rng(5)
    close = 50 * np.exp(np.cumsum(0.01 * random.standard_normal(200)))
    reach = np.exp(0.01 * random.random(200))
    four = {"open": close, "high": close * reach, "low": close / reach, "close": close}
    dates = np.datetime64("2015-01-01") + np.arange(200)
    plain, other = (
        Panel((PriceSeries("one", dates, {key: factor * values for key, values in four.items()}),))
        for factor in (1.0, unit)
    )
    expected, said = (
        build("har", panel, "close", 2).forecast(panel, [np.array([150, 199])]).quantiles for panel in (plain, other)
    )
    np.testing.assert_allclose(said, unit * expected, rtol=1e-9)


def test_a_short_series_has_the_slopes_and_the_level_of_all(prices: Prices) -> None:
    long, short = prices(seed=1, name="long"), prices(rows=60, seed=2, name="short")
    har = fit_log_har(Panel((long, short)), "close", 2, pooled=False)
    assert set(har.level.own) == set(har.slopes.own) == {"long"}
    alone = build("har", Panel((short,)), "close", 2).forecast(Panel((short,)), [np.array([0, 59])])
    assert np.isfinite(alone.quantiles).all()
    with pytest.raises(DataError, match="has 21 sessions; the baseline har needs 22 to forecast 2 steps"):
        build("har", Panel((prices(rows=21),)), "close", 2)


def test_a_few_weeks_of_training_do_not_make_it_wild(prices: Prices) -> None:
    """What is believed beforehand keeps seven slopes in hand that forty rows know nothing of."""
    panel = Panel((prices(rows=600),))
    forecaster = build("har", panel.upto(panel.dates[39]), "close", 1)
    width = widths(forecaster.forecast(panel, [np.arange(40, 600)]))
    realised = np.abs(np.diff(np.log(panel.series[0].columns["close"]))).mean()
    assert 1 < np.median(width) / realised < 5
    assert width.max() < 5 * np.median(width)


def test_no_forecast_leaves_what_training_saw_by_more_than_its_bound() -> None:
    random = np.random.default_rng(1)
    calm = 50 * np.exp(np.cumsum(0.001 * random.standard_normal(300)))
    burst = np.concatenate([calm, calm[-1] * np.exp(np.cumsum(random.choice([-3.0, 3.0], 20)))])
    panel = Panel((PriceSeries("one", np.datetime64("2015-01-01") + np.arange(320), {"close": burst}),))
    known = panel.upto(panel.dates[299])
    har = fit_log_har(known, "close", 1, pooled=True)
    greatest = (np.diff(np.log(calm)) ** 2).max()
    assert har.ahead(panel, "close", 1).max() ** 2 == pytest.approx(BEYOND * greatest, rel=0.1)


def calmer(one: PriceSeries, power: float) -> PriceSeries:
    """The same with all moves divided by `power`."""
    return PriceSeries(one.name, one.dates, {key: values ** (1 / power) for key, values in one.columns.items()})


def widths(forecast: Forecast) -> Floats:
    """The log of the upper over the lower end of the 80 % band of the first step, (n,)."""
    low, high = (forecast.quantiles[:, 0, LEVELS.index(level)] for level in (0.1, 0.9))
    width: Floats = np.log(high / low)
    return width
