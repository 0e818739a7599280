"""Exponentially weighted volatility: the unit in which moves are measured."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from stockcast.data.series import Floats

VOLATILITY_WARMUP = 20
"""Sessions whose mean squared return starts the EWMA; no feature is known before."""

VOLATILITY_FLOOR = 1e-4
"""One basis point a session: a price that stands still must not divide by zero."""

BLOCK = 500
"""Half-lives that an EWMA is summed over in one go; 0.5 to this power is far from underflow."""


def ewma_volatility(returns: Floats, halflife: float) -> Floats:
    """Exponentially weighted volatility of one session's log return, (rows,), known at each row's close.

    RiskMetrics' recursion v[t] = w v[t-1] + (1-w) r[t]^2 with w = 2^(-1/halflife) (J.P. Morgan, RiskMetrics Technical
    Document, 1996), begun with the mean square of the first `VOLATILITY_WARMUP` returns. NaN before that.
    """
    volatility = np.full(len(returns), np.nan)
    start = VOLATILITY_WARMUP  # row 0 has no return
    if len(returns) > start:
        squares = np.square(returns[1:])
        first = float(np.mean(squares[:start]))
        volatility[start] = math.sqrt(first)
        volatility[start + 1 :] = np.sqrt(ewma(squares[start:], halflife, first))
    floored: Floats = np.maximum(volatility, VOLATILITY_FLOOR)
    return floored


def ewma(values: Floats, halflife: float, first: float) -> Floats:
    """The exponentially weighted mean of `values` after each of them, begun at `first`; shape (n,) as `values`.

    In blocks, not value by value: after step t of one, m[t] = w^t (first + (1-w) sum of w^-s value[s] over s <= t).
    """
    weight = 0.5 ** min(1 / halflife, BLOCK)
    powers = _powers(weight, max(1, int(BLOCK * halflife)))
    rows = len(powers)
    means = np.empty(len(values))
    for start in range(0, len(values), rows):
        block = values[start : start + rows]
        decay = powers[: len(block)]
        means[start : start + rows] = decay * (first + (1 - weight) * np.cumsum(block / decay))
        first = means[start + len(block) - 1]
    return means


@lru_cache(maxsize=8)
def _powers(weight: float, count: int) -> Floats:
    """`weight` to the power of 1 to `count`: the same for all series, and slower than all else of an EWMA."""
    powers: Floats = np.power(weight, np.arange(1.0, count + 1))
    powers.flags.writeable = False
    return powers
