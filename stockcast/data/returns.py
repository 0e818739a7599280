"""A series as the moves of its sessions: returns, volatility, variance and news, from which all features are made.

All arrays are (rows,), and row t depends on rows up to and with t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stockcast.data.earnings import earnings_schedule, report_heights
from stockcast.data.series import PRICE_COLUMNS, Floats, PriceSeries
from stockcast.data.volatility import ewma, ewma_volatility
from stockcast.errors import DataError

RELATIVE_VOLUME = (-1.0, 2.0)
"""Bounds of the log volume surprise that weighs a move."""

SLACK = 0.005
"""By how much a rounded price may lie outside of its session's range: a cent of two dollars."""

YEAR = 250
"""In sessions."""

WEIGHT_OF_GAP, POWER_OF_VOLUME = 2.0, 0.7
"""What counts as news: companies report while the market is closed."""


@dataclass(frozen=True)
class ReturnSeries:
    """A series beside the arrays that most features share: log returns and EWMA volatility, both (rows,).

    `others_return` and `others_gap`: the mean moves of the panel's other series on that date, 0 where none is.
    """

    series: PriceSeries
    price: str
    halflife: float
    returns: Floats
    volatility: Floats
    others_return: Floats | float = 0.0
    others_gap: Floats | float = 0.0

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
    def gap(self) -> Floats:
        """The log return from the last close to the open, (rows,), where the prices are sound; else 0."""
        return np.where(self.sound, overnight(self), 0.0) if self.sound.any() else np.zeros(len(self.returns))

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
    def abnormal_move(self) -> Floats:
        """How much a session stirred the price, (rows,): the size of its move in volatilities, times relative volume.

        Moves on news come with volume (Karpoff 1987, The relation between price changes and trading volume).
        """
        return np.abs(self.returns) / self.volatility * np.exp(self._relative_volume)

    @cached_property
    def _relative_volume(self) -> Floats:
        return np.clip(self.volume_surprise, *RELATIVE_VOLUME)

    @cached_property
    def usual_abnormal_move(self) -> Floats:
        """Its mean over the past year, (rows,)."""
        return trailing_mean(self.abnormal_move, YEAR)

    @cached_property
    def earnings_proxy(self) -> Floats:
        """How much news of its own a session brought, (rows,): the same of what the others did not do; 0 if unknown.

        The gap before the session counts by itself, too.
        """
        own = np.abs(self.returns - self.others_return) + WEIGHT_OF_GAP * np.abs(self.gap - self.others_gap)
        return np.nan_to_num(own / self.volatility * np.exp(POWER_OF_VOLUME * self._relative_volume))

    @cached_property
    def usual_earnings_proxy(self) -> Floats:
        """Its mean over the past year, (rows,)."""
        return trailing_mean(self.earnings_proxy, YEAR)

    @cached_property
    def earnings_schedule(self) -> Floats:
        """What past quarters' reports say of each of the next sessions, (rows, STEPS_DUE)."""
        return earnings_schedule(self.series.dates, report_heights(self.earnings_proxy, self.usual_earnings_proxy))


def panel_returns(all_series: Sequence[PriceSeries], price: str, halflife: float) -> list[ReturnSeries]:
    """`return_series` each series of a panel, beside what the others did on its dates."""
    panel = [return_series(one, price, halflife) for one in all_series]
    day = by_date(panel)
    moves = mean_of_others([one.returns for one in panel], day)
    gaps = mean_of_others([one.gap for one in panel], day)
    return [replace(one, others_return=move, others_gap=gap) for one, move, gap in zip(panel, moves, gaps, strict=True)]


def by_date(panel: Sequence[ReturnSeries]) -> NDArray[np.intp]:
    """The number of the date of each row of all series, stacked, among all their dates."""
    return np.unique(np.concatenate([one.series.dates for one in panel]), return_inverse=True)[1]


def mean_of_others(values: Sequence[Floats], day: NDArray[np.intp]) -> list[Floats]:
    """The mean of what the other series did on each row's date, `day`, (rows,) in and out; 0 where none is known."""
    stacked = np.concatenate(values)
    count, total = day_sums(stacked, day)
    known = np.isfinite(stacked)
    others = count - known
    mean = np.divide(total - np.where(known, stacked, 0.0), others, out=np.zeros(len(day)), where=others > 0)
    return np.split(mean, np.cumsum([len(one) for one in values])[:-1])


def day_sums(stacked: Floats, day: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """How many of the values (n,) are known on each one's `day`, and the sum of these, (n,) both."""
    known = np.isfinite(stacked)
    sums = (np.bincount(day, weights=weights) for weights in (known, np.where(known, stacked, 0.0)))
    count, total = (np.asarray(one, dtype=np.float64)[day] for one in sums)
    return count, total


def return_series(series: PriceSeries, price: str, halflife: float) -> ReturnSeries:
    """Returns and volatility of `series` in column `price`. Raises `DataError` if it has no such column."""
    if price not in series.columns:
        raise DataError(
            f"{series.name} has no column {price!r}; it has {', '.join(series.columns)}.",
            f"--set data.price={next(iter(series.columns))}",
        )
    returns = np.diff(np.log(series.columns[price]), prepend=np.nan)
    return ReturnSeries(series, price, halflife, returns, ewma_volatility(returns, halflife))


def garman_klass(s: ReturnSeries) -> Floats:
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


def overnight(s: ReturnSeries) -> Floats:
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
