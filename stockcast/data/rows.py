"""Scaled inputs and targets: one flat table of the rows of a panel, and the map from targets back to prices.

The target of row t and step h is an affine map of a known function of the price:

    y[t, h] = (g(price[t + h]) - anchor[t]) / unit[t, h]

    "level":   g = identity, anchor and unit from the price's own scaler (the tutorials)
    "return":  g = log, anchor = log price[t], unit = EWMA volatility[t] * sqrt(h), wider where an event is to come

so that one recipe serves both, and `Rows.to_price` is its inverse.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stockcast.config.sections import DataConfig
from stockcast.data.feature_table import FeatureTable, SeriesFeatures
from stockcast.data.forecast import Origins
from stockcast.data.scaling import Scaler, Scalers
from stockcast.data.series import Dates, Floats

Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

STILL = 0.03
"""Added to a realized variance in units of the EWMA's: a day may seem much calmer by chance than it can have been."""


@dataclass(frozen=True)
class Rows:
    """All rows of all series, stacked: series i owns rows starts[i] to starts[i + 1].

    - `inputs` (rows, features) float32, scaled; NaN where a feature, or the unit of the target, isn't known yet;
    - `targets` (rows, H) float32; NaN where the step lies after the end;
    - `anchor` (rows,) and `unit` (rows, H): the map between targets and prices; `price` (rows,): the target price;
    - `dates` (rows,); `last_target` (rows,): the date of the last step, NaT where it lies after the end;
    - `realized` (rows, H) float32: see `with_realized_volatility`, which fills it; empty before;
    - `padding` and `truncating`: how a window is filled whose history is shorter or longer;
    - `names` of the series, and `skipped` (series,): how many older rows of each are not in the table;
    - `outside` (series, features): whether a series' newest `lookback` rows left the range that its scaler was fitted
      on; empty where nobody laid out prices.
    """

    inputs: Floats32
    targets: Floats32
    anchor: Floats
    unit: Floats
    price: Floats
    dates: Dates
    last_target: Dates
    starts: Ints
    names: tuple[str, ...]
    skipped: Ints
    logarithmic: bool
    padding: str = "none"
    truncating: str = "pre"
    outside: Mask = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    realized: Floats32 = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))

    @cached_property
    def first(self) -> Ints:
        """The first row of the run of known rows, in the same series, that each row belongs to, (rows,)."""
        unknown: Mask = np.asarray(np.isnan(self.inputs).any(axis=1))
        begin = unknown | np.concatenate([[True], unknown[:-1]])
        begin[self.starts[:-1]] = True
        first: Ints = np.maximum.accumulate(np.where(begin, np.arange(len(begin)), 0))
        return first

    def to_price(self, rows: Ints, values: Floats) -> Floats:
        """Targets (n, H, K) made at `rows` (n,), as prices; a log return of 0 is the price itself, to the bit."""
        moves = self.unit[rows][:, :, None] * values
        if self.logarithmic:
            with np.errstate(over="ignore"):  # what no float holds is refused as no number by whoever asked for it
                return self.price[rows][:, None, None] * np.exp(moves)
        return self.anchor[rows][:, None, None] + moves

    def flat(self, origins: Origins) -> Ints:
        """Row numbers within each series, as rows of this table, (n,)."""
        begin = self.starts[:-1] - self.skipped
        return np.concatenate([start + rows for start, rows in zip(begin, origins, strict=True)])

    def by_series(self, rows: Ints) -> Origins:
        """Rows of this table, in order, as row numbers within each series: the inverse of `flat`."""
        parts = np.split(rows, np.searchsorted(rows, self.starts[1:-1]))
        begin = self.starts[:-1] - self.skipped
        return [part - start for part, start in zip(parts, begin, strict=True)]

    def number(self, rows: Ints) -> Ints:
        """The row numbers of `rows` of this table within their series, (n,)."""
        owner = self.owner(rows)
        numbers: Ints = rows - (self.starts[:-1] - self.skipped)[owner]
        return numbers

    def owner(self, rows: Ints) -> Ints:
        """The index of the series that each of the `rows` of this table belongs to, (n,)."""
        owner: Ints = np.searchsorted(self.starts, rows, side="right") - 1
        return owner


def scaled_rows(table: FeatureTable, scalers: Scalers, config: DataConfig) -> Rows:
    """The rows of a table of features. `scalers` has a column for each feature and, last, one for the target price."""
    rows = _empty(table, config)
    for index, part in enumerate(table.parts):
        scaler = scalers.of(part.name)
        _fill(rows, slice(rows.starts[index], rows.starts[index + 1]), part, scaler, config)
        if len(part):
            rows.outside[index] = scaler.outside(part.values[-config.lookback :])[:-1] > 0
    return rows


def _empty(table: FeatureTable, config: DataConfig) -> Rows:
    """Rows for a whole table, not filled yet: they are written in place, so that nothing is there twice."""
    starts = np.cumsum([0, *map(len, table.parts)])
    rows, horizon = int(starts[-1]), config.horizon
    return Rows(
        inputs=np.empty((rows, len(table.names)), dtype=np.float32),
        targets=np.empty((rows, horizon), dtype=np.float32),
        anchor=np.empty(rows),
        unit=np.empty((rows, horizon)),
        price=np.empty(rows),
        dates=np.empty(rows, dtype="datetime64[D]"),
        last_target=np.full(rows, np.datetime64("NaT", "D")),
        starts=starts,
        names=table.series,
        skipped=np.array([part.first for part in table.parts]),
        logarithmic=config.target == "return",
        padding=config.padding,
        truncating=config.truncating,
        outside=np.zeros((len(table.parts), len(table.names)), dtype=bool),
    )


def _fill(rows: Rows, mine: slice, part: SeriesFeatures, scaler: Scaler, config: DataConfig) -> None:
    """Write one series into its rows."""
    values = scaler.clip(part.values) if config.clip else part.values
    rows.inputs[mine] = scaler.transform(values)[:, :-1]
    rows.price[mine] = part.price
    rows.dates[mine] = part.dates
    if rows.logarithmic:
        rows.inputs[mine][np.isnan(part.volatility)] = np.nan  # there is no unit yet to forecast in
        level = np.log(part.price)
        rows.anchor[mine] = level
        rows.unit[mine] = part.volatility[:, None] * _sqrt_steps(config.horizon)
        if part.widening is not None:
            rows.unit[mine] *= part.widening
    else:
        level = part.price
        rows.anchor[mine] = -scaler.offset[-1] / scaler.scale[-1]
        rows.unit[mine] = 1 / scaler.scale[-1]
    ahead = _steps_ahead(level, config.horizon)
    rows.targets[mine] = (ahead - rows.anchor[mine][:, None]) / rows.unit[mine]
    rows.last_target[mine][: -config.horizon] = part.dates[config.horizon :]


def with_realized_volatility(rows: Rows, table: FeatureTable) -> Rows:
    """The same rows with what each target's sessions showed of their volatility, in `realized`.

    Half the log of their mean variance, in units of the EWMA's as events widen it; NaN after the end. A session's range
    says far more of its volatility than its return does, and its logarithm is nearly normal (Alizadeh, Brandt and
    Diebold 2002, Range-based estimation of stochastic volatility models).
    """
    horizon = rows.targets.shape[1]
    means = (_steps_mean(one.variance, horizon) / np.square(one.volatility)[:, None] for one in table.parts)
    logs = [0.5 * np.log(mean + STILL) for mean in means]
    widened = zip(logs, table.parts, strict=True)
    logs = [log if one.widening is None else log - np.log(one.widening) for log, one in widened]
    return replace(rows, realized=np.concatenate(logs).astype(np.float32))


def _steps_mean(values: Floats, horizon: int) -> Floats:
    """The mean of `values` over the next 1 to `horizon` rows, (rows, horizon); NaN after the end."""
    means: Floats = np.cumsum(_steps_ahead(values, horizon), axis=1) / np.arange(1, horizon + 1)
    return means


def _steps_ahead(values: Floats, horizon: int) -> Floats:
    """`values` at each of the next `horizon` rows, (rows, horizon); NaN after the end."""
    padded = np.concatenate([values, np.full(horizon, np.nan)])
    return np.lib.stride_tricks.sliding_window_view(padded, horizon)[1:]


def _sqrt_steps(horizon: int) -> Floats:
    """The square root of 1..horizon: how volatility grows with the step of a random walk, (horizon,)."""
    roots: Floats = np.sqrt(np.arange(1.0, horizon + 1))
    return roots
