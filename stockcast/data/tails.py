"""The tails of a forecast: where its 1 and 99 % quantiles lie, and what the worst of a hundred outcomes come to.

One outcome in forty falls below its 2.5 % quantile and one in a hundred below its 1 % quantile: the deeper, the fewer
there are to learn from. But whatever the whole does, what lies beyond a deep quantile follows a generalized Pareto
distribution (Balkema and de Haan 1974; Pickands 1975). With its index known, one number tells where all deeper
quantiles are, and how far outcomes go beyond them on average (McNeil and Frey 2000, Estimation of tail-related risk
measures for heteroscedastic financial time series).
"""

from __future__ import annotations

import numpy as np

from stockcast.data.forecast import LEVELS, QUANTILES
from stockcast.data.series import Floats

TAIL, OUTER = LEVELS[0], QUANTILES[0]
"""The level of the tail, and the lowest that a network learns."""

INDEX = 0.1
"""How heavy the tail is: 0 is exponential, 1 has no mean. Chosen on stocks before 2023: see docs/risk.md."""


def beyond(excess: float) -> float:
    """How far beyond the outer quantile the tail's lies, where outcomes go so far beyond the former on average."""
    return float(excess * (1 - INDEX) * _stretch(OUTER / TAIL))


def mean_excess(distance: float, ratio: float) -> float:
    """How far outcomes go beyond a quantile on average, where one `ratio` times as likely lies `distance` before it."""
    return float(distance * ratio**INDEX / (1 - INDEX) / _stretch(ratio))


def has_shortfall(levels: tuple[float, ...]) -> bool:
    """Whether quantiles at these levels tell the expected shortfall."""
    return TAIL in levels and OUTER in levels


def expected_shortfall(quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """The mean price of what lies below the 1 % quantile, of quantiles (..., Q) at levels that tell it, (...).

    Prices fall by ratios, so that the distances are those of their logarithms, and nothing falls below 0. A model of
    price levels may have quantiles that are not above 0: of these the distances are taken as they are.
    """
    tail, outer = (quantiles[..., levels.index(level)] for level in (TAIL, OUTER))
    positive = tail > 0
    ratio = np.divide(tail, outer, out=np.ones_like(tail), where=positive)
    reach = mean_excess(1.0, OUTER / TAIL)
    return np.where(positive, tail * ratio**reach, tail - reach * (outer - tail))


def _stretch(ratio: float) -> float:
    """How far apart two quantiles are, in scales of the Pareto beyond the likelier one, that is `ratio` times so."""
    return float((ratio**INDEX - 1) / INDEX)
