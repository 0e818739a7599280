"""Prices to network inputs and targets: one flat table of rows, and windows that are views of it.

The target of row t and step h is an affine map of a known function of the price:

    y[t, h] = (g(price[t + h]) - anchor[t]) / unit[t, h]

    "level":   g = identity, anchor and unit from the price's own scaler (the tutorials)
    "return":  g = log, anchor = log price[t], unit = EWMA volatility[t] * sqrt(h)

so that one recipe serves both, and `Rows.to_price` is its inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.config import DataConfig
from stockcast.data.features import Sessions, feature_tables, sqrt_steps, steps_ahead
from stockcast.data.forecast import Origins
from stockcast.data.scaling import Scalers
from stockcast.data.series import Dates, Floats

Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Rows:
    """All rows of all series, stacked: series i owns rows starts[i] to starts[i + 1].

    - `inputs` (rows, features) float32, scaled; NaN where a feature isn't known yet;
    - `targets` (rows, H) float32; NaN where the step lies after the end;
    - `anchor` (rows,) and `unit` (rows, H): the map between targets and prices; `price` (rows,): the target price;
    - `dates` (rows,); `last_target` (rows,): the date of the last step, NaT where it lies after the end.
    """

    inputs: Floats32
    targets: Floats32
    anchor: Floats
    unit: Floats
    price: Floats
    dates: Dates
    last_target: Dates
    starts: Ints
    logarithmic: bool

    def to_price(self, rows: Ints, values: Floats) -> Floats:
        """Targets (n, H, K) made at `rows` (n,), as prices."""
        inner = self.anchor[rows][:, None, None] + self.unit[rows][:, :, None] * values
        return np.exp(inner) if self.logarithmic else inner

    def flat(self, origins: Origins) -> Ints:
        """Row numbers within each series, as rows of this table, (n,)."""
        return np.concatenate([start + rows for start, rows in zip(self.starts[:-1], origins, strict=True)])


def lay_out(sessions: Sequence[Sessions], features: Sequence[str], scalers: Scalers, config: DataConfig) -> Rows:
    """The table of a panel. `scalers` has a column for each feature and, last, one for the target price."""
    tables = scaled_columns(sessions, features)
    parts = [_one_series(one, table, scalers, config) for one, table in zip(sessions, tables, strict=True)]
    inputs, targets, anchor, unit, last_target = (np.concatenate(column) for column in zip(*parts, strict=True))
    lengths = [len(one.series) for one in sessions]
    return Rows(
        inputs.astype(np.float32),
        targets.astype(np.float32),
        anchor,
        unit,
        np.concatenate([one.series.columns[config.price] for one in sessions]),
        np.concatenate([one.series.dates for one in sessions]),
        last_target,
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        logarithmic=config.target == "return",
    )


def scaled_columns(sessions: Sequence[Sessions], features: Sequence[str]) -> list[Floats]:
    """What a scaler is fitted on, (rows, features + 1) for each series: each feature and, last, the target price."""
    tables = feature_tables(sessions, features)
    return [
        np.column_stack([table, one.series.columns[one.price]]) for one, table in zip(sessions, tables, strict=True)
    ]


def _one_series(
    sessions: Sessions, table: Floats, scalers: Scalers, config: DataConfig
) -> tuple[Floats, Floats, Floats, Floats, Dates]:
    scaler = scalers.of(sessions.series.name)
    inputs = scaler.transform(scaler.clip(table) if config.clip else table)[:, :-1]
    price = sessions.series.columns[config.price]
    rows = len(price)
    if config.target == "return":
        value, anchor = np.log(price), np.log(price)
        unit = sessions.volatility[:, None] * sqrt_steps(config.horizon)
    else:
        value = price
        anchor = np.full(rows, -scaler.offset[-1] / scaler.scale[-1])
        unit = np.full((rows, config.horizon), 1 / scaler.scale[-1])
    targets = (steps_ahead(value, config.horizon) - anchor[:, None]) / unit
    last_target = np.full(rows, np.datetime64("NaT", "D"))
    last_target[: rows - config.horizon] = sessions.series.dates[config.horizon :]
    return inputs, targets, anchor, unit, last_target


@dataclass(frozen=True)
class Windows:
    """Windows of `lookback` rows, by their last row; nothing is copied until it is asked for.

    `ends` (n,) are rows of `rows`. Row t's target belongs to the window that ends in t.
    """

    rows: Rows
    ends: Ints
    lookback: int

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def x(self) -> Floats32:
        """(n, lookback, features)"""
        view = np.lib.stride_tricks.sliding_window_view(self.rows.inputs, self.lookback, axis=0)  # (r, F, L)
        return view[self.ends - self.lookback + 1].transpose(0, 2, 1)

    @property
    def y(self) -> Floats32:
        """(n, H)"""
        return self.rows.targets[self.ends]

    @property
    def first_dates(self) -> Dates:
        """The date of each window's first target, (n,)."""
        return self.rows.dates[self.ends + 1]

    def take(self, keep: Ints | slice) -> Windows:
        """Some of these windows."""
        return Windows(self.rows, self.ends[keep], self.lookback)


def usable_ends(rows: Rows, lookback: int) -> Ints:
    """Rows on which a window of known inputs ends, inside one series, (n,)."""
    known = np.isfinite(rows.inputs).all(axis=1)
    row = np.arange(rows.starts[-1])
    position = row - np.repeat(rows.starts[:-1], np.diff(rows.starts))
    run = np.cumsum(known)
    before = np.concatenate([[0], run])[np.maximum(row - lookback + 1, 0)]
    full = (run - before == lookback) & (position >= lookback - 1)
    return np.flatnonzero(full)


def windows_between(rows: Rows, lookback: int, after: np.datetime64 | None, upto: np.datetime64) -> Windows:
    """Windows whose cutoff is at or later than `after` (None: any) and whose last target is at or before `upto`.

    The network of a part that ends on `upto` is trained or tuned on these: no target reaches past the part.
    """
    ends = usable_ends(rows, lookback)
    inside = rows.last_target[ends] <= upto  # False for NaT
    if after is not None:
        inside &= rows.dates[ends] >= after
    return Windows(rows, ends[inside], lookback)


def origins_between(rows: Rows, lookback: int, first: np.datetime64, end: np.datetime64) -> Origins:
    """Per series the rows to forecast from: cutoffs in [first, end), with a full window and one known step at least."""
    ends = usable_ends(rows, lookback)
    ends = ends[(rows.dates[ends] >= first) & (rows.dates[ends] < end) & np.isfinite(rows.targets[ends, 0])]
    pairs = zip(rows.starts[:-1], rows.starts[1:], strict=True)
    return [ends[(ends >= start) & (ends < stop)] - start for start, stop in pairs]


def strided(windows: Windows, stride: int) -> Windows:
    """Every `stride`-th window of each series, counted back from its newest."""
    if stride == 1:
        return windows
    owner = np.searchsorted(windows.rows.starts, windows.ends, side="right")
    keep = [np.flatnonzero(owner == one)[::-1][::stride][::-1] for one in np.unique(owner)]
    return windows.take(np.concatenate(keep))
