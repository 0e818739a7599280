"""The gate: who passes, who doesn't, and that nothing broken ever does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from stockcast.data.forecast import LEVELS, QUANTILES, EvaluatedForecast, Forecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.gate import decide

NORMAL = np.array([-1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96])


def evaluated(
    one: PriceSeries, width: float, change: Callable[[np.ndarray], np.ndarray] = lambda point: point, days: int = 100
) -> EvaluatedForecast:
    """The last price with normal bands of `width`, over the newest `days` rows; `change` spoils the points (n, 1)."""
    rows = np.arange(len(one) - days - 1, len(one) - 1)
    last = one.columns["close"][rows]
    point = change(last[:, None].copy())
    forecast = Forecast(np.zeros_like(rows), rows, last, point, point[..., None] * np.exp(width * NORMAL), QUANTILES)
    return evaluate("daily", Panel((one,)), forecast, "close")


@pytest.fixture
def series(prices: Callable[..., PriceSeries]) -> PriceSeries:
    return prices(rows=400)


def test_an_equal_passes_and_a_worse_one_only_within_the_tolerance(series: PriceSeries) -> None:
    usual = float(np.diff(np.log(series.columns["close"][-101:])).std())
    champion, worse = evaluated(series, usual), evaluated(series, usual, lambda point: point * 1.005)
    assert decide(champion, champion, champion, 0.0).promoted
    strict = decide(worse, champion, champion, 0.01)
    assert not strict.promoted
    assert strict.ratio is not None
    assert strict.ratio > 1.01
    assert f"{strict.ratio:.4f}" in strict.reason
    assert decide(worse, champion, champion, strict.ratio - 1 + 1e-9).promoted


def test_a_champion_without_tails_is_met_on_the_quantiles_that_both_have(series: PriceSeries) -> None:
    usual = float(np.diff(np.log(series.columns["close"][-101:])).std())
    champion = evaluated(series, usual)
    nine = champion.forecast.quantiles
    eleven = np.concatenate([0.9 * nine[..., :1], nine, 1.1 * nine[..., -1:]], axis=-1)
    challenger = replace(champion, forecast=replace(champion.forecast, quantiles=eleven, levels=LEVELS))
    assert decide(challenger, champion, challenger, 0.0).ratio == 1.0


def nan_once(point: np.ndarray) -> np.ndarray:
    point[7] = np.nan
    return point


def infinite_once(point: np.ndarray) -> np.ndarray:
    point[-1] = np.inf
    return point


POISON: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "not numbers": (nan_once, 0.012),
    "not numbers, at the end": (infinite_once, 0.012),
    "the same price on every day": (lambda point: np.full_like(point, point.mean()), 0.2),
    "80 % band held 0 %": (lambda point: point * 1.5, 0.012),
    "80 % band held 100 %": (lambda point: point, 0.5),
}


@pytest.mark.parametrize("width", [0.2, 3.0])
def test_bands_too_few_days_to_be_caught_by_their_coverage_are_caught_by_their_loss(
    series: PriceSeries, width: float
) -> None:
    champion = evaluated(series, 0.012, days=20)
    decision = decide(evaluated(series, width, days=20), champion, champion, 1e9)
    assert not decision.promoted
    assert decision.ratio is None
    assert "times" in decision.reason


def test_a_champion_whose_forecasts_are_no_numbers_gives_way(series: PriceSeries) -> None:
    sound = evaluated(series, 0.012)
    decision = decide(sound, evaluated(series, 0.012, nan_once), sound, 0.01)
    assert decision.promoted
    assert decision.ratio is None
    assert "champion" in decision.reason
    assert not decide(evaluated(series, 0.012, nan_once), evaluated(series, 0.012, nan_once), sound, 0.01).promoted


@pytest.mark.parametrize(("change", "width"), list(POISON.values()), ids=list(POISON))
def test_what_is_broken_never_passes_whatever_the_tolerance(
    series: PriceSeries, change: Callable[[np.ndarray], np.ndarray], width: float, request: pytest.FixtureRequest
) -> None:
    champion = evaluated(series, 0.012)
    decision = decide(evaluated(series, width, change), champion, champion, 1e9)
    assert not decision.promoted
    assert decision.ratio is None
    assert request.node.callspec.id.split(",")[0] in decision.reason
