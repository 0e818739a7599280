"""Forecasters that any network must beat: the last price, drift, and the bands of EWMA, HAR and GARCH.

    forecaster = build("ewma", train_panel, price="close", horizon=5)
    forecast = forecaster.forecast(panel, origins)

Each is fitted once on the training panel and then forecasts from any row of any series, from that row and earlier ones
only. All say: the price in h sessions is the last price times exp(a spread times a number), where the numbers are
empirical quantiles of training. They differ in the spread, which is constant for `naive` and `drift`.

Bands need numbers from enough past moves. A series with fewer than 100 moves of h steps in training, or one that was
not in training at all, gets those of all training series together.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import LEVELS, Forecast, Forecaster, Origins
from stockcast.data.series import Floats, Panel
from stockcast.data.volatility import ewma
from stockcast.errors import DataError, UsageError
from stockcast.model.calibrate import Calibration
from stockcast.model.following import Following
from stockcast.model.har import LogHar, fit_log_har
from stockcast.model.series_table import ENOUGH, SeriesTable

HALFLIFE = 20.0
FEWEST = 20  # moves, for any quantiles
SHORTEST_MEMORY = 1e-100  # as good as none, and has a logarithm


@dataclass(frozen=True)
class Naive:
    """The last price, with quantiles of the training part's h-step log returns around it."""

    price: str
    quantiles: SeriesTable  # of (H, Q), log returns
    name: str = "naive"

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        series, row, last = _origins(panel, origins, self.price)
        moves = self.quantiles.of(panel.names)[series]  # (n, H, Q)
        point = np.repeat(last[:, None], moves.shape[1], axis=1)
        return Forecast(series, row, last, point, last[:, None, None] * np.exp(moves), LEVELS)


@dataclass(frozen=True)
class Drift:
    """The last price grown by the training part's mean log return; the bands are `Naive`'s, which hold the drift."""

    naive: Naive
    growth: SeriesTable  # of (), log return a session
    name: str = "drift"

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        flat = self.naive.forecast(panel, origins)
        growth = self.growth.of(panel.names)[flat.series]  # (n,)
        point = flat.point * np.exp(growth[:, None] * np.arange(1, flat.horizon + 1))
        return Forecast(flat.series, flat.row, flat.last, point, flat.quantiles, LEVELS)


@dataclass(frozen=True)
class Volatility:
    """A recursion for the variance of the next log return: constant + reaction * return^2 + memory * variance.

    Each parameter is a `SeriesTable` of (); `start` is the variance before a series' first return.
    """

    constant: SeriesTable
    reaction: SeriesTable
    memory: SeriesTable
    start: SeriesTable

    def ahead(self, panel: Panel, price: str, horizon: int) -> Floats:
        """The standard deviation of the log return over the next 1..H sessions, seen from each row.

        Shape (series, longest, H); rows after a series' end hold no meaning.
        """
        tables = (self.constant, self.reaction, self.memory, self.start)
        constant, reaction, memory, variance = (table.of(panel.names) for table in tables)
        one = np.square(_returns(panel, price))  # (series, longest), the variances in a moment
        for index, squares in enumerate(one):
            # An exponentially weighted mean whose weights are the memory's powers.
            shocks = (constant[index] + reaction[index] * squares[1:]) / (1 - memory[index])
            halflife = -1 / np.log2(max(memory[index], SHORTEST_MEMORY))
            squares[1:] = ewma(shocks, float(halflife), float(variance[index]))
            squares[0] = variance[index]
        return np.sqrt(_summed(one, constant, reaction + memory, horizon))


@dataclass(frozen=True)
class Scaled:
    """The last price, with bands as wide as a volatility foresees: its standard deviation times training quantiles."""

    name: str
    price: str
    volatility: Volatility | LogHar
    quantiles: SeriesTable  # of (H, Q), in standard deviations

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        series, row, last = _origins(panel, origins, self.price)
        numbers = self.quantiles.of(panel.names)[series]  # (n, H, Q)
        spread = self.volatility.ahead(panel, self.price, numbers.shape[1])[series, row]  # (n, H)
        point = np.repeat(last[:, None], numbers.shape[1], axis=1)
        return Forecast(series, row, last, point, last[:, None, None] * np.exp(spread[:, :, None] * numbers), LEVELS)


def build(
    name: str, train: Panel, price: str, horizon: int, conformal_rate: float = 0.0, series_rate: float = 0.0
) -> Forecaster:
    """The baseline called `name`, fitted on `train`, for `horizon` steps of the column `price`.

    From the end of `train` on its bands follow the answers as fast as the two rates say, which are those of
    `Calibration`; 0: never.

    Raises `UsageError` for an unknown name, or where `garch` lacks its library; `DataError` for too little training.
    """
    if name not in BASELINES:
        close = difflib.get_close_matches(name, BASELINES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"there is no baseline {name!r}.{hint}", f"use one of {', '.join(BASELINES)}.")
    most = max(len(one) for one in train.series) - horizon
    if most < FEWEST:
        raise DataError(
            f"the longest training series has {most + horizon} sessions; "
            f"the baseline {name} needs {FEWEST + horizon} to forecast {horizon} steps.",
            "use a longer history, a later --from, or a shorter horizon.",
        )
    baseline = BASELINES[name](train, price, horizon)
    if not (conformal_rate or series_rate):
        return baseline
    return Following(baseline, price, following_from(train, horizon, conformal_rate, series_rate))


def following_from(train: Panel, horizon: int, conformal_rate: float, series_rate: float) -> Calibration:
    """Bands of `horizon` steps as they are at the end of `train`, which follow all later answers."""
    unmoved = np.zeros((horizon, len(LEVELS)))
    return Calibration(unmoved, 0, False, conformal_rate, series_rate, since=train.dates[-1])


def _naive(train: Panel, price: str, horizon: int) -> Naive:
    unit = np.ones((*_returns(train, price).shape, horizon))
    return Naive(price, _quantiles(train, price, unit))


def _drift(train: Panel, price: str, horizon: int) -> Drift:
    mean = {
        one.name: np.log(one.columns[price][-1] / one.columns[price][0]) / (len(one) - 1)
        for one in train.series
        if len(one) > 1
    }
    return Drift(_naive(train, price, horizon), SeriesTable(mean, np.asarray(np.median(list(mean.values())))))


def _ewma(train: Panel, price: str, horizon: int) -> Scaled:
    """The exponentially weighted mean of squared returns (RiskMetrics 1996), half-life 20 sessions, constant ahead."""
    memory = 0.5 ** (1 / HALFLIFE)
    zero, reaction, keep = (SeriesTable({}, np.asarray(value)) for value in (0.0, 1 - memory, memory))
    volatility = Volatility(zero, reaction, keep, _mean_square(train, price))
    return _scaled("ewma", train, price, horizon, volatility)


def _garch(train: Panel, price: str, horizon: int) -> Scaled:
    """GARCH(1,1) with Student's t (Bollerslev 1987), fitted to each series' log returns by the library `arch`.

    Multi-step variances follow from the recursion. The quantiles are empirical, as with `ewma`, which forecasts better
    than the fitted t. Series that can't be fitted take the median reaction and memory of those that can.
    """
    fits = {one.name: fit for one in train.series if (fit := _fit_garch(one.columns[price])) is not None}
    if not fits:
        raise DataError(
            f"the baseline garch found no fit in training: it needs {ENOUGH} returns of a price that moves.",
            "use a longer history, or leave garch out of --against.",
        )
    _, reaction, memory = np.median(list(fits.values()), axis=0)
    square = _mean_square(train, price)
    targeted = {key: square.of((key,))[0] * (1 - reaction - memory) for key in train.names}
    volatility = Volatility(
        SeriesTable(targeted | {key: fit[0] for key, fit in fits.items()}, square.other * (1 - reaction - memory)),
        SeriesTable({key: fit[1] for key, fit in fits.items()}, reaction),
        SeriesTable({key: fit[2] for key, fit in fits.items()}, memory),
        square,
    )
    return _scaled("garch", train, price, horizon, volatility)


def _fit_garch(level: Floats) -> Floats | None:
    """The constant, reaction and memory of one series, (3,).

    None where there are too few returns, no optimum, or a variance that could fall to nothing, as prices that often
    stand still make it.
    """
    try:
        from arch import arch_model
    except ImportError as error:
        raise UsageError(
            "the baseline garch needs the library arch.", "pip install 'stockcast-cli[baselines]'"
        ) from error
    returns = np.diff(np.log(level))
    unit = returns.std() / 10  # arch converges best on numbers of this size
    if len(returns) < ENOUGH or not unit > 0:
        return None
    fit = arch_model(returns / unit, mean="Zero", dist="t", rescale=False).fit(disp="off", show_warning=False)
    constant, reaction, memory, _ = fit.params.to_numpy()  # the constant in units of a variance of 100
    sound = fit.convergence_flag == 0 and constant > 0.01
    return np.array([constant * unit**2, reaction, memory]) if sound else None


def _har(train: Panel, price: str, horizon: int) -> Scaled:
    return _scaled("har", train, price, horizon, fit_log_har(train, price, horizon, pooled=True))


def _own_har(train: Panel, price: str, horizon: int) -> Scaled:
    return _scaled("har-own", train, price, horizon, fit_log_har(train, price, horizon, pooled=False))


BASELINES: Mapping[str, Callable[[Panel, str, int], Forecaster]] = MappingProxyType(
    {"naive": _naive, "drift": _drift, "ewma": _ewma, "har": _har, "har-own": _own_har, "garch": _garch}
)


def _scaled(name: str, train: Panel, price: str, horizon: int, volatility: Volatility | LogHar) -> Scaled:
    return Scaled(name, price, volatility, _quantiles(train, price, volatility.ahead(train, price, horizon)))


def _quantiles(train: Panel, price: str, unit: Floats) -> SeriesTable:
    """Empirical quantiles of the log returns of 1..H steps, in units of `unit` (series, longest, H)."""
    own: dict[str, list[Floats]] = {one.name: [] for one in train.series}
    other: list[Floats] = []
    for step in range(1, unit.shape[2] + 1):
        moves = {}
        for index, one in enumerate(train.series):
            level = np.log(one.columns[price])
            spread = unit[index, : max(len(one) - step, 0), step - 1]
            moves[one.name] = np.divide(
                level[step:] - level[:-step], spread, out=np.zeros_like(spread), where=spread > 0
            )
        together = np.quantile(np.concatenate(list(moves.values())), LEVELS)
        for key, values in moves.items():
            own[key].append(np.quantile(values, LEVELS) if len(values) >= ENOUGH else together)
        other.append(together)
    return SeriesTable({key: np.array(rows) for key, rows in own.items()}, np.array(other))


def _mean_square(train: Panel, price: str) -> SeriesTable:
    """The mean squared log return of each series with enough of them, and of all together."""
    squares = {one.name: np.diff(np.log(one.columns[price])) ** 2 for one in train.series}
    own = {key: values.mean() for key, values in squares.items() if len(values) >= ENOUGH}
    return SeriesTable(own, np.asarray(np.concatenate(list(squares.values())).mean()))


def _returns(panel: Panel, price: str) -> Floats:
    """The log return that ends on each row, 0 on the first and after a series' end: (series, longest)."""
    returns = np.zeros((len(panel), max(len(one) for one in panel.series)))
    for index, one in enumerate(panel.series):
        returns[index, 1 : len(one)] = np.diff(np.log(one.columns[price]))
    return returns


def _summed(one: Floats, constant: Floats, persistence: Floats, horizon: int) -> Floats:
    """The variance over the next 1..H sessions where each session's is constant + persistence times the one before."""
    total = np.empty((*one.shape, horizon))
    total[:, :, 0] = one
    for step in range(1, horizon):
        one = constant[:, None] + persistence[:, None] * one
        total[:, :, step] = total[:, :, step - 1] + one
    return total


def _origins(panel: Panel, origins: Origins, price: str) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """The series, row and last price of every forecast, (n,) each."""
    rows = [np.asarray(mine, dtype=np.int64) for mine in origins]
    series = np.repeat(np.arange(len(rows)), [len(mine) for mine in rows])
    last = [one.columns[price][mine] for one, mine in zip(panel.series, rows, strict=True)]
    return series, np.concatenate(rows), np.concatenate(last)
