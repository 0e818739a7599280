"""Baselines' bands follow their misses as a network's do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stockcast.data.forecast import LEVELS, Forecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.model.baselines import BASELINES, build
from stockcast.model.calibrate import OUTWARD, Calibration, PendingForecasts

Prices = Callable[..., PriceSeries]
RATES = (0.02, 0.05)
ARRAYS = ("series", "row", "last", "point", "quantiles")


@pytest.fixture(scope="module")
def panel(prices: Prices) -> Panel:
    """Two series whose days are not all the same; the second begins later and wakes up in the middle."""
    one, two = prices(rows=300, seed=1, name="a"), prices(rows=260, seed=2, name="b", start="2020-03-02")
    wild = np.where(np.arange(260) > 160, 2.0, 1.0)
    close = two.columns["close"][0] * np.exp(np.cumsum(np.diff(np.log(two.columns["close"]), prepend=0.0) * wild))
    return Panel((one, PriceSeries("b", two.dates, {"close": close * two.columns["close"][0]})))


def known(panel: Panel) -> Panel:
    return panel.upto(panel.series[0].dates[199])


def late(panel: Panel) -> list[np.ndarray]:
    """All rows from the end of training on."""
    return [np.flatnonzero(one.dates >= known(panel).dates[-1]) for one in panel.series]


def same(one: Forecast, other: Forecast) -> bool:
    return all(np.array_equal(getattr(one, key), getattr(other, key)) for key in ARRAYS)


def test_one_step_of_one_series_moves_as_the_rule_says(prices: Prices) -> None:
    """Worked out day by day: at each close the answer to yesterday's forecast comes first, then a new forecast."""
    panel = Panel((prices(),))
    level = np.log(panel.series[0].columns["close"])
    rows = [np.arange(199, 300)]
    bare = build("har", known(panel), "close", 1).forecast(panel, rows)
    plain = np.log(bare.quantiles[:, 0] / bare.last[:, None])
    said = build("har", known(panel), "close", 1, *RATES).forecast(panel, rows)
    offset, log_scale, before, median = np.zeros(11), 0.0, None, 5
    for day, row in enumerate(rows[0]):
        if before is not None:
            lacking = np.array(LEVELS) - (level[row] - level[row - 1] <= before)
            lacking[median] = 0.0
            offset += RATES[0] * lacking
            log_scale += RATES[1] * lacking[1:-1] @ OUTWARD  # the tails have no say in the width
        moved = plain[day] + offset * (plain[day, 7] - plain[day, 3])
        before = moved[median] + (moved - moved[median]) * np.exp(log_scale)
        np.testing.assert_allclose(np.log(said.quantiles[day, 0] / said.last[day]), before, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in BASELINES if name != "garch"])
def test_several_series_and_steps_follow_as_calibration_does(panel: Panel, name: str) -> None:
    bare = evaluate(name, panel, build(name, known(panel), "close", 3).forecast(panel, late(panel)), "close")
    last = bare.forecast.last[:, None]
    calibration = Calibration(np.zeros((3, 11)), 0, False, *RATES, since=known(panel).dates[-1])
    answers = np.log(bare.actual / last)
    pending = PendingForecasts(panel.names, bare.forecast.series, bare.origin, bare.dates, answers)
    expected = calibration.adapt(np.log(bare.forecast.quantiles / last[..., None]), pending)
    said = build(name, known(panel), "close", 3, *RATES).forecast(panel, late(panel))
    np.testing.assert_allclose(np.log(said.quantiles / last[..., None]), expected, atol=1e-12)
    np.testing.assert_array_equal(said.point, bare.forecast.point)
    assert (said.quantiles != bare.forecast.quantiles).any()


@pytest.mark.parametrize("name", ["naive", "ewma", "har"])
def test_what_is_asked_for_does_not_matter_nor_what_comes_later(panel: Panel, name: str) -> None:
    """The newest forecast has followed all answers, and no later one, though it was asked for by itself."""
    forecaster = build(name, known(panel), "close", 3, *RATES)
    every = forecaster.forecast(panel, late(panel))
    day = panel.series[0].dates[250]
    rows = [np.flatnonzero(one.dates == day) for one in panel.series]
    alone = forecaster.forecast(panel, rows)
    until = forecaster.forecast(panel.upto(day), rows)
    assert same(alone, until)
    wanted = [np.flatnonzero((every.series == index) & (every.row == row[0])) for index, row in enumerate(rows)]
    np.testing.assert_array_equal(alone.quantiles, every.quantiles[np.concatenate(wanted)])


def test_forecasts_before_the_end_of_training_are_as_they_were(panel: Panel) -> None:
    early = [np.arange(100, 150), np.array([20, 10])]
    bare, following = (build("ewma", known(panel), "close", 2, *rates) for rates in ((), RATES))
    assert same(bare.forecast(panel, early), following.forecast(panel, early))
    assert (following.name, type(following).__name__) == ("ewma", "Following")
    nothing = [np.array([], dtype=np.int64)] * 2
    assert len(following.forecast(panel, nothing)) == 0


def test_following_mends_bands_that_training_left_too_narrow(panel: Panel) -> None:
    """The second series became twice as wild after training, and nothing of that is in its constant bands."""
    rows = [np.array([], dtype=np.int64), late(panel)[1]]
    inside = []
    for rates in ((), RATES):
        judged = evaluate(
            "naive", panel, build("naive", known(panel), "close", 1, *rates).forecast(panel, rows), "close"
        )
        low, high = judged.forecast.quantiles[40:-1, 0, 3], judged.forecast.quantiles[40:-1, 0, 7]
        inside.append(((judged.actual[40:-1, 0] >= low) & (judged.actual[40:-1, 0] <= high)).mean())
    assert inside[0] < inside[1] - 0.05
