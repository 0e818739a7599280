"""Scores of forecasts: pure functions on arrays, each with the source of its formula.

`actual`, `forecast`, `last`, `low` and `high` have shape (n,), `quantiles` (n, Q); all in price units. None may hold
NaN: leave the steps after the end of the data out first. The mean of no values is NaN.

R^2 is not here. On price levels it is near 1 for every forecast, the last price included, and says nothing.
"""

from __future__ import annotations

import numpy as np

from stockcast.data.series import Floats

Levels = tuple[float, ...]


def mean(values: Floats) -> float:
    """The mean, NaN of nothing."""
    return float(values.mean()) if values.size else float("nan")


def mae(actual: Floats, forecast: Floats) -> float:
    """Mean absolute error, in the price's unit (Hyndman & Athanasopoulos, Forecasting, section 5.8)."""
    return mean(np.abs(actual - forecast))


def rmse(actual: Floats, forecast: Floats) -> float:
    """Root of the mean squared error, in the price's unit (Hyndman & Athanasopoulos, Forecasting, section 5.8)."""
    return float(np.sqrt(mean((actual - forecast) ** 2)))


def mape(actual: Floats, forecast: Floats) -> float:
    """Mean absolute error in percent of the actual price (Hyndman & Athanasopoulos, Forecasting, section 5.8)."""
    return mean(100 * np.abs(actual - forecast) / actual)


def smape(actual: Floats, forecast: Floats) -> float:
    """Mean of 200 |y - f| / (|y| + |f|), in percent from 0 to 200 (Makridakis 1993, as used in the M4 competition)."""
    return mean(200 * np.abs(actual - forecast) / (np.abs(actual) + np.abs(forecast)))


def relative(loss: float, other: float) -> float:
    """A loss in units of another one; NaN where that is zero."""
    return loss / other if other > 0 else float("nan")


def mase(actual: Floats, forecast: Floats, naive_absolute: Floats) -> float:
    """Mean absolute scaled error: errors in units of the last price's mean absolute error in training.

    `naive_absolute` (n,) is that error for each forecast's series. Hyndman & Koehler (2006), Another look at measures
    of forecast accuracy; here step h is scaled by the error of the last price h steps ahead, so that 1 means "as
    good as the last price was in training" at every step. Series without such an error (NaN or 0) are left out.
    """
    return mean(_scaled(np.abs(actual - forecast), naive_absolute))


def rmsse(actual: Floats, forecast: Floats, naive_squared: Floats) -> float:
    """Root mean squared scaled error: as `mase`, with `naive_squared` (n,) the mean squared error in training.

    Makridakis, Spiliotis & Assimakopoulos (2022), The M5 competition.
    """
    return float(np.sqrt(mean(_scaled((actual - forecast) ** 2, naive_squared))))


def _scaled(errors: Floats, unit: Floats) -> Floats:
    usable = unit > 0
    return errors[usable] / unit[usable]


def pinball(actual: Floats, quantiles: Floats, levels: Levels) -> Floats:
    """The pinball (quantile) loss of each forecast at each level, (n, Q). Koenker & Bassett (1978)."""
    below = actual[:, None] - quantiles  # (n, Q)
    probability = np.asarray(levels)
    return np.maximum(probability * below, (probability - 1) * below)


def crps(actual: Floats, quantiles: Floats, levels: Levels) -> Floats:
    """The continuous ranked probability score of each forecast, (n,), approximately.

    Twice the mean pinball loss over the levels (Laio & Tamea 2007; Gneiting & Ranjan 2011). The score itself is the
    integral over all levels; with these few, unevenly spaced ones it is an approximation, good for comparing
    forecasts at the same levels and for nothing else.
    """
    losses = pinball(actual, quantiles, levels)  # (n, Q)
    return np.asarray(2 * losses.mean(axis=1))


def interval_score(actual: Floats, low: Floats, high: Floats, coverage: float) -> Floats:
    """Width plus 2 / (1 - coverage) times the distance by which a band was missed, (n,).

    Gneiting & Raftery (2007), Strictly proper scoring rules, section 6.2.
    """
    missed = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
    return high - low + 2 / (1 - coverage) * missed


def fz0(returns: Floats, value_at_risk: Floats, shortfall: Floats, level: float) -> Floats:
    """The joint score of a quantile of returns and of the mean below it, both below zero, (n,); lower is better.

    The loss of Fissler & Ziegel (2016) in the form whose differences have no unit: Patton, Ziegel & Chen (2019),
    Dynamic semiparametric models for expected shortfall (and value-at-risk), equation 6.
    """
    beyond = np.maximum(value_at_risk - returns, 0)
    return np.asarray(value_at_risk / shortfall - beyond / (level * shortfall) + np.log(-shortfall) - 1)


def inside(actual: Floats, low: Floats, high: Floats) -> Floats:
    """1 where the price came to lie in its band, ends included, else 0, (n,)."""
    return ((low <= actual) & (actual <= high)).astype(np.float64)


def pit_histogram(actual: Floats, quantiles: Floats, levels: Levels) -> Floats:
    """The share of prices that fell into each of the Q + 1 gaps between the quantiles, (Q + 1,).

    Of calibrated forecasts, each share is near the gap's own probability `pit_expected`. A histogram of probability
    integral transforms (Dawid 1984; Gneiting, Balabdaoui & Raftery 2007), as fine as the levels allow.
    """
    gap = (actual[:, None] > quantiles).sum(axis=1)  # (n,)
    return np.bincount(gap, minlength=len(levels) + 1) / max(len(actual), 1)


def pit_expected(levels: Levels) -> Floats:
    """The probability of each gap between neighbouring levels, (Q + 1,)."""
    return np.diff([0.0, *levels, 1.0])


def direction_hits(last: Floats, actual: Floats, forecast: Floats) -> Floats:
    """1 where the forecast lay on the right side of the last price, 0 on the wrong one, 1/2 where either stood still.

    A forecast of no change says nothing about direction, so it earns what a coin would.
    """
    return (1 + np.sign(forecast - last) * np.sign(actual - last)) / 2


def skill(loss: float, naive_loss: float) -> float:
    """1 - loss / the last price's loss: 0 is no better, 1 is perfect, below 0 is worse (Murphy 1988). NaN over 0."""
    return 1 - loss / naive_loss if naive_loss > 0 else float("nan")
