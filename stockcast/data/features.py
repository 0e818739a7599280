"""The network's inputs: what is known of a session by its close, free of the price's own scale.

Every feature is causal: its value on row t depends on rows up to and with t, of its own series and, for news and the
market, on the other series' rows up to that date. It is NaN before row `VOLATILITY_WARMUP`. Volatility comes first: all
that moves is divided by it, so that one network can serve a penny stock and an index. To add a feature, write a
function of `ReturnSeries` and name it in `FEATURES`.

A feature whose columns a series lacks, or has in another unit, falls back to what that series has: a session's variance
to its squared return, the surprise in volume to none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from stockcast.data.categories import code, is_code
from stockcast.data.earnings import QUARTER, SCHEDULE_STEPS, log_excess, trailing_max
from stockcast.data.returns import ReturnSeries, by_date, day_sums, trailing_mean
from stockcast.data.series import COLUMNS, PRICE_COLUMNS, Floats, Panel
from stockcast.errors import ConfigError, DataError

STANDSTILL = 1e-3
"""Added to a variance in units of the EWMA's, so that a session without any move has a logarithm."""

WEEK = 5
"""In sessions."""


@dataclass(frozen=True)
class Feature:
    """A named input: the columns that it needs and the function that makes it, (rows,) from `ReturnSeries`."""

    needs: tuple[str, ...]
    make: Callable[[ReturnSeries], Floats]


def _variance(sessions: int, s: ReturnSeries) -> Floats:
    """Log volatility of the last sessions' ranges above the EWMA's.

    Averages over a day, a week, a month and a quarter: Corsi (2009), A simple approximate long-memory model of
    realized volatility (HAR).
    """
    return _log_ratio(trailing_mean(s.variance, sessions), s)


def _square(sessions: int, s: ReturnSeries) -> Floats:
    """The same from squared returns, which hold the jumps that ranges smooth."""
    return _log_ratio(trailing_mean(np.square(s.returns), sessions), s)


def _log_ratio(variance: Floats, s: ReturnSeries) -> Floats:
    ratio: Floats = np.maximum(variance, 0.0) / s.volatility**2
    return 0.5 * np.log(ratio + STANDSTILL)


def _range(s: ReturnSeries) -> Floats:
    """From the low to the high; of closes alone, from one to the next."""
    return _of_sound(s, lambda: s.log("high") - s.log("low"), np.abs(s.returns))


def _gap(s: ReturnSeries) -> Floats:
    """From the last close to the open: what came while the market was closed; of closes alone, nothing."""
    return s.gap / s.volatility


def _body(s: ReturnSeries) -> Floats:
    """From the open to the close; of closes alone, from one to the next."""
    return _of_sound(s, lambda: s.log("close") - s.log("open"), s.returns)


def _of_sound(s: ReturnSeries, moves: Callable[[], Floats], others: Floats) -> Floats:
    """Moves in units of volatility, of sessions whose four prices are sound; `others` for the rest."""
    return (np.where(s.sound, moves(), others) if s.sound.any() else others) / s.volatility


def _lag(sessions: int, s: ReturnSeries) -> Floats:
    """The size of the move that came so many sessions before the next one will.

    A quarter has about 63 sessions, and earnings come back each quarter. 0 where the series does not reach back so far.
    """
    size = np.nan_to_num(np.abs(s.returns) / s.volatility)
    return np.concatenate([np.zeros(sessions), size[1:]])[: len(size)]


def _trend(sessions: int, s: ReturnSeries) -> Floats:
    """The return of the last sessions in units of its volatility: falls raise volatility (Black 1976, the leverage
    effect; Corsi and Reno 2012, for several lengths)."""
    return trailing_mean(s.returns, sessions) * math.sqrt(sessions) / s.volatility


def _event(sessions: int, s: ReturnSeries) -> Floats:
    """The greatest stir of the last sessions against the usual one: quiet follows news."""
    return log_excess(trailing_max(np.nan_to_num(s.abnormal_move), sessions), s.usual_abnormal_move)


def _earnings_proxy(sessions: int, s: ReturnSeries) -> Floats:
    """The greatest news of the last sessions against the usual one: without any, the next report is still to come."""
    return log_excess(trailing_max(s.earnings_proxy, sessions), s.usual_earnings_proxy)


def _schedule(step: int, s: ReturnSeries) -> Floats:
    """What past quarters' reports say of the session so many steps ahead."""
    return s.earnings_schedule[:, step - 1]


def _season(quarters: int, s: ReturnSeries) -> Floats:
    """The stir of the week that followed the same weekday so many quarters ago, against the usual one.

    Earnings come back after 13 weeks, mostly on the same weekday, and prices move then (Beaver 1968, The information
    content of annual earnings announcements). 0, as usual, where the series does not reach back so far.
    """
    dates = s.series.dates
    then = dates - np.timedelta64(quarters * QUARTER, "D")
    first = np.searchsorted(dates, then, side="right")
    end = np.minimum(first + WEEK, np.arange(len(dates)) + 1)  # never later than this row
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(s.abnormal_move))])
    abnormal_move = (sums[end] - sums[first]) / np.maximum(end - first, 1)
    reached = (then >= dates[0]) & (end > first)
    return np.where(reached, log_excess(abnormal_move, s.usual_abnormal_move), 0.0)


FEATURES: dict[str, Feature] = {
    "return": Feature((), lambda s: s.returns / s.volatility),
    "range": Feature(PRICE_COLUMNS, _range),
    "gap": Feature(PRICE_COLUMNS, _gap),
    "body": Feature(PRICE_COLUMNS, _body),
    "volatility": Feature((), lambda s: np.log(s.volatility)),
    "volume_surprise": Feature(("volume",), lambda s: s.volume_surprise),
    **{f"variance_{n}": Feature((), partial(_variance, n)) for n in (1, 5, 22, 66)},
    **{f"square_{n}": Feature(PRICE_COLUMNS, partial(_square, n)) for n in (5, 66)},
    **{f"trend_{n}": Feature((), partial(_trend, n)) for n in (5, 22)},
    **{f"event_{n}": Feature((), partial(_event, n)) for n in (5, 15)},
    **{f"news_{n}": Feature((), partial(_earnings_proxy, n)) for n in (20, 40, 60)},
    **{f"due_{n}": Feature((), partial(_schedule, n)) for n in range(1, SCHEDULE_STEPS + 1)},
    **{f"season_{n}": Feature((), partial(_season, n)) for n in (1, 2, 3, 4)},
    **{f"lag_{n}": Feature((), partial(_lag, n)) for n in (63, 126, 189, 252)},
}

BY_NAME_ALONE = ("season", "lag")
"""How the names begin of what nobody gets without asking for it: `due_*` says the same of the sessions ahead,
better."""

MARKET = {f"market_{name}": name for name in ("return", "range", "variance_1", "variance_5", "variance_22")}
"""Features that are a panel's mean of another feature on the same date: the market, as far as the panel shows it.

What moves all prices at once is seen sooner in all of them than in one. A series alone is its own market: it counts
twice then, and is held to small weights by half as much.
"""

DAILY = (*(name for name in FEATURES if not name.startswith(BY_NAME_ALONE)), *MARKET)
"""The features of whoever names none."""


def choose_features(wanted: Sequence[str], panel: Panel, price: str) -> tuple[str, ...]:
    """The inputs of `panel`: those `wanted`, or else all of `DAILY` whose columns most series have.

    A price column's own name is a feature too: the price itself. Raises `ConfigError` for an unknown feature and
    `DataError` where a wanted one needs a column that some series doesn't have.
    """
    if not wanted:
        most = {column for column in COLUMNS if 2 * sum(column in one.columns for one in panel.series) >= len(panel)}
        return tuple(name for name in DAILY if name in MARKET or most.issuperset(FEATURES[name].needs))
    shared = set.intersection(*(set(one.columns) for one in panel.series))
    for name in wanted:
        missing = set(_needs(name)) - shared
        if missing:
            raise DataError(
                f"feature {name!r} needs the column {min(missing)!r}; the prices have {', '.join(sorted(shared))}.",
                f"--set data.features=[{price!r}] and --set data.price={price}",
            )
    return tuple(wanted)


def _needs(name: str) -> tuple[str, ...]:
    if name in COLUMNS:
        return (name,)
    name = MARKET.get(name, name)
    if name not in FEATURES:
        known = ", ".join([*FEATURES, *MARKET, *COLUMNS])
        raise ConfigError(f"there is no feature {name!r}.", f"use some of {known} for data.features.")
    return FEATURES[name].needs


def feature_tables(panel: Sequence[ReturnSeries], names: Sequence[str]) -> Iterator[Floats]:
    """The inputs of each series of a panel, (rows, features), unscaled; NaN where one isn't known yet.

    Made series by series, but for what the market's features need of all.
    """
    markets = [name for name in names if name in MARKET]
    of_all = {MARKET[name]: [_feature(one, MARKET[name]) for one in panel] for name in markets}
    if markets:
        day = by_date(panel)
        of_all |= {name: _cross_section(of_all[MARKET[name]], day) for name in markets}
    for index, one in enumerate(panel):
        columns = [of_all[name][index] if name in of_all else _feature(one, name) for name in names]
        yield np.column_stack(columns)


def _feature(s: ReturnSeries, name: str) -> Floats:
    if name in COLUMNS:
        return s.series.columns[name]
    if is_code(name):
        return code(name, s.series)
    values = FEATURES[name].make(s)
    return np.where(np.isfinite(s.volatility), values, np.nan)


def _cross_section(values: Sequence[Floats], day: NDArray[np.intp]) -> list[Floats]:
    """The mean over the series that know a value on a row's date, `day`: (rows,) of each series in and out."""
    stacked = np.concatenate(values)
    count, total = day_sums(stacked, day)
    mean = np.divide(total, count, out=np.full(len(day), np.nan), where=np.isfinite(stacked))
    return np.split(mean, np.cumsum([len(one) for one in values])[:-1])
