"""Two downloads of one series, price by price: where one is the other times a constant, and where it is not.

Adjusted prices change with every dividend: all that came before it is multiplied by one factor. So two downloads agree
in levels, stretches of rows with one ratio, and beside them lie the rows that were corrected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates, Floats, PriceSeries

SAME = 5e-6
"""Prices that differ by less, relatively, are equal: floats of four bytes and factors of other makers do."""

SHORTEST = 5
"""Rows that a level has at least, but for the newest, which may follow a dividend of yesterday."""

_MOST_DIGITS = 9
_AS_PRINTED = 0.99
"""Of the prices of a series so many show with how many digits it was printed; the others may be sums or means."""

_MANY = 5

_LOOSE = 1.5
"""The factor of a level is itself made of rounded prices."""


@dataclass(frozen=True)
class Past:
    """The prices that a model was trained on, as far as it has kept them.

    - `dates`, `prices` of `column`, and `volumes`, NaN where they are not known: (rows,), or empty arrays;
    - `first` and `last` date of all training rows; `whole`: all of them are here;
    - `columns`: those that the model uses; None where that was not kept.
    """

    name: str
    first: date
    last: date
    dates: Dates
    prices: Floats
    volumes: Floats
    whole: bool = True
    column: str = "close"
    columns: frozenset[str] | None = None


@dataclass(frozen=True)
class Level:
    """Neighbouring sessions, `rows` of them from `first` on, whose prices were multiplied by one factor.

    `log_factor` is its logarithm, `log_volume` that of the volumes' factor; NaN where volumes don't tell.
    """

    first: np.datetime64
    rows: int
    log_factor: float
    log_volume: float


@dataclass(frozen=True)
class Overlap:
    """The sessions that two downloads share, (n,), and how their prices lie to each other.

    - `before`, `now`: the prices; `tolerance`: by how much the log of their ratio may differ from a level's;
    - `levels`: oldest first; `level`: the number of that on which each session lies, -1 for none;
    - `gone`, `new`: sessions between those that are shared and stand in one download alone.
    """

    dates: Dates
    before: Floats
    now: Floats
    tolerance: Floats
    levels: tuple[Level, ...]
    level: NDArray[np.int64]
    gone: Dates
    new: Dates

    @property
    def ratio(self) -> Floats:
        """The logarithm of each price's ratio."""
        ratio: Floats = np.log(self.now / self.before)
        return ratio

    @property
    def same(self) -> bool:
        """Whether every price is what it was."""
        return bool((np.abs(self.ratio) <= self.tolerance).all())


def overlap(past: Past, series: PriceSeries, slack: float = SAME) -> Overlap:
    """What `past` and `series` share, where prices that differ relatively by less than `slack` are equal."""
    dates, mine, theirs = np.intersect1d(past.dates, series.dates, assume_unique=True, return_indices=True)
    before, now = past.prices[mine], series.columns[past.column][theirs]
    tolerance = slack + _half_digit(past.prices)[mine] / before + _half_digit(series.columns[past.column])[theirs] / now
    owner, logs = _levels(np.log(now / before), tolerance)
    volumes = np.log(_positive(series.columns.get("volume", np.full(len(series), np.nan))[theirs]))
    volumes = volumes - np.log(_positive(past.volumes[mine]))
    levels = tuple(
        Level(dates[rows[0]], len(rows), float(log), _typical(volumes[rows]))
        for number, log in enumerate(logs)
        if len(rows := np.flatnonzero(owner == number))
    )
    gone, new = (_alone(one, other, dates) for one, other in ((past.dates, series.dates), (series.dates, past.dates)))
    return Overlap(dates, before, now, tolerance, levels, owner, gone, new if past.whole else new[:0])


def _half_digit(prices: Floats) -> Floats:
    """By how much each price may be off because it was printed with so many decimals, or significant digits."""
    magnitude = np.floor(np.log10(prices))
    decimals, digits = _places(prices, np.zeros(len(prices))), _places(prices, magnitude)
    by_decimals = np.zeros(len(prices)) if decimals is None else np.full(len(prices), 10.0**-decimals)
    by_digits = np.zeros(len(prices)) if digits is None else 10.0 ** (magnitude - digits)
    half: Floats = np.maximum(by_decimals, by_digits) / 2
    return half


def _places(prices: Floats, magnitude: Floats) -> int | None:
    """After how many places below 10^`magnitude` the prices end; None if after more than are ever printed."""
    for places in range(_MOST_DIGITS):
        steps = prices / 10.0 ** (magnitude - places)
        if np.mean(np.abs(steps - np.rint(steps)) <= 1e-12 * steps) >= _AS_PRINTED:
            return places
    return None


def _levels(ratio: Floats, tolerance: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The level that each row lies on, (n,), -1 for none, and the log ratio of each level."""
    if not len(ratio):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    jumps = np.abs(np.diff(ratio)) > tolerance[1:] + tolerance[:-1]
    starts = np.concatenate([[0], np.flatnonzero(jumps) + 1])
    ends = np.append(starts[1:], len(ratio))
    long = ends - starts >= SHORTEST
    long[-1] = True
    starts, ends = _joined(starts[long], ends[long], ratio, tolerance)
    logs = np.array([_mean(ratio[a:b], tolerance[a:b]) for a, b in zip(starts, ends, strict=True)])
    rows = np.arange(len(ratio))
    before, after = np.searchsorted(starts, rows, side="right") - 1, np.searchsorted(ends, rows, side="right")
    owner = np.full(len(ratio), -1)
    for number in (after, before.clip(0)):  # which are one, but for rows between two levels
        owner = np.where(np.abs(ratio - logs[number]) <= _LOOSE * tolerance, number, owner)
    return owner, logs


def _joined(
    starts: NDArray[np.int64], ends: NDArray[np.int64], ratio: Floats, tolerance: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Stretches with those that go on at the same ratio after some odd rows made one with them."""
    logs = [_mean(ratio[a:b], tolerance[a:b]) for a, b in zip(starts, ends, strict=True)]
    differ = np.abs(np.diff(logs)) > tolerance[ends[:-1] - 1] + tolerance[starts[1:]]
    return starts[np.append(True, differ)], ends[np.append(differ, True)]


def _mean(ratio: Floats, tolerance: Floats) -> float:
    """The middle of log ratios, by those that are known best: odd rows between them hardly count."""
    order = np.argsort(ratio)
    weight = np.cumsum(tolerance[order] ** -2.0)
    return float(ratio[order][np.searchsorted(weight, weight[-1] / 2)])


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _typical(logs: Floats) -> float:
    known = logs[np.isfinite(logs)]
    return float(np.median(known)) if len(known) >= _MANY else float("nan")


def _alone(one: Dates, other: Dates, shared: Dates) -> Dates:
    """The dates of `one` that `other` lacks, between the shared ones."""
    if not len(shared):
        return one[:0]
    alone: Dates = one[(one >= shared[0]) & (one <= shared[-1]) & ~np.isin(one, other)]
    return alone
