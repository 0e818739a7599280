"""The formulas, against scikit-learn, scoringrules and numbers that can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scoringrules  # type: ignore[import-untyped]  # it has no types
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from sklearn import metrics

from stockcast.data.forecast import QUANTILES
from stockcast.evaluate import scores

ACTUAL = np.array([100.0, 110.0, 90.0, 120.0])
FORECAST = np.array([102.0, 105.0, 90.0, 126.0])

prices = arrays(np.float64, 20, elements=st.floats(0.01, 1e6))


@given(prices, prices)
def test_errors_equal_scikit_learns(actual: np.ndarray, forecast: np.ndarray) -> None:
    assert scores.mae(actual, forecast) == pytest.approx(metrics.mean_absolute_error(actual, forecast))
    assert scores.rmse(actual, forecast) == pytest.approx(metrics.root_mean_squared_error(actual, forecast))
    percentage = 100 * metrics.mean_absolute_percentage_error(actual, forecast)
    assert scores.mape(actual, forecast) == pytest.approx(percentage)


def test_the_joint_score_of_the_tail_is_least_at_the_true_quantile_and_mean_beyond() -> None:
    """Of returns of a normal distribution, whose two are known; and by hand for one below and one above."""
    returns = 0.02 * np.random.default_rng(7).standard_normal(400_000)
    quantile, mean = 0.02 * norm.ppf(0.01), -0.02 * norm.pdf(norm.ppf(0.01)) / 0.01
    grid = np.array([0.85, 1.0, 1.15])
    found = [scores.fz0(returns, v * quantile, e * mean, 0.01).mean() for v in grid for e in grid]
    assert np.argmin(found) == 4  # both as they are
    below, above = scores.fz0(np.array([-0.06, 0.01]), np.array([-0.04]), np.array([-0.05]), 0.01)
    assert above == pytest.approx(0.04 / 0.05 + np.log(0.05) - 1)
    assert below == pytest.approx(above + 0.02 / (0.01 * 0.05))


def test_smape_counts_from_both_sides() -> None:
    assert scores.smape(np.array([100.0]), np.array([300.0])) == pytest.approx(100)
    assert scores.smape(np.array([300.0]), np.array([100.0])) == pytest.approx(100)


def test_scaled_errors_are_in_units_of_each_series_own_and_leave_out_those_without() -> None:
    unit = np.array([1.0, 5.0, np.nan, 0.0])
    assert scores.mase(ACTUAL, FORECAST, unit) == pytest.approx((2 / 1 + 5 / 5) / 2)
    assert scores.rmsse(ACTUAL, FORECAST, unit**2) == pytest.approx(np.sqrt((2**2 / 1 + 5**2 / 25) / 2))


def test_pinball_and_crps_equal_their_oracles() -> None:
    random = np.random.default_rng(1)
    actual = random.normal(100, 5, 50)
    quantiles = np.sort(random.normal(100, 5, (50, len(QUANTILES))), axis=1)
    losses = scores.pinball(actual, quantiles, QUANTILES)
    for index, level in enumerate(QUANTILES):
        oracle = metrics.mean_pinball_loss(actual, quantiles[:, index], alpha=level)
        assert losses[:, index].mean() == pytest.approx(oracle)
    oracle = scoringrules.crps_quantile(actual, quantiles, np.array(QUANTILES))
    np.testing.assert_allclose(scores.crps(actual, quantiles, QUANTILES), oracle)


def test_crps_of_many_even_levels_is_near_the_normal_distributions_own() -> None:
    levels = tuple(float(level) for level in (np.arange(2000) + 0.5) / 2000)
    quantiles = np.atleast_2d(norm.ppf(levels))
    found = scores.crps(np.array([0.7]), quantiles, levels)
    np.testing.assert_allclose(found, scoringrules.crps_normal(0.7, 0, 1), rtol=1e-3)


def test_interval_score_equals_its_oracle() -> None:
    low, high = np.array([99.0, 111.0, 80.0, 100.0]), np.array([101.0, 113.0, 89.0, 130.0])
    oracle = scoringrules.interval_score(ACTUAL, low, high, 1 - 0.8)
    np.testing.assert_allclose(scores.interval_score(ACTUAL, low, high, 0.8), oracle)


def test_a_bands_ends_count_as_inside() -> None:
    actual = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(scores.inside(actual, np.full(4, 2.0), np.full(4, 3.0)), [0, 1, 1, 0])


def test_pit_of_a_calibrated_forecast_is_near_the_gaps_own_probabilities() -> None:
    actual = np.random.default_rng(2).standard_normal(20_000)
    quantiles = np.tile(norm.ppf(QUANTILES), (len(actual), 1))
    found = scores.pit_histogram(actual, quantiles, QUANTILES)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found, scores.pit_expected(QUANTILES), atol=0.01)
    narrow = scores.pit_histogram(actual, 0.5 * quantiles, QUANTILES)
    assert narrow[0] > 0.1
    assert narrow[-1] > 0.1


def test_direction_counts_a_tie_as_one_half() -> None:
    last = np.full(5, 10.0)
    actual = np.array([11.0, 11.0, 9.0, 10.0, 12.0])
    forecast = np.array([12.0, 9.0, 8.0, 11.0, 10.0])
    np.testing.assert_array_equal(scores.direction_hits(last, actual, forecast), [1, 0, 1, 0.5, 0.5])


def test_skill_is_nothing_for_the_last_price_and_unknown_where_it_is_perfect() -> None:
    assert scores.skill(4.0, 4.0) == 0
    assert scores.skill(1.0, 4.0) == 0.75
    assert np.isnan(scores.skill(1.0, 0.0))


def test_scores_of_nothing_are_nan_without_a_warning() -> None:
    nothing = np.empty(0)
    assert np.isnan([scores.mae(nothing, nothing), scores.rmse(nothing, nothing), scores.mape(nothing, nothing)]).all()
