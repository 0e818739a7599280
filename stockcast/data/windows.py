"""Prices to network inputs and targets: one flat table of rows, and windows that are views of it.

The target of row t and step h is an affine map of a known function of the price:

    y[t, h] = (g(price[t + h]) - anchor[t]) / unit[t, h]

    "level":   g = identity, anchor and unit from the price's own scaler (the tutorials)
    "return":  g = log, anchor = log price[t], unit = EWMA volatility[t] * sqrt(h)

so that one recipe serves both, and `Rows.to_price` is its inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.config.sections import DataConfig
from stockcast.data.features import feature_tables
from stockcast.data.forecast import Origins
from stockcast.data.returns import ReturnSeries
from stockcast.data.scaling import Scaler, Scalers
from stockcast.data.series import Dates, Floats

Ints = NDArray[np.int64]
Floats32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

PAD = -9.0
"""What stands in a window where there is no row: no scaled input comes near it."""


STILL = 0.03
"""Added to a realised variance in units of the EWMA's: a day may seem much calmer by chance than it can have been."""


@dataclass(frozen=True)
class Rows:
    """All rows of all series, stacked: series i owns rows starts[i] to starts[i + 1].

    - `inputs` (rows, features) float32, scaled; NaN where a feature isn't known yet;
    - `targets` (rows, H) float32; NaN where the step lies after the end;
    - `anchor` (rows,) and `unit` (rows, H): the map between targets and prices; `price` (rows,): the target price;
    - `dates` (rows,); `last_target` (rows,): the date of the last step, NaT where it lies after the end;
    - `realised` (rows, H) float32: see `with_realized_volatility`, which fills it; empty before;
    - `padding` and `truncating`: how a window is filled whose history is shorter or longer, see `window_rows`;
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
    logarithmic: bool
    padding: str = "none"
    truncating: str = "pre"
    outside: Mask = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    realised: Floats32 = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))

    @cached_property
    def first(self) -> Ints:
        """The first row of the run of known rows, in the same series, that each row belongs to, (rows,)."""
        unknown: Mask = np.asarray(np.isnan(self.inputs).any(axis=1))
        begin = unknown | np.concatenate([[True], unknown[:-1]])
        begin[self.starts[:-1]] = True
        first: Ints = np.maximum.accumulate(np.where(begin, np.arange(len(begin)), 0))
        return first

    def to_price(self, rows: Ints, values: Floats) -> Floats:
        """Targets (n, H, K) made at `rows` (n,), as prices."""
        inner = self.anchor[rows][:, None, None] + self.unit[rows][:, :, None] * values
        return np.exp(inner) if self.logarithmic else inner

    def flat(self, origins: Origins) -> Ints:
        """Row numbers within each series, as rows of this table, (n,)."""
        return np.concatenate([start + rows for start, rows in zip(self.starts[:-1], origins, strict=True)])

    def owner(self, rows: Ints) -> Ints:
        """The index of the series that each of the `rows` of this table belongs to, (n,)."""
        owner: Ints = np.searchsorted(self.starts, rows, side="right") - 1
        return owner


def lay_out(sessions: Sequence[ReturnSeries], features: Sequence[str], scalers: Scalers, config: DataConfig) -> Rows:
    """The table of a panel. `scalers` has a column for each feature and, last, one for the target price."""
    rows = _empty(sessions, len(features), config)
    tables = scaled_columns(sessions, features)
    for index, (one, table) in enumerate(zip(sessions, tables, strict=True)):
        scaler = scalers.of(one.series.name)
        _fill(rows, slice(rows.starts[index], rows.starts[index + 1]), one, table, scaler, config)
        rows.outside[index] = scaler.outside(table[-config.lookback :])[:-1] > 0
    return rows


def scaled_columns(sessions: Sequence[ReturnSeries], features: Sequence[str]) -> Iterator[Floats]:
    """What a scaler is fitted on, (rows, features + 1) for each series: each feature and, last, the target price."""
    for one, table in zip(sessions, feature_tables(sessions, features), strict=True):
        yield np.column_stack([table, one.series.columns[one.price]])


def _empty(sessions: Sequence[ReturnSeries], features: int, config: DataConfig) -> Rows:
    """A table as long as all series, not filled yet: its parts are written in place, so that nothing is there twice."""
    starts = np.cumsum([0, *(len(one.series) for one in sessions)])
    rows, horizon = int(starts[-1]), config.horizon
    return Rows(
        inputs=np.empty((rows, features), dtype=np.float32),
        targets=np.empty((rows, horizon), dtype=np.float32),
        anchor=np.empty(rows),
        unit=np.empty((rows, horizon)),
        price=np.empty(rows),
        dates=np.empty(rows, dtype="datetime64[D]"),
        last_target=np.full(rows, np.datetime64("NaT", "D")),
        starts=starts,
        logarithmic=config.target == "return",
        padding=config.padding,
        truncating=config.truncating,
        outside=np.zeros((len(sessions), features), dtype=bool),
    )


def _fill(rows: Rows, mine: slice, one: ReturnSeries, table: Floats, scaler: Scaler, config: DataConfig) -> None:
    """Write one series, whose `table` is unscaled, into its rows."""
    rows.inputs[mine] = scaler.transform(scaler.clip(table) if config.clip else table)[:, :-1]
    rows.price[mine] = price = one.series.columns[config.price]
    rows.dates[mine] = dates = one.series.dates
    if rows.logarithmic:
        value = np.log(price)
        rows.anchor[mine] = value
        rows.unit[mine] = one.volatility[:, None] * _sqrt_steps(config.horizon)
    else:
        value = price
        rows.anchor[mine] = -scaler.offset[-1] / scaler.scale[-1]
        rows.unit[mine] = 1 / scaler.scale[-1]
    ahead = _steps_ahead(value, config.horizon)
    rows.targets[mine] = (ahead - rows.anchor[mine][:, None]) / rows.unit[mine]
    rows.last_target[mine][: -config.horizon] = dates[config.horizon :]


def with_realized_volatility(rows: Rows, sessions: Sequence[ReturnSeries]) -> Rows:
    """The same rows with what each target's sessions showed of their volatility, in `realised`.

    Half the log of their mean variance, in units of the EWMA's; NaN after the end. A session's range says far more of
    its volatility than its return does, and its logarithm is nearly normal (Alizadeh, Brandt and Diebold 2002,
    Range-based estimation of stochastic volatility models).
    """
    horizon = rows.targets.shape[1]
    means = (_steps_mean(one.variance, horizon) / np.square(one.volatility)[:, None] for one in sessions)
    logs = [0.5 * np.log(mean + STILL) for mean in means]
    return replace(rows, realised=np.concatenate(logs).astype(np.float32))


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
        """(n, lookback, features); `PAD` where there is no row."""
        if self.rows.padding != "none":
            at, there = window_rows(self.rows, self.ends, self.rows.first[self.ends], self.lookback, np.minimum)
            return np.where(there[..., None], self.rows.inputs[np.where(there, at, 0)], np.float32(PAD))
        view = np.lib.stride_tricks.sliding_window_view(self.rows.inputs, self.lookback, axis=0)  # (r, F, L)
        return view.transpose(0, 2, 1)[self.ends - self.lookback + 1]

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


def window_rows(
    fill: Rows | DataConfig, ends: Any, first: Any, lookback: int, minimum: Callable[[Any, Any], Any]
) -> tuple[Any, Any]:
    """Which row stands at each place of the windows that end in `ends`, (n, L), and whether there is one.

    A history that begins in `first` (n,) and is shorter than the window is filled before it ("pre") or after it
    ("post"); of a longer one the oldest rows are cut off ("pre"), or the newest ("post"). Works on arrays of numpy and
    of TensorFlow alike, whose own `minimum` is given.
    """
    length = minimum(ends - first + 1, lookback)
    start = first if fill.truncating == "post" else ends - length + 1
    gap = lookback - length if fill.padding == "pre" else length - length
    place = np.arange(lookback)
    there = (gap[:, None] <= place) & ((gap + length)[:, None] > place)
    return (start - gap)[:, None] + place, there


def usable_ends(rows: Rows, lookback: int, wanted: Callable[[slice], Mask] | None = None) -> Ints:
    """Rows on which a window of known inputs ends, inside one series, in order, (n,).

    `wanted` says of a series' rows, given as a slice, which may be among them.
    """
    ends = np.empty(len(rows.inputs), dtype=np.int64)
    count = 0
    # Series by series: nothing but the answer may be as long as the table.
    for start, stop in pairwise(rows.starts):
        mine = slice(start, stop)
        full = _full(rows.inputs[mine], lookback if rows.padding == "none" else 1)
        found = np.flatnonzero(full if wanted is None else full & wanted(mine))
        ends[count : count + len(found)] = found + start
        count += len(found)
    return ends[:count]


def _full(inputs: Floats32, lookback: int) -> Mask:
    """Whether a window of known inputs, (rows, features), ends on each row, (rows,)."""
    unknown = np.zeros(len(inputs) + 1, dtype=np.int64)
    # By their few places: all(axis=1) takes twenty times as long.
    unknown[np.flatnonzero(~np.isfinite(inputs)) // inputs.shape[1] + 1] = 1
    before = np.cumsum(unknown)  # rows that are not known, before each row and the end
    full = np.zeros(len(inputs), dtype=bool)
    full[lookback - 1 :] = before[lookback:] == before[:-lookback]
    return full


def windows_between(rows: Rows, lookback: int, after: np.datetime64 | None, upto: np.datetime64) -> Windows:
    """Windows whose origin is at or later than `after` (None: any) and whose last target is at or before `upto`.

    The network of a part that ends on `upto` is trained or tuned on these: no target reaches past the part.
    """

    def inside(mine: slice) -> Mask:
        early: Mask = rows.last_target[mine] <= upto  # False for NaT
        return early if after is None else early & (rows.dates[mine] >= after)

    return Windows(rows, usable_ends(rows, lookback, inside), lookback)


def origins_between(rows: Rows, lookback: int, first: np.datetime64, end: np.datetime64) -> Origins:
    """Per series the rows to forecast from: origins in [first, end), with a full window and one known step at least."""

    def inside(mine: slice) -> Mask:
        dates = rows.dates[mine]
        return (dates >= first) & (dates < end) & np.isfinite(rows.targets[mine, 0])

    return by_series(rows, usable_ends(rows, lookback, inside))


def by_series(rows: Rows, ends: Ints) -> Origins:
    """Rows of the table, in order, as row numbers within each series."""
    parts = np.split(ends, np.searchsorted(ends, rows.starts[1:-1]))
    return [part - start for part, start in zip(parts, rows.starts[:-1], strict=True)]


def strided(windows: Windows, stride: int) -> Windows:
    """Every `stride`-th window of each series, counted back from its newest; they must be in order."""
    counts = np.diff(np.searchsorted(windows.ends, windows.rows.starts))  # of each series
    newer = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(windows))  # windows of the same series, (n,)
    return windows.take(np.flatnonzero(newer % stride == 0))
