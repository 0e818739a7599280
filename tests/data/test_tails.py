"""The tail's formulas against the generalized Pareto distribution of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import genpareto

from stockcast.data.forecast import LEVELS, QUANTILES
from stockcast.data.tails import INDEX, beyond, expected_shortfall, has_shortfall, mean_excess


@pytest.mark.parametrize("scale", [0.2, 1.0, 30.0])
def test_the_tails_quantile_lies_where_scipys_does(scale: float) -> None:
    """Beyond the 2.5 % quantile, one outcome in 2.5 lies beyond the 1 % quantile."""
    tail = genpareto(INDEX, scale=scale)
    assert beyond(tail.mean()) == pytest.approx(tail.isf(0.01 / 0.025))


@pytest.mark.parametrize("ratio", [2.0, 2.5])
def test_the_mean_excess_follows_from_the_distance_to_a_likelier_quantile(ratio: float) -> None:
    tail = genpareto(INDEX, scale=0.7)
    farther = tail.isf(1 / ratio)
    mean = quad(lambda x: x * tail.pdf(x), farther, np.inf)[0] / tail.sf(farther) - farther
    assert mean_excess(farther, ratio) == pytest.approx(mean)


def test_the_expected_shortfall_is_the_mean_log_price_below_the_one_percent_quantile() -> None:
    tail = genpareto(INDEX, scale=0.01)
    low, outer = -0.05 - tail.isf(0.4), -0.05
    prices = 80 * np.exp(np.array([low, outer, 0.0]))
    far = tail.isf(0.4)
    mean = quad(lambda x: x * tail.pdf(x), far, np.inf)[0] / tail.sf(far)
    assert expected_shortfall(prices, (0.01, 0.025, 0.5)) == pytest.approx(80 * np.exp(-0.05 - mean))


def test_it_lies_below_its_quantile_and_above_nothing_but_where_that_does_not() -> None:
    quantiles = np.array([[[0.5, 40.0]], [[-2.0, 1.0]], [[30.0, 30.0]]])
    found = expected_shortfall(quantiles, (0.01, 0.025))
    assert 0 < found[0, 0] < 0.5
    assert found[1, 0] == pytest.approx(-2.0 - 3.0 * mean_excess(1.0, 2.5))
    assert found[2, 0] == 30.0


def test_it_needs_the_two_lowest_levels() -> None:
    assert has_shortfall(LEVELS)
    assert not has_shortfall(QUANTILES)
    assert not has_shortfall((0.01, 0.05, 0.5))
