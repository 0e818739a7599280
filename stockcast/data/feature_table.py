"""All unscaled features of a panel, made once: scalers are fitted on a part of them, and windows are taken of another.

A feature of row t depends on rows up to t alone, so that what a part of time may know is the table up to its last date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stockcast.config.sections import DataConfig
from stockcast.data.events.features import EventColumns, event_columns, kinds_of
from stockcast.data.features import MARKET, FeatureRows, make_feature
from stockcast.data.returns import ReturnSeries, day_numbers, day_sums, panel_returns
from stockcast.data.series import Dates, Floats, PriceSeries
from stockcast.data.session_list import SessionList


@dataclass(frozen=True)
class SeriesFeatures:
    """The features of one series' rows from number `first` on.

    - `values` (rows, features + 1): each feature, NaN where it isn't known yet, and last the target price;
    - `dates`, `volatility` and `variance` (rows,): the EWMA's of the returns, and each session's own;
    - `widening` (rows, H): by how much events that are known to come widen the next 1 to H sessions; None: none is.
    """

    name: str
    first: int
    dates: Dates
    values: Floats
    volatility: Floats
    variance: Floats
    widening: Floats | None = None

    def __len__(self) -> int:
        return len(self.dates)

    @property
    def price(self) -> Floats:
        """The target price, (rows,)."""
        return self.values[:, -1]

    def upto(self, date: np.datetime64) -> SeriesFeatures:
        """The rows dated at or before `date`."""
        rows = slice(int(np.searchsorted(self.dates, date, side="right")))
        parts = (self.dates[rows], self.values[rows], self.volatility[rows], self.variance[rows])
        widening = None if self.widening is None else self.widening[rows]
        return SeriesFeatures(self.name, self.first, *parts, widening)


@dataclass(frozen=True)
class FeatureTable:
    """The features `names` of a panel, a part for each of its series, in its order.

    `sessions` are those that events were placed by, if some of the features are of events.
    """

    names: tuple[str, ...]
    parts: tuple[SeriesFeatures, ...]
    sessions: SessionList | None = None

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the panel's series."""
        return tuple(one.name for one in self.parts)

    @property
    def dates(self) -> Dates:
        """The sorted union of all dates."""
        return np.unique(np.concatenate([one.dates for one in self.parts]))

    def upto(self, date: np.datetime64) -> FeatureTable:
        """What was known at the close of `date`; series that begin later are left out."""
        parts = (one.upto(date) for one in self.parts)
        return FeatureTable(self.names, tuple(part for part in parts if len(part)), self.sessions)

    def values(self) -> Mapping[str, Floats]:
        """What scalers are fitted on: (rows, features + 1) of each series by name."""
        return {one.name: one.values for one in self.parts}


def make_features(
    panel: Sequence[PriceSeries],
    names: Sequence[str],
    data: DataConfig,
    since: np.datetime64 | None = None,
    sessions: SessionList | None = None,
) -> FeatureTable:
    """The features `names` of each series' rows dated `since` or later (None: of all), each from all rows before it.

    `sessions` are needed for features of events.
    """
    parts: list[SeriesFeatures] = []
    markets = {name: list[Floats]() for name in names if name in MARKET}
    returns = panel_returns(panel, data.price, data.halflife)
    firsts = [0 if since is None else int(np.searchsorted(one.dates, since)) for one in panel]
    for one, first, events in zip(returns, firsts, _of_events(returns, names, firsts, sessions, data), strict=True):
        rows = FeatureRows(replace(one), first)  # a copy: what its features are made of goes with it
        needed = (name for name in dict.fromkeys(MARKET.get(name, name) for name in names) if name not in events.values)
        own = events.values | {name: make_feature(rows, name) for name in needed}
        values = _columns(len(one) - first, len(names) + 1)
        for column, name in enumerate(names):
            values[:, column] = own[MARKET.get(name, name)]
        for name, made in markets.items():
            made.append(own[MARKET[name]])
        values[:, -1] = rows.tail(one.series.columns[data.price])
        widens = data.target == "return" and data.task == "price" and events.values
        parts.append(_part(rows, values, events.widening if widens else None))
    _fill_markets(parts, names, markets)
    return FeatureTable(tuple(names), tuple(parts), sessions)


def _of_events(
    returns: Sequence[ReturnSeries],
    names: Sequence[str],
    firsts: Sequence[int],
    sessions: SessionList | None,
    data: DataConfig,
) -> list[EventColumns]:
    """The features of events of each series; without any where no name is of events."""
    if sessions is None:
        return [EventColumns({}, np.ones((0, 0))) for _ in returns]
    covering = sessions.covering(max(one.series.dates[-1] for one in returns), data.horizon)
    return event_columns(returns, kinds_of(names), covering, firsts, data.horizon)


def _columns(rows: int, columns: int) -> Floats:
    """An array (rows, columns) whose columns lie in one piece: they are made, scaled and sorted one by one."""
    return np.empty((columns, rows)).T


def _part(rows: FeatureRows, values: Floats, widening: Floats | None) -> SeriesFeatures:
    series, tails = rows.of.series, (rows.tail(rows.of.volatility), rows.tail(rows.of.variance))
    return SeriesFeatures(series.name, rows.first, series.dates[rows.first :], values, *tails, widening)


def _fill_markets(
    parts: Sequence[SeriesFeatures], names: Sequence[str], markets: Mapping[str, Sequence[Floats]]
) -> None:
    """Put the mean over the series that know a value on a row's date into the columns of the market's features."""
    if not markets:
        return
    day = day_numbers([one.dates for one in parts])
    ends = np.cumsum([len(one) for one in parts])[:-1]
    for name, made in markets.items():
        stacked = np.concatenate(made)
        count, total = day_sums(stacked, day)
        mean = np.divide(total, count, out=np.full(len(day), np.nan), where=np.isfinite(stacked))
        columns = [column for column, one in enumerate(names) if one == name]
        for part, values in zip(parts, np.split(mean, ends), strict=True):
            part.values[:, columns] = values[:, None]
