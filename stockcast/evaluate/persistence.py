"""Does a forecast only repeat the last price?

Drawn over the prices, a copy of yesterday's price looks like a fine forecast: the curve has the right shape, one day
late. It is found out by its changes, which are those of the past and know nothing of the one to come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import Floats
from stockcast.evaluate.scores import mean

LAGS = 5  # past changes that a smoothed copy may be made of
FEWEST = LAGS + 8

NEAR = 0.2  # nearer to the last price than this, in usual moves, a forecast is the last price itself
COPIED = 0.5  # from this score on, a forecast is made of past changes


@dataclass(frozen=True)
class PersistenceCheck:
    """What forecasts of the first step have in common with the last prices; NaN where fewer than 13 in a row are there.

    - `score`: the share (adjusted R^2, 0 to 1) of the forecast's changes that the price's last five changes explain by
      linear regression. Near 1: a copy, be it late, smoothed, shrunk or shifted. Near 0: it moves by itself.
    - `late`: by how many sessions its changes follow the price's, where their correlation `follows` is highest;
    - `ahead`: the correlation of its changes with those that it should foresee;
    - `slope`: of the forecast regressed on the last price, each around its series' mean;
    - `distance`: how far it lies from the last price, in units of the price's moves; `gain`: by which share its error
      is lower than the last price's. Both of root mean squares.
    """

    score: float
    late: int
    follows: float
    ahead: float
    slope: float
    distance: float
    gain: float

    @property
    def is_last_price(self) -> bool:
        """It stays at the last price, as an honest forecaster that knows no better does. Nothing is wrong with that."""
        return self.distance < NEAR

    @property
    def repeats(self) -> bool:
        """It departs from the last price, but into the past, and gains nothing: an echo that passes for a forecast."""
        return not self.is_last_price and self.score >= COPIED and self.gain <= 0


def check_persistence(evaluated: EvaluatedForecast) -> PersistenceCheck:
    """Compare the forecasts of the first step there is with the prices before and after them, all series together."""
    forecast = evaluated.forecast
    first = int(np.argmax(np.isfinite(evaluated.actual).any(axis=0)))
    order = np.lexsort((forecast.row, forecast.series))
    order = order[np.isfinite(evaluated.actual[order, first])]
    series, row, last = forecast.series[order], forecast.row[order], forecast.last[order]
    point, move = forecast.point[order, first], (evaluated.actual[order, first] - last) / last
    offset = (point - last) / last
    changes, past, at = _changes(series, row, last, point)
    score, late, follows, ahead = math.nan, 1, math.nan, math.nan
    if len(at) >= FEWEST:
        follow = [_correlation(changes, past[:, lag]) for lag in range(LAGS)]
        late = int(np.argmax(follow)) + 1
        score, follows, ahead = _explained(changes, past), follow[late - 1], _correlation(changes, move[at])
    usual = math.sqrt(mean(move**2))
    return PersistenceCheck(
        score,
        late,
        follows,
        ahead,
        _slope(series, last, point),
        distance=math.sqrt(mean(offset**2)) / usual if usual > 0 else math.nan,
        gain=1 - math.sqrt(mean((offset - move) ** 2)) / usual if usual > 0 else math.nan,
    )


def _changes(
    series: NDArray[np.int64], row: NDArray[np.int64], last: Floats, point: Floats
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """The forecasts' changes (m,), the prices' last `LAGS` changes (m, LAGS), newest first, and which forecasts.

    In shares of the last price, where `LAGS` forecasts were made on the rows just before.
    """
    at = np.arange(LAGS, len(row))
    at = at[(series[at] == series[at - LAGS]) & (row[at] - row[at - LAGS] == LAGS)]
    past = np.column_stack([last[at - lag] - last[at - lag - 1] for lag in range(LAGS)])
    return (point[at] - point[at - 1]) / last[at], past / last[at, None], at


def _explained(target: Floats, inputs: Floats) -> float:
    """Adjusted R^2 of a linear regression with an intercept, never below 0 (Ezekiel 1930)."""
    centred, columns = target - target.mean(), inputs - inputs.mean(axis=0)
    total = float(centred @ centred)
    if total == 0:
        return 0.0
    weights = np.linalg.lstsq(columns, centred, rcond=None)[0]
    left = centred - columns @ weights
    n, k = inputs.shape
    return float(max(0.0, 1 - (left @ left) / total * (n - 1) / (n - k - 1)))


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / size if size > 0 else 0.0


def _slope(series: NDArray[np.int64], last: Floats, point: Floats) -> float:
    count = np.maximum(np.bincount(series), 1)
    level = (np.bincount(series, last) / count)[series]
    x, y = last / level - 1, point / level
    y = y - (np.bincount(series, y) / count)[series]
    return float(x @ y) / float(x @ x) if (x**2).sum() > 0 else math.nan
