"""What comes of a model's forecasts, stock by stock, beside the baselines' from the same days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from stockcast.data.forecast import EvaluatedForecast, Forecaster
from stockcast.data.series import Floats, Panel
from stockcast.evaluate.scores import pinball
from stockcast.learn import evaluate_on
from stockcast.model.baselines import build

PRICE, HORIZON = "close", 5
BANDS: Mapping[int, tuple[int, int]] = MappingProxyType({50: (3, 5), 80: (2, 6), 90: (1, 7), 95: (0, 8)})
"""Each band's nominal coverage in percent, and its lower and upper quantile."""


@dataclass(frozen=True)
class Outcome:
    """How one training did on S stocks at H steps.

    - `seconds` of the training, or of one of several;
    - `loss` (S, H) by opponent: the mean pinball loss of log returns, as a ratio to that baseline's;
    - `rmse` (S, H) of the point forecast, as a ratio to the last price's;
    - `coverage` (S, H, bands): the share of prices inside each band.
    """

    seconds: float
    loss: Mapping[str, Floats]
    rmse: Floats
    coverage: Floats

    @property
    def off(self) -> Floats:
        """By how many points each band's mean coverage over the stocks is off, (H, bands)."""
        off: Floats = np.abs(100 * self.coverage.mean(axis=0) - np.array(list(BANDS)))
        return off

    @property
    def close_by(self) -> Floats:
        """The percentage of stocks whose 80 % coverage lies within 3 points, (H,)."""
        held: Floats = self.coverage[..., list(BANDS).index(80)]
        near: Floats = 100 * (np.abs(held - 0.8) <= 0.03).mean(axis=0)
        return near


def opponents(panel: Panel, until: str, names: tuple[str, ...] = ("ewma", "garch")) -> dict[str, Forecaster]:
    """Baselines that know each stock's own prices up to a day."""
    known = panel.upto(np.datetime64(until, "D"))
    return {name: build(name, known, PRICE, HORIZON) for name in names}


def outcome(mine: EvaluatedForecast, panel: Panel, against: Mapping[str, Forecaster], seconds: float) -> Outcome:
    """Set judged forecasts of `panel` beside those of baselines from the same days."""
    last = mine.forecast.last[:, None]
    mean_squares = (per_stock(mine, (mine.actual - point) ** 2) for point in (mine.forecast.point, last))
    losses = {name: loss(mine) / loss(evaluate_on(other, panel, mine, PRICE)) for name, other in against.items()}
    return Outcome(seconds, losses, np.sqrt(np.divide(*mean_squares)), coverage(mine))


def together(parts: list[Outcome]) -> Outcome:
    """Several stocks' own trainings as one outcome; its seconds are the mean of theirs."""
    losses = {name: np.concatenate([part.loss[name] for part in parts]) for name in parts[0].loss}
    rmse, held = (np.concatenate([getattr(part, key) for part in parts]) for key in ("rmse", "coverage"))
    return Outcome(float(np.mean([part.seconds for part in parts])), losses, rmse, held)


def loss(evaluated: EvaluatedForecast) -> Floats:
    """The mean pinball loss of the log return of each stock and step, (S, H)."""
    return per_stock(evaluated, pinballs(evaluated))


def pinballs(evaluated: EvaluatedForecast) -> Floats:
    """The mean pinball loss of the log return of each forecast and step, (n, H)."""
    last, forecast = evaluated.forecast.last[:, None], evaluated.forecast
    returns, quantiles = np.log(evaluated.actual / last), np.log(forecast.quantiles / last[..., None])
    steps = [pinball(returns[:, h], quantiles[:, h], forecast.levels).mean(axis=1) for h in range(forecast.horizon)]
    return np.column_stack(steps)


def coverage(evaluated: EvaluatedForecast) -> Floats:
    """The share of prices inside each band, of each stock, step and band, (S, H, bands)."""
    quantiles, actual = evaluated.forecast.quantiles, evaluated.actual
    shares = []
    for low, high in BANDS.values():
        inside = (actual >= quantiles[..., low]) & (actual <= quantiles[..., high])
        shares.append(per_stock(evaluated, np.where(np.isfinite(actual), inside, np.nan)))
    return np.stack(shares, axis=-1)


def per_stock(evaluated: EvaluatedForecast, values: Floats) -> Floats:
    """Means of values (n, H) over the forecasts of each stock that has any, (S, H)."""
    owner = evaluated.forecast.series
    return np.array([np.nanmean(values[owner == index], axis=0) for index in np.unique(owner)])
