"""A price history as it was traded, with its dividends and splits, and the adjustment that is made of both here.

Providers adjust, too, each in its own way and anew with every action. Here only what was traded and what was paid is
taken from them, so that the adjustment of yesterday's download and of today's are one computation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import PRICE_COLUMNS, Dates, Floats
from stockcast.errors import DataError

HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"

_DIGITS, _ADJUSTED_DIGITS = 7, 9
"""Significant digits that are written: as many as providers have, and two more for the adjusted close, of which the
reader makes a factor for the row's other prices."""

SAME = 3e-6
"""Relative difference up to which two prices are one, written with so many digits and adjusted for other splits."""


@dataclass(frozen=True)
class History:
    """Daily rows as they were traded, oldest first, and the actions among them.

    `columns` has open, high, low, close and volume, each of shape (rows,), NaN where the provider has nothing;
    `dividends` are by their first day without (ex-date), a share's of that day; `splits` are new shares for an old
    one, by the first day on which they were traded.
    """

    dates: Dates
    columns: Mapping[str, Floats]
    dividends: Mapping[date, float]
    splits: Mapping[date, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "dates", np.asarray(self.dates, dtype="datetime64[D]"))
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __len__(self) -> int:
        return len(self.dates)

    def take(self, chosen: NDArray[np.bool_]) -> History:
        """The rows of a mask, and the actions up to the last of them: a later one belongs to a row yet to come."""
        dates = self.dates[chosen]
        last = dates[-1].item() if dates.size else date.min
        dividends, splits = (
            {day: value for day, value in actions.items() if day <= last} for actions in (self.dividends, self.splits)
        )
        return History(dates, {role: values[chosen] for role, values in self.columns.items()}, dividends, splits)

    def then(self, later: History) -> History:
        """These rows up to the first of the `later` ones, and those; of both the actions."""
        if not len(later):
            return self
        before = self.take(self.dates < later.dates[0])
        columns = {role: np.append(values, later.columns[role]) for role, values in before.columns.items()}
        dates = np.append(before.dates, later.dates)
        return History(dates, columns, {**self.dividends, **later.dividends}, {**self.splits, **later.splits})


def splits_after(dates: Dates, splits: Mapping[date, float]) -> Floats:
    """For each of `dates` how many of the newest shares one of that day has become (rows,)."""
    factor = np.ones(len(dates))
    for day, ratio in splits.items():
        factor[dates < np.datetime64(day)] *= ratio
    return factor


def dividend_factors(history: History) -> dict[date, float]:
    """By ex-date what all closes before it are multiplied with: 1 - dividend / last close before (CRSP's method).

    The closes are those that are written, so that the factors of rows that were read again are the same.

    Raises `DataError` for a dividend that is not less than that close: one of both is wrong.
    """
    close = _written(history.columns["close"] / splits_after(history.dates, history.splits))
    found = {}
    for day, paid in sorted(history.dividends.items()):
        before = np.flatnonzero((history.dates < np.datetime64(day)) & ~np.isnan(close))
        if not before.size:
            continue
        (later,) = splits_after(np.array([day], dtype="datetime64[D]"), history.splits)
        factor = 1 - paid / later / close[before[-1]]
        if not 0 < factor <= 1:
            raise DataError(
                f"the dividend of {paid:g} on {day} does not fit the close before it, {close[before[-1]] * later:g}.",
                f"leave out what lies before it: --since {day}",
            )
        found[day] = float(factor)
    return found


def to_csv(history: History) -> str:
    """The history as the reader takes it: adjusted for splits, beside a close that is adjusted for dividends, too."""
    shares, whole = splits_after(history.dates, history.splits), np.ones(len(history))
    for day, factor in dividend_factors(history).items():
        whole[history.dates < np.datetime64(day)] *= factor
    prices = {role: history.columns[role] / shares for role in PRICE_COLUMNS}
    adjusted, volume = _written(prices["close"]) * whole, np.round(history.columns["volume"] * shares)
    lines = [HEADER]
    for row, day in enumerate(history.dates):
        cells = [_number(prices[role][row], _DIGITS) for role in PRICE_COLUMNS]
        close = _number(adjusted[row], _ADJUSTED_DIGITS) if whole[row] != 1 else cells[-1]
        traded = "" if np.isnan(volume[row]) else f"{volume[row]:.0f}"
        lines.append(",".join((str(day), *cells, close, traded)))
    return "\n".join(lines) + "\n"


def _written(prices: Floats) -> Floats:
    """Prices as they are after writing and reading."""
    return np.array([float(_number(value, _DIGITS) or "nan") for value in prices])


def _number(value: float, digits: int) -> str:
    if np.isnan(value):
        return ""
    return np.format_float_positional(value, precision=digits, unique=False, fractional=False, trim="-")


def from_csv(text: str, dividends: Mapping[date, float], splits: Mapping[date, float]) -> History:
    """The history that `to_csv` wrote. Raises `ValueError` for any other text."""
    header, *lines = text.splitlines()
    if header != HEADER:
        raise ValueError(f"another header: {header[:60]!r}")
    cells = [line.split(",") for line in lines]
    if any(len(row) != HEADER.count(",") + 1 for row in cells):
        raise ValueError("a row with more or fewer cells")
    dates = np.array([row[0] for row in cells], dtype="datetime64[D]")
    if np.isnat(dates).any() or (np.diff(dates) <= np.timedelta64(0, "D")).any():
        raise ValueError("dates that do not rise")
    numbers = np.array([[float(cell or "nan") for cell in row[1:]] for row in cells]).reshape(-1, 6)
    shares = splits_after(dates, splits)
    columns = {role: numbers[:, index] * shares for index, role in enumerate(PRICE_COLUMNS)}
    return History(dates, {**columns, "volume": numbers[:, 5] / shares}, dividends, splits)


@dataclass(frozen=True)
class Revision:
    """What a provider changed of rows that it had given before: days with another price, with another volume, gone."""

    prices: tuple[date, ...] = ()
    volumes: tuple[date, ...] = ()
    gone: tuple[date, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """All of them, each once."""
        return tuple(sorted({*self.prices, *self.volumes, *self.gone}))


def revised(before: History, now: History) -> Revision:
    """What differs between the rows of `before` and those of `now`, which was asked for all of their days."""
    days, mine, theirs = np.intersect1d(before.dates, now.dates, return_indices=True)
    apart = np.zeros(len(days), dtype=bool)
    for role in PRICE_COLUMNS:
        apart |= _differ(before.columns[role][mine], now.columns[role][theirs], SAME)
    whole = 1 / splits_after(days, before.splits)  # a share as it is written
    traded = _differ(before.columns["volume"][mine], now.columns["volume"][theirs], 1e-3, whole)
    gone = np.setdiff1d(before.dates, now.dates)
    return Revision(tuple(days[apart].tolist()), tuple(days[traded & ~apart].tolist()), tuple(gone.tolist()))


def _differ(one: Floats, other: Floats, tolerance: float, slack: Floats | float = 0.0) -> NDArray[np.bool_]:
    near = np.abs(one - other) <= tolerance * np.abs(other) + slack
    return np.asarray(~(near | (np.isnan(one) & np.isnan(other))))
