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
from stockcast.data.series import Dates, Floats, Panel
from stockcast.evaluate import scores
from stockcast.evaluate.levels import band_ends, loss_levels, scored_bands
from stockcast.evaluate.significance import (
    binomial_interval,
    christoffersen,
    daily_mean,
    effective_size,
    kupiec,
)


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
    right directions, ties one half. `pit` holds the share of prices in each gap between the quantiles that losses are
    over. Without quantiles `pinball` and `crps` are NaN, `bands` and `pit` empty.
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

    `day` numbers the origins in order, from 0. `overlap` is how many origins in a row have forecasts that share a part
    of their path: the step itself where a forecast is made on every session, and 1 where the next is made only when
    the last has come.
    """

    number: int
    overlap: int
    series: NDArray[np.int64]
    day: NDArray[np.int64]
    last: Floats
    actual: Floats
    point: Floats
    quantiles: Floats
    levels: tuple[float, ...]

    @property
    def bands(self) -> tuple[float, ...]:
        """The central bands that are scored."""
        return scored_bands(self.levels)

    def hits(self, band: float) -> Floats:
        """1 where the price fell into the central band, else 0. `band` is one of `bands`."""
        low, high = self.ends(band)
        return scores.inside(self.actual, low, high)

    def ends(self, band: float) -> tuple[Floats, Floats]:
        """The lower and upper quantile of a central band, one of `bands`, (n,) each."""
        low, high = band_ends(self.levels, band)
        return self.quantiles[:, low], self.quantiles[:, high]

    def at(self, levels: tuple[float, ...]) -> Floats:
        """The quantiles at some of its levels, (n, those)."""
        return self.quantiles[:, [self.levels.index(level) for level in levels]]

    def pinball(self, levels: tuple[float, ...] | None = None) -> Floats:
        """Mean pinball loss over `levels`, or its `loss_levels`, in percent of the last price, (n,); NaN over none."""
        return self.crps(levels) / 2

    def crps(self, levels: tuple[float, ...] | None = None) -> Floats:
        """The score `scores.crps`, over the same levels and in the same unit as `pinball`, (n,)."""
        levels = loss_levels(self.levels) if levels is None else levels
        if not levels:
            return np.full(len(self.last), np.nan)
        return np.asarray(100 * scores.crps(self.actual, self.at(levels), levels) / self.last)

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
    """Every step that was forecast, each without the forecasts whose price is not known."""
    forecast = evaluated.forecast
    days, day = np.unique(evaluated.origin, return_inverse=True)
    steps = []
    for at in np.flatnonzero((np.isfinite(forecast.point) | np.isfinite(evaluated.actual)).any(axis=0)):
        known = np.isfinite(evaluated.actual[:, at])
        overlap = _overlap(days, evaluated.origin[known], evaluated.dates[known, at])
        series, last, actual = forecast.series[known], forecast.last[known], evaluated.actual[known, at]
        point, quantiles = forecast.point[known, at], forecast.quantiles[known, at]
        steps.append(Step(int(at) + 1, overlap, series, day[known], last, actual, point, quantiles, forecast.levels))
    return steps


def _overlap(days: Dates, origin: Dates, date: Dates) -> int:
    """How many of the `days` that forecasts are made on lie from a forecast's `origin` to before its `date`."""
    if not len(date):
        return 1
    return max(1, int(np.median(np.searchsorted(days, date) - np.searchsorted(days, origin))))


def score(
    evaluated: EvaluatedForecast, training: NaiveErrors, levels: tuple[float, ...] | None = None
) -> tuple[Scores, ...]:
    """The scores of each step, over all series together; `pinball` and `crps` over `levels`, or `loss_levels`."""
    own = levels if evaluated.forecast.levels else ()
    return tuple(_score(step, evaluated.names, training, own) for step in steps_of(evaluated))


def score_each(
    evaluated: EvaluatedForecast, training: NaiveErrors, levels: tuple[float, ...] | None = None
) -> dict[str, tuple[Scores, ...]]:
    """The scores of each series that was forecast, by name, and of each step, as `score` makes them."""
    return {
        name: score(pick(evaluated, evaluated.forecast.series == index), training, levels)
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


def _score(step: Step, names: tuple[str, ...], training: NaiveErrors, levels: tuple[float, ...] | None) -> Scores:
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
        pinball=scores.mean(step.pinball(levels)),
        crps=scores.mean(step.crps(levels)),
        direction=scores.mean(scores.direction_hits(last, actual, point)),
        bands=tuple(_score_band(step, level) for level in step.bands),
        pit=_pit(step),
    )


def _pit(step: Step) -> tuple[float, ...]:
    levels = loss_levels(step.levels)
    return tuple(scores.pit_histogram(step.actual, step.at(levels), levels).tolist()) if levels else ()


def _unit(errors: Mapping[str, Floats], names: tuple[str, ...], step: Step) -> Floats:
    """Each forecast's training error at this step, (n,); NaN for series that were not in training."""
    by_series = np.array([errors[name][step.number - 1] if name in errors else math.nan for name in names])
    return by_series[step.series]


def _score_band(step: Step, level: float) -> BandScores:
    hits, (lower, upper) = step.hits(level), step.ends(level)
    size = effective_size(hits, step.day, step.overlap)
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
        christoffersen=christoffersen(daily_mean(hits, step.day), step.overlap).p,
    )
