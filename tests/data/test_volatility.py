"""EWMA volatility, against the recursion that defines it."""

from __future__ import annotations

import numpy as np
import pytest

from stockcast.data.series import Floats
from stockcast.data.volatility import VOLATILITY_FLOOR, VOLATILITY_WARMUP, ewma_volatility


def by_recursion(returns: Floats, halflife: float) -> Floats:
    weight = 0.5 ** (1 / halflife)
    volatility = np.full(len(returns), np.nan)
    variance = float(np.mean(returns[1 : VOLATILITY_WARMUP + 1] ** 2))
    for row in range(VOLATILITY_WARMUP, len(returns)):
        if row > VOLATILITY_WARMUP:
            variance = weight * variance + (1 - weight) * returns[row] ** 2
        volatility[row] = max(np.sqrt(variance), VOLATILITY_FLOOR)
    return volatility


@pytest.mark.parametrize("halflife", [1e-4, 0.3, 2.0, 20.0, 500.0])
def test_it_is_the_recursion(halflife: float) -> None:
    returns = np.random.default_rng(1).standard_t(3, 3000) * 0.01
    returns[0] = np.nan
    returns[1000:1100] = 0.0  # a price that stands still
    np.testing.assert_allclose(ewma_volatility(returns, halflife), by_recursion(returns, halflife), rtol=1e-12)


def test_no_row_depends_on_a_later_one() -> None:
    returns = np.random.default_rng(2).standard_t(3, 2500) * 0.01
    returns[0] = np.nan
    whole = ewma_volatility(returns, 3.0)
    for rows in (VOLATILITY_WARMUP, VOLATILITY_WARMUP + 1, 700, 1521, 2499):
        np.testing.assert_array_equal(ewma_volatility(returns[:rows], 3.0), whole[:rows])
