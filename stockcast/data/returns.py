"""Returns, volatility, variance and the earnings proxy of a series: what all features are made of.

All arrays are (rows,), and row t depends on rows up to and with t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import PRICE_COLUMNS, Dates, Floats, PriceSeries
from stockcast.data.volatility import ewma, ewma_volatility
from stockcast.errors import DataError

RELATIVE_VOLUME = (-1.0, 2.0)
"""Bounds of the log volume surprise that weighs a move."""

SLACK = 0.005
"""By how much a rounded price may lie outside of its session's range: a cent of two dollars."""

YEAR = 250
"""In sessions."""

WEIGHT_OF_GAP, POWER_OF_VOLUME = 2.0, 0.7
"""Of the earnings proxy: companies report while the market is closed."""


@dataclass(frozen=True)
class RunningSums:
    """The sums of the known values up to each row, and their counts, (rows,) both: trailing means are differences."""

    total: Floats
    count: Floats

    def mean(self, sessions: int, first: int = 0) -> Floats:
        """The mean of the known ones among the last `sessions` values, of the rows from `first` on, (rows - first,).

        NaN where there is none.
        """
        total, count = (_last(sums, sessions, first) for sums in (self.total, self.count))
        mean: Floats = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        return mean


def running_sums(values: Floats) -> RunningSums:
    """Of `values` (rows,), NaN where they are not known."""
    known = np.isfinite(values)
    return RunningSums(np.cumsum(np.where(known, values, 0.0)), np.cumsum(known).astype(np.float64))


def trailing_mean(values: Floats, sessions: int) -> Floats:
    """The mean of the known ones among the last `sessions` values, (rows,); NaN where there is none."""
    return running_sums(values).mean(sessions)


def _last(sums: Floats, sessions: int, first: int) -> Floats:
    """Running sums from the start, (rows,), as sums over the last `sessions` rows, from row `first` on."""
    before = np.zeros(len(sums) - first)
    reach = max(first, sessions)
    before[reach - first :] = sums[reach - sessions : max(len(sums) - sessions, 0)]
    return sums[first:] - before


@dataclass(frozen=True)
class ReturnSeries:
    """Log returns and EWMA volatility of a series, both (rows,), and what most features share beside them.

    `others_return` and `others_gap`: the mean moves of the panel's other series on that date, 0 where none is.
    """

    series: PriceSeries
    price: str
    halflife: float
    returns: Floats
    volatility: Floats
    others_return: Floats | float = 0.0
    others_gap: Floats | float = 0.0

    def __len__(self) -> int:
        return len(self.returns)

    @cached_property
    def logs(self) -> dict[str, Floats]:
        """The logarithms of the four prices that a series has, by column."""
        return {
            column: np.log(self.series.columns[column]) for column in PRICE_COLUMNS if column in self.series.columns
        }

    @cached_property
    def sound(self) -> NDArray[np.bool_]:
        """Which sessions have all four prices, in one unit with each other and with the last close, (rows,).

        In some files only some of the columns are adjusted for splits.
        """
        if not set(PRICE_COLUMNS) <= set(self.series.columns):
            return np.zeros(len(self), dtype=bool)
        opening, high, low, close = (self.logs[column] for column in PRICE_COLUMNS)
        fits = (low - SLACK <= np.minimum(opening, close)) & (np.maximum(opening, close) <= high + SLACK)
        sound: NDArray[np.bool_] = fits & np.concatenate([fits[:1], fits[:-1]])
        return sound

    @cached_property
    def any_sound(self) -> bool:
        """Whether any session is sound."""
        return bool(self.sound.any())

    @cached_property
    def squares(self) -> Floats:
        """The squared returns, (rows,)."""
        return np.square(self.returns)

    @cached_property
    def variance(self) -> Floats:
        """Each session's variance, (rows,): from its range where that is sound, else its squared return."""
        return np.where(self.sound, garman_klass(self), self.squares) if self.any_sound else self.squares

    @cached_property
    def overnight(self) -> Floats:
        """The log return from the last close to the open, (rows,); NaN on row 0."""
        gap: Floats = self.logs["open"] - np.concatenate([[np.nan], self.logs["close"][:-1]])
        return gap

    @cached_property
    def gap(self) -> Floats:
        """The same where the prices are sound; else 0."""
        return np.where(self.sound, self.overnight, 0.0) if self.any_sound else np.zeros(len(self))

    @cached_property
    def volume_surprise(self) -> Floats:
        """Log volume above its own EWMA, (rows,); 0 where volume is unknown or none was traded."""
        volume = self.series.columns.get("volume", np.zeros(len(self)))
        traded = volume > 0
        logs = np.log(volume[traded])
        surprise = np.zeros(len(volume))
        if len(logs):
            surprise[traded] = logs - ewma(logs, self.halflife, first=float(logs[0]))
        return surprise

    @cached_property
    def _relative_volume(self) -> Floats:
        return np.clip(self.volume_surprise, *RELATIVE_VOLUME)

    @cached_property
    def abnormal_move(self) -> Floats:
        """The size of a session's move in volatilities, times relative volume, (rows,).

        Moves on news come with volume (Karpoff 1987, The relation between price changes and trading volume).
        """
        return np.abs(self.returns) / self.volatility * np.exp(self._relative_volume)

    @cached_property
    def earnings_proxy(self) -> Floats:
        """The abnormal move of a series' own, (rows,): what the others did not do on that date; 0 if unknown.

        The gap before the session counts by itself, too: companies report while the market is closed.
        """
        own = np.abs(self.returns - self.others_return) + WEIGHT_OF_GAP * np.abs(self.gap - self.others_gap)
        return np.nan_to_num(own / self.volatility * np.exp(POWER_OF_VOLUME * self._relative_volume))

    @cached_property
    def usual_abnormal_move(self) -> Floats:
        """The mean abnormal move of the past year, (rows,)."""
        return running_sums(self.abnormal_move).mean(YEAR)

    @cached_property
    def usual_earnings_proxy(self) -> Floats:
        """The mean earnings proxy of the past year, (rows,)."""
        return running_sums(self.earnings_proxy).mean(YEAR)

    @cached_property
    def return_sums(self) -> RunningSums:
        """Of the returns, (rows,)."""
        return running_sums(self.returns)

    @cached_property
    def square_sums(self) -> RunningSums:
        """Of the squared returns, (rows,)."""
        return running_sums(self.squares)

    @cached_property
    def variance_sums(self) -> RunningSums:
        """Of the variances, (rows,)."""
        return running_sums(self.variance)


def panel_returns(all_series: Sequence[PriceSeries], price: str, halflife: float) -> list[ReturnSeries]:
    """`return_series` of each series of a panel, beside what the others did on its dates."""
    returns, gaps = [], []
    panel = [return_series(one, price, halflife) for one in all_series]
    for one in panel:
        returns.append(one.returns)
        gaps.append(replace(one).gap)  # of a copy: what a gap is made of is not kept for the whole panel
    day = day_numbers([one.dates for one in all_series])
    others = zip(panel, mean_of_others(returns, day), mean_of_others(gaps, day), strict=True)
    return [replace(one, others_return=move, others_gap=gap) for one, move, gap in others]


def day_numbers(dates: Sequence[Dates]) -> NDArray[np.int64]:
    """The days of all rows of several series, stacked, counted from the first of them, (n,)."""
    stacked = np.concatenate(dates).astype(np.int64)
    numbers: NDArray[np.int64] = stacked - stacked.min()
    return numbers


def mean_of_others(values: Sequence[Floats], day: NDArray[np.int64]) -> list[Floats]:
    """The mean of what the other series did on each row's `day`, (rows,) in and out; 0 where none is known."""
    stacked = np.concatenate(values)
    count, total = day_sums(stacked, day)
    known = np.isfinite(stacked)
    others = count - known
    mean = np.divide(total - np.where(known, stacked, 0.0), others, out=np.zeros(len(day)), where=others > 0)
    return np.split(mean, np.cumsum([len(one) for one in values])[:-1])


def day_sums(stacked: Floats, day: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """How many of the values (n,) are known on each one's `day`, and the sum of these, (n,) both."""
    known = np.isfinite(stacked)
    sums = (np.bincount(day, weights=weights) for weights in (known, np.where(known, stacked, 0.0)))
    count, total = (np.asarray(one, dtype=np.float64)[day] for one in sums)
    return count, total


def return_series(series: PriceSeries, price: str, halflife: float) -> ReturnSeries:
    """Returns and volatility of `series` in column `price`.

    Raises `DataError` if it has no such column, or one with values that are not above zero, as a volume may be.
    """
    if price not in series.columns:
        columns = ", ".join(series.columns)
        raise DataError(f"{series.name} has no column {price!r}; it has {columns}.", "--set data.price=close")
    values = series.columns[price]
    if not (values > 0).all():
        row = int(np.argmin(values > 0))
        raise DataError(
            f"{series.name}: {price} on {series.dates[row]} is {values[row]:g}; what is forecast must be above zero.",
            "--set data.price=close",
        )
    returns = np.diff(np.log(values), prepend=np.nan)
    return ReturnSeries(series, price, halflife, returns, ewma_volatility(returns, halflife))


def garman_klass(s: ReturnSeries) -> Floats:
    """The variance of each session from its four prices and the gap before it, (rows,); NaN on row 0.

    0.5 ln(H/L)^2 - (2 ln 2 - 1) ln(C/O)^2 is the variance while the market is open (Garman and Klass 1980, On the
    estimation of security price volatilities from historical data, their practical estimator), about seven times as
    precise as a squared return. The squared gap from the last close adds the hours before. The last price is the
    close, whatever column is forecast.
    """
    opening, high, low, close = (s.logs[column] for column in PRICE_COLUMNS)
    inside = 0.5 * (high - low) ** 2 - (2 * math.log(2) - 1) * (close - opening) ** 2
    variance: Floats = np.maximum(inside, 0.0) + s.overnight**2
    return variance
