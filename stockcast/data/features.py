"""The network's inputs: what is known of a session by its close, free of the price's own scale.

Every feature is causal: its value on row t depends on rows up to and with t, of its own series and, for news and the
market, on the other series' rows up to that date. It is NaN before row `VOLATILITY_WARMUP`. Volatility comes first: all
that moves is divided by it, so that one network can serve a penny stock and an index. To add a feature, write a
function of `FeatureRows` and name it in `FEATURES`.

A feature whose columns a series lacks, or has in another unit, falls back to what that series has: a session's variance
to its squared return, the surprise in volume to none.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from stockcast.data.calendar_features import code, is_code
from stockcast.data.earnings import QUARTER, SCHEDULE_STEPS, earnings_schedule, log_excess, trailing_max
from stockcast.data.returns import ReturnSeries
from stockcast.data.series import COLUMNS, PRICE_COLUMNS, Floats, Panel
from stockcast.errors import ConfigError, DataError

STANDSTILL = 1e-3
"""Added to a variance in units of the EWMA's, so that a session without any move has a logarithm."""

Number = TypeVar("Number", np.float64, np.bool_)

WEEK = 5
"""In sessions."""


@dataclass(frozen=True)
class FeatureRows:
    """The rows of a series from `first` on, (n,), of which features are made; older ones are there to look back on."""

    of: ReturnSeries
    first: int = 0

    def tail(self, values: NDArray[Number]) -> NDArray[Number]:
        """These rows of an array of all rows."""
        return values[self.first :]

    @cached_property
    def volatility(self) -> Floats:
        """The EWMA volatility, (n,)."""
        return self.tail(self.of.volatility)

    @cached_property
    def returns(self) -> Floats:
        """The log returns, (n,)."""
        return self.tail(self.of.returns)

    @cached_property
    def schedule(self) -> Floats:
        """What past quarters' reports say of each of the next sessions, (n, SCHEDULE_STEPS)."""
        of = self.of
        return earnings_schedule(of.series.dates, of.earnings_proxy, of.usual_earnings_proxy, self.first)


@dataclass(frozen=True)
class Feature:
    """A named input: the columns that it needs and the function that makes it, (n,) from `FeatureRows`.

    Without one of the columns `better` it is made of what the series has.
    """

    needs: tuple[str, ...]
    make: Callable[[FeatureRows], Floats]
    better: tuple[str, ...] = ()


def _variance(sessions: int, rows: FeatureRows) -> Floats:
    """Log volatility of the last sessions' ranges above the EWMA's.

    Averages over a day, a week, a month and a quarter: Corsi (2009), A simple approximate long-memory model of
    realized volatility (HAR).
    """
    return _log_ratio(rows.of.variance_sums.mean(sessions, rows.first), rows)


def _square(sessions: int, rows: FeatureRows) -> Floats:
    """The same from squared returns, which hold the jumps that ranges smooth."""
    return _log_ratio(rows.of.square_sums.mean(sessions, rows.first), rows)


def _log_ratio(variance: Floats, rows: FeatureRows) -> Floats:
    ratio: Floats = np.maximum(variance, 0.0) / rows.volatility**2
    return 0.5 * np.log(ratio + STANDSTILL)


def _range(rows: FeatureRows) -> Floats:
    """From the low to the high; of closes alone, from one to the next."""
    return _of_sound(rows, "low", "high", np.abs(rows.returns))


def _gap(rows: FeatureRows) -> Floats:
    """From the last close to the open: what came while the market was closed; of closes alone, nothing."""
    return rows.tail(rows.of.gap) / rows.volatility


def _body(rows: FeatureRows) -> Floats:
    """From the open to the close; of closes alone, from one to the next."""
    return _of_sound(rows, "open", "close", rows.returns)


def _of_sound(rows: FeatureRows, begin: str, end: str, others: Floats) -> Floats:
    """Moves between two prices of sessions whose four are sound, `others` for the rest, in units of volatility."""
    if not rows.of.any_sound:
        return others / rows.volatility
    moves = rows.tail(rows.of.logs[end]) - rows.tail(rows.of.logs[begin])
    return np.where(rows.tail(rows.of.sound), moves, others) / rows.volatility


def _lag(sessions: int, rows: FeatureRows) -> Floats:
    """The size of the move that came so many sessions before the next one will.

    A quarter has about 63 sessions, and earnings come back each quarter. 0 where the series does not reach back so far.
    """
    size = np.nan_to_num(np.abs(rows.of.returns) / rows.of.volatility)
    return rows.tail(np.concatenate([np.zeros(sessions), size[1:]])[: len(size)])


def _trend(sessions: int, rows: FeatureRows) -> Floats:
    """The return of the last sessions in units of its volatility: falls raise volatility (Black 1976, the leverage
    effect; Corsi and Reno 2012, for several lengths)."""
    return rows.of.return_sums.mean(sessions, rows.first) * math.sqrt(sessions) / rows.volatility


def _event(sessions: int, rows: FeatureRows) -> Floats:
    """The greatest abnormal move of the last sessions against the usual one: quiet follows news."""
    greatest = trailing_max(np.nan_to_num(rows.of.abnormal_move), sessions, rows.first)
    return log_excess(greatest, rows.tail(rows.of.usual_abnormal_move))


def _news(sessions: int, rows: FeatureRows) -> Floats:
    """The greatest earnings proxy of the last sessions against the usual one.

    Without any that stands out, the next report is still to come.
    """
    greatest = trailing_max(rows.of.earnings_proxy, sessions, rows.first)
    return log_excess(greatest, rows.tail(rows.of.usual_earnings_proxy))


def _due(step: int, rows: FeatureRows) -> Floats:
    """What past quarters' reports say of the session so many steps ahead."""
    return rows.schedule[:, step - 1]


def _season(quarters: int, rows: FeatureRows) -> Floats:
    """The abnormal move of the week that followed the same weekday so many quarters ago, against the usual one.

    Earnings come back after 13 weeks, mostly on the same weekday, and prices move then (Beaver 1968, The information
    content of annual earnings announcements). 0, as usual, where the series does not reach back so far.
    """
    dates = rows.of.series.dates
    then = dates[rows.first :] - np.timedelta64(quarters * QUARTER, "D")
    start = np.searchsorted(dates, then, side="right")
    end = np.minimum(start + WEEK, np.arange(rows.first, len(dates)) + 1)  # never later than this row
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(rows.of.abnormal_move))])
    mean = (sums[end] - sums[start]) / np.maximum(end - start, 1)
    reached = (then >= dates[0]) & (end > start)
    return np.where(reached, log_excess(mean, rows.tail(rows.of.usual_abnormal_move)), 0.0)


FEATURES: dict[str, Feature] = {
    "return": Feature((), lambda rows: rows.returns / rows.volatility),
    "range": Feature(PRICE_COLUMNS, _range),
    "gap": Feature(PRICE_COLUMNS, _gap),
    "body": Feature(PRICE_COLUMNS, _body),
    "volatility": Feature((), lambda rows: np.log(rows.volatility)),
    "volume_surprise": Feature(("volume",), lambda rows: rows.tail(rows.of.volume_surprise)),
    **{f"variance_{n}": Feature((), partial(_variance, n), PRICE_COLUMNS) for n in (1, 5, 22, 66)},
    **{f"square_{n}": Feature(PRICE_COLUMNS, partial(_square, n)) for n in (5, 66)},
    **{f"trend_{n}": Feature((), partial(_trend, n)) for n in (5, 22)},
    **{f"event_{n}": Feature((), partial(_event, n), ("volume",)) for n in (5, 15)},
    **{f"news_{n}": Feature((), partial(_news, n), COLUMNS) for n in (20, 40, 60)},
    **{f"due_{n}": Feature((), partial(_due, n), COLUMNS) for n in range(1, SCHEDULE_STEPS + 1)},
    **{f"season_{n}": Feature((), partial(_season, n), ("volume",)) for n in (1, 2, 3, 4)},
    **{f"lag_{n}": Feature((), partial(_lag, n)) for n in (63, 126, 189, 252)},
}

BY_NAME_ALONE = ("season", "lag")
"""How the names begin of what nobody gets without asking for it: `due_*` says the same of the sessions ahead,
better."""

GUESSED = ("due", "news")
"""How the names begin of what guesses when a company reports, which is not asked where the dates are given."""

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
    _demand_known(wanted)
    shared = set.intersection(*(set(one.columns) for one in panel.series))
    for name in wanted:
        missing = set(_needs(name)) - shared
        if missing:
            raise DataError(
                f"feature {name!r} needs the column {min(missing)!r}; the prices have {', '.join(sorted(shared))}.",
                _flag([other for other in wanted if shared.issuperset(_needs(other))] or [price]),
            )
    return tuple(wanted)


def _demand_known(wanted: Sequence[str]) -> None:
    known = [*FEATURES, *MARKET, *COLUMNS]
    meant = [difflib.get_close_matches(name, known, n=1) for name in wanted]
    for name, near in zip(wanted, meant, strict=True):
        if name not in known:
            hint = f" Did you mean {near[0]!r}?" if near else ""
            mended = [one for several in meant for one in several]
            raise ConfigError(f"there is no feature {name!r}.{hint}", f"{_flag(mended)}; there are {', '.join(known)}.")


def _flag(features: Sequence[str]) -> str:
    return f"--set 'data.features={json.dumps(features, separators=(',', ':'))}'"


def _needs(name: str) -> tuple[str, ...]:
    return (name,) if name in COLUMNS else FEATURES[MARKET.get(name, name)].needs


def columns_needed(names: Sequence[str]) -> frozenset[str]:
    """The columns without which one of the features can't be made as it is meant."""
    return frozenset(column for name in names if is_feature(name) for column in _needs(name))


def columns_used(names: Sequence[str]) -> frozenset[str]:
    """The columns that features are made of where a series has them; of a known event's, any may be.

    Raises nothing for what is no feature: a code of the calendar is made of no column.
    """
    used: set[str] = set()
    for name in names:
        if is_feature(name):
            feature = FEATURES.get(MARKET.get(name, name))
            used.update(_needs(name), feature.better if feature else ())
        elif not is_code(name):
            used.update(COLUMNS)
    return frozenset(used)


def is_feature(name: str) -> bool:
    """Whether `make_feature` makes it, but for a code."""
    return name in COLUMNS or name in FEATURES or name in MARKET


def make_feature(rows: FeatureRows, name: str) -> Floats:
    """One feature, a price column or a code, unscaled, (n,); NaN where it isn't known yet."""
    if name in COLUMNS:
        return rows.tail(rows.of.series.columns[name])
    if is_code(name):
        return rows.tail(code(name, rows.of.series))
    return np.where(np.isfinite(rows.volatility), FEATURES[name].make(rows), np.nan)
