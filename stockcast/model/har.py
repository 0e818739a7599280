"""Log HAR: how wide the coming sessions are, by least squares on the ranges of the last day, week, month and quarter.

The heterogeneous autoregression of Corsi (2009, A simple approximate long-memory model of realized volatility), in
logarithms, on the variance that a session's range and the gap before it show, with the leverage term of Corsi and Renò
(2012, Discrete-time volatility forecasting with persistent leverage effect): a fall makes the days after it wilder.
Each step has its own regression, of the mean variance up to it, and nothing is iterated.

All series share the slopes and each has a level of its own, for slopes are much the same everywhere (Bollerslev, Hood,
Huss and Pedersen 2018, Risk everywhere: modeling and managing volatility); or each has its own slopes too. On 120
stocks of 2018 to 2022, with bands that follow, shared ones were better one step ahead in the calm years and as good in
the wild ones. They are held to `EVEN` as `PRIOR` says, which was chosen on the same years: without it, a series by
itself needs two years of training for better bands than EWMA's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.data.returns import return_series
from stockcast.data.rows import STILL
from stockcast.data.series import Floats, Panel, PriceSeries
from stockcast.data.volatility import VOLATILITY_FLOOR
from stockcast.model.series_table import ENOUGH, SeriesTable

WINDOWS = (1, 5, 22, 66)
"""Sessions over which the variance is averaged: a day, a week, a month, a quarter."""

FALLS = (1, 5, 22)
"""Sessions over which a fall counts by itself."""

EVEN = np.array([1 / len(WINDOWS)] * len(WINDOWS) + [0.0] * len(FALLS))
"""The slopes that are believed in before any price is seen: each window counts alike, and falls don't."""

PRIOR = 2000.0
"""Rows that this belief is worth: eight years. One series by itself leans on it, and a panel's rows outweigh it."""

BEYOND = 10.0
"""How many times above all variances of training, or below them, a forecast may lie: a line ends somewhere."""

HALFLIFE = 20.0
"""Of the volatility that a `ReturnSeries` has too; nothing here depends on it."""


@dataclass(frozen=True)
class LogHar:
    """A regression for each of H steps: the log of the mean variance up to it is level + regressors (F,) @ slopes.

    - `slopes`, a `SeriesTable` of (F, H), and `level`, one of (H,);
    - `least` and `most` (H,): what the regression says is held between them;
    - `start`, a `SeriesTable` of (): the variance of the sessions before a series' first.
    """

    slopes: SeriesTable
    level: SeriesTable
    least: Floats
    most: Floats
    start: SeriesTable

    def ahead(self, panel: Panel, price: str, horizon: int) -> Floats:
        """The standard deviation of the log return over the next 1..H sessions, seen from each row.

        Shape (series, longest, H), of the `horizon` that it was fitted for; rows after a series' end hold no meaning.
        """
        spread = np.ones((len(panel), max(len(one) for one in panel.series), horizon))
        for one, mine in zip(panel.series, spread, strict=True):
            start, level, slopes = (table.of((one.name,))[0] for table in (self.start, self.level, self.slopes))
            logs = np.clip(level + _past(one, price, float(start)).regressors @ slopes, self.least, self.most)
            mine[: len(one)] = np.sqrt(np.exp(logs) * np.arange(1, horizon + 1))
        return spread


def fit_log_har(train: Panel, price: str, horizon: int, pooled: bool) -> LogHar:
    """Fit the regressions on all rows of `train` whose answers lie in it too; `pooled`: with slopes that all share.

    Series with too few of them for numbers of their own have those of all series together.
    """
    start = _start(train, price)
    pasts = {one.name: _past(one, price, float(start.of((one.name,))[0])) for one in train.series}
    steps = [_fit_step(pasts, step, pooled) for step in range(1, horizon + 1)]
    names = [name for name, past in pasts.items() if len(past.variance) - horizon >= ENOUGH]
    lines = {name: [step.own[name] for step in steps] for name in names}
    shared = [step.shared for step in steps]
    return LogHar(
        slopes=SeriesTable({name: _slopes(mine) for name, mine in lines.items()}, _slopes(shared)),
        level=SeriesTable({name: _levels(mine) for name, mine in lines.items()}, _levels(shared)),
        least=np.array([step.least for step in steps]) - np.log(BEYOND),
        most=np.array([step.most for step in steps]) + np.log(BEYOND),
        start=start,
    )


@dataclass(frozen=True)
class _Past:
    """What each row of a series knows, and what it is fitted to.

    - `regressors` (rows, F): the log of the mean variance of each of `WINDOWS`, and the fall over each of `FALLS`;
    - `variance` (rows,) of each session, and `still` (rows,), which is added before a logarithm is taken.
    """

    regressors: Floats
    variance: Floats
    still: Floats

    def answers(self, step: int) -> Floats:
        """The log of the mean variance of the next `step` sessions, of all rows that have so many, (rows - step,)."""
        sums = np.cumsum(self.variance)
        logs: Floats = np.log((sums[step:] - sums[:-step]) / step + self.still[:-step])
        return logs


def _past(one: PriceSeries, price: str, start: float) -> _Past:
    """`start` stands for the variance of the first session and of those before it."""
    known = return_series(one, price, HALFLIFE)
    variance = np.concatenate([[start], known.variance[1:]])
    usual = np.maximum(_trailing(variance, WINDOWS[-1], start), VOLATILITY_FLOOR**2)
    still = STILL * usual
    returns = np.concatenate([[0.0], known.returns[1:]])
    means = [np.log(_trailing(variance, window, start) + still) for window in WINDOWS]
    falls = [np.minimum(_trailing(returns, window, 0.0), 0.0) * np.sqrt(window / usual) for window in FALLS]
    return _Past(np.column_stack([*means, *falls]), variance, still)


def _trailing(values: Floats, window: int, before: float) -> Floats:
    """The mean of the last `window` values, (rows,), where all before the first are `before`."""
    sums = np.cumsum(np.concatenate([np.full(window, before), values]))
    return np.asarray((sums[window:] - sums[:-window]) / window)


def _start(train: Panel, price: str) -> SeriesTable:
    """The mean variance of each series with enough of them, and of all together."""
    variances = {one.name: return_series(one, price, HALFLIFE).variance[1:] for one in train.series}
    own = {name: values.mean() for name, values in variances.items() if len(values) >= ENOUGH}
    return SeriesTable(own, np.asarray(np.concatenate(list(variances.values())).mean()))


@dataclass(frozen=True)
class _Line:
    """A level and slopes (F,)."""

    level: float
    slopes: Floats


@dataclass(frozen=True)
class _Step:
    """One step's regression: each series' own line, by name, that of all together, and the ends of its answers."""

    own: Mapping[str, _Line]
    shared: _Line
    least: float
    most: float


def _fit_step(pasts: Mapping[str, _Past], step: int, pooled: bool) -> _Step:
    known = {name: (past.regressors[:-step], past.answers(step)) for name, past in pasts.items()}
    enough = {name: part for name, part in known.items() if len(part[1]) >= ENOUGH}
    shared = _ridge([part for part in known.values() if len(part[1])])
    own = {name: _line(*part, shared if pooled else _ridge([part])) for name, part in enough.items()}
    x, y = (np.concatenate(arrays) for arrays in zip(*known.values(), strict=True))
    return _Step(own, _line(x, y, shared), float(y.min()), float(y.max()))


def _ridge(parts: Sequence[tuple[Floats, Floats]]) -> Floats:
    """The slopes (F,) of answers (rows,) on regressors (rows, F), series by series, held to `EVEN`.

    Of what each row lies off its series' means, so that no level gets into them. The belief in a slope is as strong
    as `PRIOR` average rows make it.
    """
    off = [(x - x.mean(axis=0), y - y.mean()) for x, y in parts]
    products, answered = sum(x.T @ x for x, _ in off), sum(x.T @ y for x, y in off)
    belief = PRIOR / sum(len(y) for _, y in off) * np.diag(np.diag(products))
    # The shortest solution: a regressor that never moved has a slope of 0.
    slopes: Floats = np.linalg.lstsq(products + belief, answered + belief @ EVEN, rcond=None)[0]
    return slopes


def _line(x: Floats, y: Floats, slopes: Floats) -> _Line:
    """Through the means of all rows."""
    return _Line(float(y.mean() - x.mean(axis=0) @ slopes), slopes)


def _slopes(lines: Sequence[_Line]) -> Floats:
    """Of all steps, (F, H)."""
    return np.column_stack([line.slopes for line in lines])


def _levels(lines: Sequence[_Line]) -> Floats:
    """Of all steps, (H,)."""
    return np.array([line.level for line in lines])
