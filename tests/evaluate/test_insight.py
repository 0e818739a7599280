"""Permutation importance against what a known model must show, and calm and stormy days against a plain count."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.inspection import permutation_importance as of_sklearn
from sklearn.linear_model import LinearRegression

from stockcast.data.features import DAILY, MARKET
from stockcast.data.forecast import QUANTILES, EvaluatedForecast, Forecast
from stockcast.evaluate.insight.importance import OTHERS, input_groups, permutation_importance
from stockcast.evaluate.insight.regimes import calm_and_stormy

Array = NDArray[np.float32]


def test_every_daily_input_has_a_group_and_known_events_one_of_their_own() -> None:
    groups = input_groups((*DAILY, "report ahead 1", "volume since", "ticker of []", "close", "month=3", "weekday"))
    assert sorted(at for places in groups.values() for at in places) == list(range(len(DAILY) + 6))
    assert groups[OTHERS] == (len(DAILY), len(DAILY) + 1)
    assert len(groups["the market"]) == sum(name in MARKET for name in DAILY)
    assert groups["the prices themselves"] == (len(DAILY) + 3,)
    assert len(groups["the calendar"]) == 3


def test_what_a_model_does_not_use_costs_nothing_and_what_it_uses_costs_what_it_must() -> None:
    random = np.random.default_rng(0)
    windows = random.standard_normal((4000, 3, 3)).astype(np.float32)
    answers = 2 * windows[:, -1, 0] + random.standard_normal(4000)

    def loss(x: Array) -> float:
        return float(np.mean((answers - 2 * x[:, -1, 0]) ** 2))

    first, second, third = permutation_importance(windows, ("return", "volume_surprise", "market_range"), loss, 5)
    assert first.name == "returns"
    assert second.rises == third.rises == (0.0,) * 5
    assert first.mean == pytest.approx(8, rel=0.1)  # E (2x' - 2x)^2 = 8, in units of the noise
    low, high = first.spread
    assert 7 < low < first.mean < high < 9


def test_it_agrees_with_sklearn() -> None:
    random = np.random.default_rng(1)
    flat = random.standard_normal((600, 3))
    answers = flat @ np.array([1.0, 0.4, 0.0]) + 0.5 * random.standard_normal(600)
    fitted = LinearRegression().fit(flat, answers)
    usual = float(np.mean((answers - fitted.predict(flat)) ** 2))
    theirs = of_sklearn(fitted, flat, answers, scoring="neg_mean_squared_error", n_repeats=20, random_state=0)
    names = ("return", "volume_surprise", "market_range")
    ours = permutation_importance(
        flat[:, None, :].astype(np.float32),
        names,
        lambda x: float(np.mean((answers - fitted.predict(x[:, 0].astype(np.float64))) ** 2)),
        20,
    )
    by_input = {one.inputs[0]: one.mean for one in ours}
    expected = dict(zip(names, theirs.importances_mean / usual, strict=True))
    assert by_input == pytest.approx(expected, rel=0.1, abs=0.01)


def test_inputs_of_a_group_are_shuffled_together() -> None:
    base = np.random.default_rng(2).standard_normal((200, 2, 1)).astype(np.float32)
    windows = np.concatenate([base, base], axis=2)

    def loss(x: Array) -> float:
        return 1 + float(np.abs(x[..., 0] - x[..., 1]).sum())

    (together,) = permutation_importance(windows, ("return", "gap"), loss, 3)
    assert together.rises == (0.0, 0.0, 0.0)
    assert permutation_importance(windows[:1], ("return", "gap"), loss, 3) == ()


def evaluated(widths: NDArray[np.float64], actual: NDArray[np.float64], series: NDArray[np.int64]) -> EvaluatedForecast:
    """Forecasts of 100 whose quantiles are a straight line as wide as `widths` (n,)."""
    n = len(widths)
    quantiles = 100 + widths[:, None, None] * (np.array(QUANTILES) - 0.5)[None, None]
    forecast = Forecast(series, np.arange(n), np.full(n, 100.0), np.full((n, 1), 100.0), quantiles)
    days = np.datetime64("2024-01-01") + np.arange(n)
    return EvaluatedForecast("model", ("a", "b"), forecast, actual[:, None], days, days[:, None] + 1)


def test_calm_and_stormy_days_are_those_of_each_series_and_are_counted_apart() -> None:
    random = np.random.default_rng(3)
    series = np.repeat([0, 1], 200)
    widths = random.uniform(1, 2, 400) * np.where(series == 0, 1, 10)  # b is always wider than a
    actual = 100 + random.uniform(-1, 1, 400) * np.where(series == 0, 1, 10)
    found = calm_and_stormy(evaluated(widths, actual, series))
    stormy = np.concatenate([part > np.median(part) for part in (widths[:200], widths[200:])])
    inside = np.abs(actual - 100) <= 0.4 * widths
    for name, days in (("calm", ~stormy), ("stormy", stormy)):
        held = {round(band.level, 3): band.coverage for band in found[name].bands}
        assert found[name].n == 200
        assert held[0.8] == pytest.approx(inside[days].mean())
    assert calm_and_stormy(evaluated(np.ones(10), np.full(10, 100.0), np.zeros(10, dtype=np.int64))) == {}
