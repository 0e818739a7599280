"""The scores of a judged forecast, one record a step: what tables, JSON and saved models hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast, Forecast
from stockcast.data.series import Floats, Panel
from stockcast.evaluate import scores
from stockcast.evaluate.significance import (
    binomial_interval,
    christoffersen,
    daily_mean,
    effective_size,
    kupiec,
)

BANDS = (0.5, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class NaiveErrors:
    """How far the last price was off in training, at each step: the units of MASE and RMSSE.

    `absolute` and `squared` map a series' name to (H,): the mean absolute and mean squared error, in price units.
    """

    absolute: Mapping[str, Floats]
    squared: Mapping[str, Floats]


def naive_errors(train: Panel, price: str, horizon: int) -> NaiveErrors:
    """The last price's errors 1..H steps ahead on `train`; NaN for steps that a series is too short for."""
    absolute, squared = {}, {}
    for one in train.series:
        level = one.columns[price]
        moves = [level[step:] - level[:-step] for step in range(1, horizon + 1)]
        absolute[one.name] = np.array([scores.mean(np.abs(move)) for move in moves])
        squared[one.name] = np.array([scores.mean(move**2) for move in moves])
    return NaiveErrors(absolute, squared)


@dataclass(frozen=True)
class BandScores:
    """One central band at one step.

    `coverage` is the share of prices that fell inside, `low` and `high` its binomial 95 % interval (Clopper-Pearson on
    the effective number of forecasts); `width` and `interval_score` are in percent of the last price; `kupiec` and
    `christoffersen` are p values, NaN where they can't be had.
    """

    level: float
    coverage: float
    low: float
    high: float
    width: float
    interval_score: float
    kupiec: float
    christoffersen: float


@dataclass(frozen=True)
class Scores:
    """All scores of one model at one step, over `n` forecasts with `days` distinct origins.

    `mae` and `rmse` are in the price's unit, and NaN over several series, whose prices have no common one.
    `mae_percent`, `rmse_percent`, `pinball` (mean over levels) and `crps` are in percent of the last price; `mape` and
    `smape` in percent; `mase` and `rmsse` in the last price's training error at this step; `direction` is the share of
    right directions, ties one half. `pit` holds the share of prices in each gap between the quantiles.
    """

    step: int
    n: int
    days: int
    mae: float
    rmse: float
    mae_percent: float
    rmse_percent: float
    mape: float
    smape: float
    mase: float
    rmsse: float
    pinball: float
    crps: float
    direction: float
    bands: tuple[BandScores, ...]
    pit: tuple[float, ...]

    def skill(self, naive: Scores) -> dict[str, float]:
        """1 - loss / the last price's loss, for RMSE, MAE and pinball loss in percent of the last price."""
        losses = ("rmse_percent", "mae_percent", "pinball")
        return {key: scores.skill(getattr(self, key), getattr(naive, key)) for key in losses}

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON, None for NaN."""
        return jsonable(self)


def jsonable(record: Any) -> dict[str, Any]:
    """A record as nested dicts, lists and plain values for JSON, with None for NaN."""

    def tidy(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tidy(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [tidy(inner) for inner in value]
        return None if isinstance(value, float) and math.isnan(value) else value

    return {key: tidy(value) for key, value in dataclasses.asdict(record).items()}


@dataclass(frozen=True)
class Step:
    """What is known of one step: the forecasts whose price has come. All arrays (n,), `quantiles` (n, Q).

    `day` numbers the origins in order, from 0.
    """

    number: int
    series: NDArray[np.int64]
    day: NDArray[np.int64]
    last: Floats
    actual: Floats
    point: Floats
    quantiles: Floats
    levels: tuple[float, ...]

    def hits(self, band: float) -> Floats:
        """1 where the price fell into the central band, else 0. The band's ends must be among the levels."""
        low, high = self.ends(band)
        return scores.inside(self.actual, low, high)

    def ends(self, band: float) -> tuple[Floats, Floats]:
        """The lower and upper quantile of a central band, (n,) each."""
        levels = np.asarray(self.levels)
        low, high = (int(np.argmin(np.abs(levels - end))) for end in ((1 - band) / 2, (1 + band) / 2))
        return self.quantiles[:, low], self.quantiles[:, high]

    def pinball(self) -> Floats:
        """Mean pinball loss over the levels, in percent of the last price, (n,)."""
        losses = scores.pinball(self.actual, self.quantiles, self.levels)  # (n, Q)
        return np.asarray(100 * losses.mean(axis=1) / self.last)

    def squared(self) -> Floats:
        """Squared error of the point forecast, in squared percent of the last price, (n,)."""
        return (100 * (self.actual - self.point) / self.last) ** 2

    @property
    def one_series(self) -> bool:
        """Whether errors have a common unit, the price's."""
        return len(np.unique(self.series)) == 1

    def rmse(self) -> float:
        """In the price's unit for one series, in percent of the last price for several."""
        return scores.rmse(self.actual, self.point) if self.one_series else math.sqrt(scores.mean(self.squared()))


def steps_of(evaluated: EvaluatedForecast) -> list[Step]:
    """Every step, each without the forecasts whose price is not known."""
    forecast = evaluated.forecast
    day = np.unique(evaluated.origin, return_inverse=True)[1]
    steps = []
    for at in range(forecast.horizon):
        known = np.isfinite(evaluated.actual[:, at])
        series, last, actual = forecast.series[known], forecast.last[known], evaluated.actual[known, at]
        point, quantiles = forecast.point[known, at], forecast.quantiles[known, at]
        steps.append(Step(at + 1, series, day[known], last, actual, point, quantiles, forecast.levels))
    return steps


def score(evaluated: EvaluatedForecast, training: NaiveErrors) -> tuple[Scores, ...]:
    """The scores of each step, over all series together."""
    return tuple(_score(step, evaluated.names, training) for step in steps_of(evaluated))


def score_each(evaluated: EvaluatedForecast, training: NaiveErrors) -> dict[str, tuple[Scores, ...]]:
    """The scores of each series that was forecast, by name, and of each step."""
    return {
        name: score(pick(evaluated, evaluated.forecast.series == index), training)
        for index, name in enumerate(evaluated.names)
        if (evaluated.forecast.series == index).any()
    }


def first_step(evaluated: EvaluatedForecast) -> EvaluatedForecast:
    """The forecasts one step ahead alone."""
    old = evaluated.forecast
    forecast = replace(old, point=old.point[:, :1], quantiles=old.quantiles[:, :1], directions=None)
    return replace(evaluated, forecast=forecast, actual=evaluated.actual[:, :1], dates=evaluated.dates[:, :1])


def pick(evaluated: EvaluatedForecast, keep: NDArray[np.bool_]) -> EvaluatedForecast:
    """The forecasts where `keep` (n,) is true."""
    old = evaluated.forecast
    directions = old.directions.take(keep) if old.directions else None
    forecast = Forecast(
        old.series[keep], old.row[keep], old.last[keep], old.point[keep], old.quantiles[keep], old.levels, directions
    )
    return EvaluatedForecast(
        evaluated.model,
        evaluated.names,
        forecast,
        evaluated.actual[keep],
        evaluated.origin[keep],
        evaluated.dates[keep],
    )


def _score(step: Step, names: tuple[str, ...], training: NaiveErrors) -> Scores:
    actual, point, last = step.actual, step.point, step.last
    return Scores(
        step=step.number,
        n=len(actual),
        days=len(np.unique(step.day)),
        mae=scores.mae(actual, point) if step.one_series else math.nan,
        rmse=scores.rmse(actual, point) if step.one_series else math.nan,
        mae_percent=scores.mean(np.sqrt(step.squared())),
        rmse_percent=math.sqrt(scores.mean(step.squared())),
        mape=scores.mape(actual, point),
        smape=scores.smape(actual, point),
        mase=scores.mase(actual, point, _unit(training.absolute, names, step)),
        rmsse=scores.rmsse(actual, point, _unit(training.squared, names, step)),
        pinball=scores.mean(step.pinball()),
        crps=scores.mean(100 * scores.crps(actual, step.quantiles, step.levels) / last),
        direction=scores.mean(scores.direction_hits(last, actual, point)),
        bands=tuple(_score_band(step, level) for level in BANDS),
        pit=tuple(float(share) for share in scores.pit_histogram(actual, step.quantiles, step.levels)),
    )


def _unit(errors: Mapping[str, Floats], names: tuple[str, ...], step: Step) -> Floats:
    """Each forecast's training error at this step, (n,); NaN for series that were not in training."""
    by_series = np.array([errors[name][step.number - 1] if name in errors else math.nan for name in names])
    return by_series[step.series]


def _score_band(step: Step, level: float) -> BandScores:
    hits, (lower, upper) = step.hits(level), step.ends(level)
    size = effective_size(hits, step.day, step.number)
    coverage = scores.mean(hits)
    found = coverage * size if size else 0.0
    low, high = binomial_interval(found, size)
    return BandScores(
        level=level,
        coverage=coverage,
        low=low,
        high=high,
        width=scores.mean(100 * (upper - lower) / step.last),
        interval_score=scores.mean(100 * scores.interval_score(step.actual, lower, upper, level) / step.last),
        kupiec=kupiec(found, size, level).p,
        christoffersen=christoffersen(daily_mean(hits, step.day), step.number).p,
    )
