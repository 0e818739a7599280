"""Copies of the last price are found out; forecasts that know something, and those that claim nothing, are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stockcast.data.forecast import QUANTILES, EvaluatedForecast, Forecast, evaluate
from stockcast.data.series import Floats, Panel, PriceSeries
from stockcast.evaluate.persistence import PersistenceCheck, check_persistence

DAYS = 300
START = 40


def walks(count: int = 1, days: int = DAYS, trend: float = 0.0) -> Panel:
    """Random walks; with a `trend` above 0, each return goes on by that share into the next."""
    random = np.random.default_rng(3)
    dates = np.busday_offset("2020-01-01", np.arange(days), roll="forward")
    every = []
    for index in range(count):
        returns = 0.01 * random.standard_normal(days)
        for row in range(1, days):
            returns[row] += trend * returns[row - 1]
        every.append(PriceSeries(f"w{index}", dates, {"close": 10**index * np.exp(np.cumsum(returns))}))
    return Panel(tuple(every))


def found(panel: Panel, points: list[Floats]) -> PersistenceCheck:
    """The echo of one-step forecasts `points`, one array for each series, made on the rows from `START` on."""
    rows = [np.arange(START, len(one) - 1) for one in panel.series]
    series = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    row, point = np.concatenate(rows), np.concatenate(points)
    last = np.concatenate([one.columns["close"][mine] for one, mine in zip(panel.series, rows, strict=True)])
    quantiles = np.repeat(point[:, None, None], len(QUANTILES), axis=2)
    return check_persistence(evaluate("test", panel, Forecast(series, row, last, point[:, None], quantiles), "close"))


def levels(panel: Panel) -> list[Floats]:
    return [one.columns["close"] for one in panel.series]


def late(level: Floats, days: int) -> Floats:
    """The price of `days` before, for each cutoff."""
    return level[START - days : len(level) - 1 - days]


COPIES: dict[str, Callable[[Floats], Floats]] = {
    "shifted up": lambda level: 1.03 * late(level, 0),
    "shrunk to the mean of the past": lambda level: 0.8 * late(level, 0) + 0.2 * 0.9 * level[:START].mean(),
    "a day later still": lambda level: late(level, 1),
    "smoothed": lambda level: np.mean([late(level, day) for day in range(5)], axis=0),
    "smoothed, shrunk and shifted": lambda level: 0.9 * (0.6 * late(level, 0) + 0.4 * late(level, 2)) + 0.05 * level[0],
}


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_found_out(kind: str, count: int) -> None:
    panel = walks(count)
    result = found(panel, [COPIES[kind](level) for level in levels(panel)])
    assert result.repeats
    assert result.score > 0.9
    assert abs(result.ahead) < 0.2


def test_a_copy_is_found_out_in_twenty_days() -> None:
    panel = walks(days=START + 21)
    assert found(panel, [COPIES["smoothed, shrunk and shifted"](level) for level in levels(panel)]).repeats


def test_it_says_how_late_the_copy_is() -> None:
    panel = walks()
    assert [found(panel, [1.03 * late(levels(panel)[0], day)]).late for day in range(4)] == [1, 2, 3, 4]


@pytest.mark.parametrize("noise", [0.0, 0.005, 0.02])
def test_a_forecast_that_knows_the_future_is_no_echo(noise: float) -> None:
    panel = walks(2)
    random = np.random.default_rng(2)
    points = [
        level[START + 1 :] * np.exp(noise * random.standard_normal(len(level) - START - 1)) for level in levels(panel)
    ]
    result = found(panel, points)
    assert not result.repeats
    assert not result.is_last_price
    assert result.score < 0.1


def test_a_forecast_from_past_prices_that_does_foresee_is_no_echo() -> None:
    panel = walks(trend=0.5)
    level = levels(panel)[0]
    result = found(panel, [late(level, 0) * (late(level, 0) / late(level, 1)) ** 0.5])
    assert result.score > 0.9
    assert result.gain > 0.05
    assert not result.repeats


@pytest.mark.parametrize("offset", [0.0, 1e-9, 0.0005])
def test_a_forecaster_that_stays_at_the_last_price_claims_nothing_and_is_no_echo(offset: float) -> None:
    panel = walks(2)
    result = found(panel, [(1 + offset) * late(level, 0) for level in levels(panel)])
    assert result.is_last_price
    assert not result.repeats
    assert result.slope == pytest.approx(1 + offset)


def test_a_forecast_that_never_moves_is_no_echo() -> None:
    panel = walks()
    assert not found(panel, [np.full(DAYS - START - 1, levels(panel)[0][0])]).repeats


def test_too_few_forecasts_in_a_row_say_nothing() -> None:
    panel = walks(days=START + 13)
    result = found(panel, [1.03 * late(levels(panel)[0], 0)])
    assert np.isnan(result.score)
    assert not result.repeats


def test_forecasts_not_made_day_after_day_are_not_compared() -> None:
    panel = walks()
    rows = np.arange(START, DAYS - 1, 2)
    last = levels(panel)[0][rows]
    quantiles = np.repeat(last[:, None, None], len(QUANTILES), axis=2)
    forecast = Forecast(np.zeros(len(rows), dtype=np.int64), rows, last, 1.03 * last[:, None], quantiles)
    evaluated: EvaluatedForecast = evaluate("test", panel, forecast, "close")
    assert np.isnan(check_persistence(evaluated).score)
