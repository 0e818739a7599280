"""The forecast noun: what a forecaster hands back and what judging takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates, Floats, Panel, PriceSeries

QUANTILES = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
"""The levels that a network learns, and that figures of loss are over."""

LEVELS = (0.01, *QUANTILES, 0.99)
"""The levels that are forecast: beside what is learned, the tails. Models of old have none."""

INNER = (QUANTILES.index(0.1), QUANTILES.index(0.9))
"""The places among them of the 80 % band's two, whose distance is a forecast's width."""

Origins = Sequence[NDArray[np.int64]]
"""The forecast origins of a panel: of each series the rows that are the last known one of a forecast, (n,)."""


def levels_of(count: int) -> tuple[float, ...]:
    """The levels of so many quantiles: those that are learned, or all."""
    return LEVELS if count == len(LEVELS) else QUANTILES


def labels_of(classes: int) -> tuple[str, ...]:
    """What two or three classes of a move are called, from the lowest prices up."""
    return ("down", "up") if classes == 2 else ("down", "flat", "up")


@dataclass(frozen=True)
class Directions:
    """Where n prices will be, H steps each, as C classes from the lowest up.

    `probabilities` (n, H, C); `edges` (n, H, C - 1): the prices above which the next class begins, rising.
    """

    probabilities: Floats
    edges: Floats

    @property
    def labels(self) -> tuple[str, ...]:
        return labels_of(self.probabilities.shape[-1])

    def take(self, keep: NDArray[Any]) -> Directions:
        """Some of the n."""
        return Directions(self.probabilities[keep], self.edges[keep])


@dataclass(frozen=True)
class Forecast:
    """n forecasts of H steps each, in price units.

    - `series` (n,): the index of each forecast's series in its panel;
    - `row` (n,): the index of the last row that was known, so that step h is about row + h;
    - `last` (n,): the target price on that row;
    - `point` (n, H) and `quantiles` (n, H, Q) at the probabilities `levels`, never crossing;
    - `directions`, where the forecaster says how likely each class of move is.
    """

    series: NDArray[np.int64]
    row: NDArray[np.int64]
    last: Floats
    point: Floats
    quantiles: Floats
    levels: tuple[float, ...] = QUANTILES
    directions: Directions | None = None

    def __len__(self) -> int:
        return len(self.row)

    @property
    def horizon(self) -> int:
        return int(self.point.shape[1])

    @property
    def all_numbers(self) -> bool:
        """Whether every point and quantile is finite."""
        return bool(np.isfinite(self.point).all() and np.isfinite(self.quantiles).all())


def newest_origins(every: Panel, wanted: Panel) -> Origins:
    """The newest row of each `wanted` series among `every` series of a panel, which make the market."""
    names = set(wanted.names)
    return [np.array([len(one) - 1] if one.name in names else [], dtype=np.int64) for one in every.series]


def extended(forecast: Forecast, days: int) -> Forecast:
    """The first `days` steps; steps after the horizon repeat the last one, its bands widened as a random walk's.

    A quantile that lies a factor f from the point after H steps lies f ** sqrt(h / H) from it after h > H.
    """
    horizon = forecast.horizon
    step = np.minimum(np.arange(days), horizon - 1)
    growth = np.sqrt(np.maximum(np.arange(1, days + 1) / horizon, 1))
    point = forecast.point[:, step]
    ratio = np.maximum(forecast.quantiles[:, step] / point[..., None], 0)  # below nothing there is no price
    beyond = (np.arange(days) >= horizon)[:, None]
    quantiles = np.where(beyond, point[..., None] * ratio ** growth[:, None], forecast.quantiles[:, step])
    return replace(forecast, point=point, quantiles=quantiles)


class Forecaster(Protocol):
    """Anything that can forecast: a trained network, a saved model, a baseline.

    A forecast from row t of a series may depend on rows up to and with t only: of its own series and, by date, of
    the others.
    """

    @property
    def name(self) -> str: ...

    def forecast(self, panel: Panel, origins: Origins) -> Forecast: ...


@dataclass(frozen=True)
class EvaluatedForecast:
    """A forecast beside what happened.

    - `actual` (n, H): the target price at each step, NaN where it lies after the end of the data;
    - `origin` (n,): the date of the last known row; `dates` (n, H): the date of each step, NaT after the end.
    """

    model: str
    names: tuple[str, ...]
    forecast: Forecast
    actual: Floats
    origin: Dates
    dates: Dates


def evaluate(model: str, panel: Panel, forecast: Forecast, price: str) -> EvaluatedForecast:
    """Set `forecast` beside the prices in column `price` that followed."""
    n, horizon = forecast.point.shape
    actual = np.full((n, horizon), np.nan)
    dates = np.full((n, horizon), np.datetime64("NaT", "D"))
    origin = np.full(n, np.datetime64("NaT", "D"))
    for index, one in enumerate(panel.series):
        mine = forecast.series == index
        if mine.any():
            origin[mine] = one.dates[forecast.row[mine]]
            actual[mine], dates[mine] = _following(one, forecast.row[mine], horizon, price)
    return EvaluatedForecast(model, panel.names, forecast, actual, origin, dates)


def stacked(parts: Sequence[EvaluatedForecast]) -> EvaluatedForecast:
    """Forecasts of one model over the same series, made in several goes, as one."""

    def joined(key: str, records: Sequence[object]) -> Any:
        return np.concatenate([getattr(one, key) for one in records])

    forecasts = [part.forecast for part in parts]
    arrays = {key: joined(key, forecasts) for key in ("series", "row", "last", "point", "quantiles")}
    actual, origin, dates = (joined(key, parts) for key in ("actual", "origin", "dates"))
    forecast = Forecast(**arrays, levels=forecasts[0].levels, directions=_joined_directions(forecasts))
    return EvaluatedForecast(parts[0].model, parts[0].names, forecast, actual, origin, dates)


def _joined_directions(forecasts: Sequence[Forecast]) -> Directions | None:
    parts = [one.directions for one in forecasts if one.directions is not None]
    if not parts:
        return None
    probabilities, edges = ([getattr(part, key) for part in parts] for key in ("probabilities", "edges"))
    return Directions(np.concatenate(probabilities), np.concatenate(edges))


def _following(one: PriceSeries, row: NDArray[np.int64], horizon: int, price: str) -> tuple[Floats, Dates]:
    steps = row[:, None] + np.arange(1, horizon + 1)  # (n, H)
    known = steps < len(one)
    steps = np.minimum(steps, len(one) - 1)
    nat = np.datetime64("NaT", "D")
    return np.where(known, one.columns[price][steps], np.nan), np.where(known, one.dates[steps], nat)
