"""A series as the moves of its sessions: returns, volatility, variance and stir, from which all features are made.

All arrays are (rows,), and row t depends on rows up to and with t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import PRICE_COLUMNS, Floats, PriceSeries
from stockcast.data.volatility import ewma, ewma_volatility
from stockcast.errors import DataError

RELATIVE_VOLUME = (-1.0, 2.0)
"""Bounds of the log volume surprise that weighs a move."""

SLACK = 0.005
"""By how much a rounded price may lie outside of its session's range: a cent of two dollars."""

YEAR = 250
"""In sessions."""


@dataclass(frozen=True)
class Sessions:
    """A series beside the two arrays that most features share: log returns and EWMA volatility, both (rows,)."""

    series: PriceSeries
    price: str
    halflife: float
    returns: Floats
    volatility: Floats

    def log(self, column: str) -> Floats:
        return np.log(self.series.columns[column])

    @cached_property
    def sound(self) -> NDArray[np.bool_]:
        """Which sessions have all four prices, in one unit with each other and with the last close, (rows,).

        In some files only some of the columns are adjusted for splits.
        """
        if not set(PRICE_COLUMNS) <= set(self.series.columns):
            return np.zeros(len(self.series), dtype=bool)
        opening, high, low, close = (self.log(column) for column in PRICE_COLUMNS)
        fits = (low - SLACK <= np.minimum(opening, close)) & (np.maximum(opening, close) <= high + SLACK)
        sound: NDArray[np.bool_] = fits & np.concatenate([fits[:1], fits[:-1]])
        return sound

    @cached_property
    def variance(self) -> Floats:
        """Each session's variance, (rows,): from its range where that is sound, else its squared return."""
        squares = np.square(self.returns)
        return np.where(self.sound, garman_klass(self), squares) if self.sound.any() else squares

    @cached_property
    def volume_surprise(self) -> Floats:
        """Log volume above its own EWMA, (rows,); 0 where volume is unknown or none was traded."""
        volume = self.series.columns.get("volume", np.zeros(len(self.series)))
        traded = volume > 0
        logs = np.log(volume[traded])
        surprise = np.zeros(len(volume))
        if len(logs):
            surprise[traded] = logs - ewma(logs, self.halflife, first=float(logs[0]))
        return surprise

    @cached_property
    def stir(self) -> Floats:
        """How much a session stirred the price, (rows,): the size of its move in volatilities, times relative volume.

        Moves on news come with volume (Karpoff 1987, The relation between price changes and trading volume).
        """
        low, high = RELATIVE_VOLUME
        return np.abs(self.returns) / self.volatility * np.exp(np.clip(self.volume_surprise, low, high))

    @cached_property
    def usual_stir(self) -> Floats:
        """Its mean over the past year, (rows,)."""
        return trailing_mean(self.stir, YEAR)


def sessions_of(series: PriceSeries, price: str, halflife: float) -> Sessions:
    """Returns and volatility of `series` in column `price`. Raises `DataError` if it has no such column."""
    if price not in series.columns:
        raise DataError(
            f"{series.name} has no column {price!r}; it has {', '.join(series.columns)}.",
            f"--set data.price={next(iter(series.columns))}",
        )
    returns = np.diff(np.log(series.columns[price]), prepend=np.nan)
    return Sessions(series, price, halflife, returns, ewma_volatility(returns, halflife))


def garman_klass(s: Sessions) -> Floats:
    """The variance of each session from its four prices and the gap before it, (rows,); NaN on row 0.

    0.5 ln(H/L)^2 - (2 ln 2 - 1) ln(C/O)^2 is the variance while the market is open (Garman and Klass 1980, On the
    estimation of security price volatilities from historical data, their practical estimator), about seven times as
    precise as a squared return. The squared gap from the last close adds the hours before. The last price is the
    close, whatever column is forecast.
    """
    opening, high, low, close = (s.log(column) for column in PRICE_COLUMNS)
    inside = 0.5 * (high - low) ** 2 - (2 * math.log(2) - 1) * (close - opening) ** 2
    variance: Floats = np.maximum(inside, 0.0) + overnight(s) ** 2
    return variance


def overnight(s: Sessions) -> Floats:
    """The log return from the last close to the open, (rows,); NaN on row 0."""
    gap: Floats = s.log("open") - np.concatenate([[np.nan], s.log("close")[:-1]])
    return gap


def trailing_mean(values: Floats, sessions: int) -> Floats:
    """The mean of the known ones among the last `sessions` values, (rows,); NaN where there is none."""
    known = np.isfinite(values)
    total = _last(np.cumsum(np.where(known, values, 0.0)), sessions)
    count = _last(np.cumsum(known).astype(np.float64), sessions)
    mean: Floats = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def _last(sums: Floats, sessions: int) -> Floats:
    """Running sums from the start, (rows,), as sums over the last `sessions` rows."""
    before: Floats = np.concatenate([np.zeros(min(sessions, len(sums))), sums[:-sessions]])
    return sums - before
