"""The network's inputs: what is known of a session by its close, free of the price's own scale.

Every feature is causal: its value on row t depends on rows up to and with t. It is NaN where too little is known yet.
Volatility comes first: the moves of a session are divided by it, so that one network can serve a penny stock and an
index. To add a feature, write a function of `Sessions` and name it in `FEATURES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from stockcast.data.series import COLUMNS, Floats, Panel, PriceSeries
from stockcast.errors import ConfigError, DataError

VOLATILITY_WARMUP = 20
"""Sessions whose mean squared return starts the EWMA."""

VOLATILITY_FLOOR = 1e-4
"""One basis point a session: a price that stands still must not divide by zero."""


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


@dataclass(frozen=True)
class Feature:
    """A named input: the columns that it needs and the function that makes it, (rows,) from `Sessions`."""

    needs: tuple[str, ...]
    make: Callable[[Sessions], Floats]


def sessions_of(series: PriceSeries, price: str, halflife: float) -> Sessions:
    """Returns and volatility of `series` in column `price`. Raises `DataError` if it has no such column."""
    if price not in series.columns:
        raise DataError(
            f"{series.name} has no column {price!r}; it has {', '.join(series.columns)}.",
            f"--set data.price={next(iter(series.columns))}",
        )
    returns = np.diff(np.log(series.columns[price]), prepend=np.nan)
    return Sessions(series, price, halflife, returns, ewma_volatility(returns, halflife))


def ewma_volatility(returns: Floats, halflife: float) -> Floats:
    """Exponentially weighted volatility of one session's log return, (rows,), known at each row's close.

    RiskMetrics' recursion v[t] = w v[t-1] + (1-w) r[t]^2 with w = 2^(-1/halflife) (J.P. Morgan, RiskMetrics Technical
    Document, 1996), begun with the mean square of the first `VOLATILITY_WARMUP` returns. NaN before that.
    """
    volatility = np.full(len(returns), np.nan)
    start = VOLATILITY_WARMUP  # row 0 has no return
    if len(returns) > start:
        squares = np.square(returns[1:])
        first = float(np.mean(squares[:start]))
        volatility[start] = math.sqrt(first)
        volatility[start + 1 :] = np.sqrt(_ewma(squares[start:], halflife, first))
    return np.maximum(volatility, VOLATILITY_FLOOR)


def _ewma(values: Floats, halflife: float, first: float) -> Floats:
    """The exponentially weighted mean of `values` after each of them, begun at `first`; shape (n,) as `values`."""
    weight = 0.5 ** (1 / halflife)
    means = accumulate(values.tolist(), lambda mean, value: weight * mean + (1 - weight) * value, initial=first)
    return np.fromiter(means, dtype=np.float64, count=len(values) + 1)[1:]


def _range(s: Sessions) -> Floats:
    return (s.log("high") - s.log("low")) / s.volatility


def _gap(s: Sessions) -> Floats:
    close = s.log("close")
    return (s.log("open") - np.concatenate([[np.nan], close[:-1]])) / s.volatility


def _body(s: Sessions) -> Floats:
    return (s.log("close") - s.log("open")) / s.volatility


def _volume_surprise(s: Sessions) -> Floats:
    """Log volume above its own EWMA; 0 where volume is unknown or none was traded."""
    volume = s.series.columns["volume"]
    traded = volume > 0
    logs = np.log(volume[traded])
    surprise = np.zeros(len(volume))
    if len(logs):
        surprise[traded] = logs - _ewma(logs, s.halflife, first=float(logs[0]))
    return surprise


FEATURES: dict[str, Feature] = {
    "return": Feature((), lambda s: s.returns / s.volatility),
    "volatility": Feature((), lambda s: np.log(s.volatility)),
    "range": Feature(("high", "low"), _range),
    "gap": Feature(("open", "close"), _gap),
    "body": Feature(("open", "close"), _body),
    "volume_surprise": Feature(("volume",), _volume_surprise),
}


def choose_features(wanted: Sequence[str], panel: Panel, price: str) -> tuple[str, ...]:
    """The inputs that `panel` allows: those `wanted`, or every one of `FEATURES` whose columns all series have.

    A price column's own name is a feature too: the price itself. Raises `ConfigError` for an unknown feature and
    `DataError` where a wanted one needs a column that some series doesn't have.
    """
    shared = set.intersection(*(set(one.columns) for one in panel.series))
    if not wanted:
        return tuple(name for name, feature in FEATURES.items() if shared.issuperset(feature.needs))
    for name in wanted:
        missing = set(_needs(name)) - shared
        if missing:
            raise DataError(
                f"feature {name!r} needs the column {sorted(missing)[0]!r}; the prices have {', '.join(sorted(shared))}.",
                f"--set data.features=[{price!r}] and --set data.price={price}",
            )
    return tuple(wanted)


def _needs(name: str) -> tuple[str, ...]:
    if name in COLUMNS:
        return (name,)
    if name not in FEATURES:
        raise ConfigError(
            f"there is no feature {name!r}.", f"use some of {', '.join([*FEATURES, *COLUMNS])} for data.features."
        )
    return FEATURES[name].needs


def feature_rows(sessions: Sessions, names: Iterable[str]) -> Floats:
    """The inputs of one series, (rows, features), unscaled."""
    return np.column_stack([_feature(sessions, name) for name in names])


def _feature(sessions: Sessions, name: str) -> Floats:
    if name in FEATURES:
        return FEATURES[name].make(sessions)
    return sessions.series.columns[name]


def steps_ahead(values: Floats, horizon: int) -> Floats:
    """`values` at each of the next `horizon` rows, (rows, horizon); NaN after the end."""
    padded = np.concatenate([values, np.full(horizon, np.nan)])
    return np.lib.stride_tricks.sliding_window_view(padded, horizon)[1:]


def sqrt_steps(horizon: int) -> Floats:
    """The square root of 1..horizon: how volatility grows with the step of a random walk, (horizon,)."""
    return np.array([math.sqrt(step) for step in range(1, horizon + 1)])
