"""Calm and stormy days apart: bands that hold on the whole may be too wide on the ones and too narrow on the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast
from stockcast.evaluate.levels import band_edges, central_bands
from stockcast.evaluate.steps import NaiveErrors, Scores, first_step, pick, score

WIDTH_OF = 0.8
"""The band by whose width days are told apart, or the first one of a forecast that has no such band."""

REGIMES = ("calm", "stormy")


def calm_and_stormy(evaluated: EvaluatedForecast) -> dict[str, Scores]:
    """The scores one step ahead on the calmer and the stormier half of the days; nothing where there are no bands.

    A day is stormy for a series if the forecast made on it was wider, relative to the price, than the series' median
    forecast. That was known when the forecast was made: to part days by what came of them would find bands that are
    too narrow on stormy days of any forecaster.
    """
    first = first_step(evaluated)
    bands = central_bands(first.forecast.levels)
    if not bands:
        return {}
    stormy = _wider_than_usual(first, WIDTH_OF if WIDTH_OF in bands else bands[0])
    known = np.isfinite(first.actual[:, 0])
    parts = dict(zip(REGIMES, (known & ~stormy, known & stormy), strict=True))
    if not all(part.any() for part in parts.values()):
        return {}
    return {name: score(pick(first, part), NaiveErrors({}, {}))[0] for name, part in parts.items()}


def _wider_than_usual(first: EvaluatedForecast, band: float) -> NDArray[np.bool_]:
    """Of each forecast, whether it is wider than the median one of its series, (n,)."""
    low, high = band_edges(first.forecast, band)
    width = (high[:, 0] - low[:, 0]) / first.forecast.last
    wide = np.zeros(len(width), dtype=bool)
    for series in np.unique(first.forecast.series):
        mine = first.forecast.series == series
        wide[mine] = width[mine] > np.median(width[mine])
    return wide
