"""What comes of a model's forecasts, stock by stock, beside the baselines' from the same days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.config.run import load_config
from stockcast.data.forecast import EvaluatedForecast, Forecaster
from stockcast.data.series import Floats, Panel
from stockcast.evaluate.levels import band_ends, loss_levels, scored_bands
from stockcast.evaluate.scores import pinball
from stockcast.learn import evaluate_on
from stockcast.model.baselines import build

PRICE, HORIZON = "close", 5
BANDS = (50, 80, 90, 95, 98)
"""Each band's nominal coverage in percent."""

AGAINST = ("naive", "ewma", "garch", "har", "har-own")


@dataclass(frozen=True)
class Outcome:
    """How one training did on S stocks at H steps.

    - `seconds` of the training, or of one of several;
    - `loss` (S, H) by opponent: the mean pinball loss of log returns over the nine quantiles that are learned, as a
      ratio to that baseline's;
    - `rmse` (S, H) of the point forecast, as a ratio to the last price's;
    - `coverage` (S, H, bands): the share of prices inside each band, NaN of one that is not there.
    """

    seconds: float
    loss: Mapping[str, Floats]
    rmse: Floats
    coverage: Floats

    @property
    def off(self) -> Floats:
        """By how many points each band's mean coverage over the stocks is off, (H, bands)."""
        off: Floats = np.abs(100 * self.coverage.mean(axis=0) - np.array(BANDS))
        return off

    @property
    def close_by(self) -> Floats:
        """The percentage of stocks whose 80 % coverage lies within 3 points, (H,)."""
        held: Floats = self.coverage[..., BANDS.index(80)]
        near: Floats = 100 * (np.abs(held - 0.8) <= 0.03).mean(axis=0)
        return near


def opponents(panel: Panel, until: str, names: Sequence[str] = AGAINST) -> dict[str, Forecaster]:
    """Baselines that know each stock's own prices up to a day: with fixed bands, and with bands that follow."""
    known, fit = panel.upto(np.datetime64(until, "D")), load_config("daily").fit
    fixed = {name: build(name, known, PRICE, HORIZON) for name in names}
    rates = (fit.follow, fit.follow_own)
    return fixed | {following(name): build(name, known, PRICE, HORIZON, *rates) for name in names}


def following(name: str) -> str:
    """What the baseline `name` is called where its bands follow the answers as the model's do."""
    return f"{name}, following"


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
    levels = loss_levels(forecast.levels)
    wanted = forecast.quantiles[..., [forecast.levels.index(level) for level in levels]]
    returns, quantiles = np.log(evaluated.actual / last), np.log(wanted / last[..., None])
    steps = [pinball(returns[:, h], quantiles[:, h], levels).mean(axis=1) for h in range(forecast.horizon)]
    return np.column_stack(steps)


def coverage(evaluated: EvaluatedForecast) -> Floats:
    """The share of prices inside each band, of each stock, step and band, (S, H, bands)."""
    quantiles, actual = evaluated.forecast.quantiles, evaluated.actual
    shares = []
    there = scored_bands(evaluated.forecast.levels)
    for band in BANDS:
        inside = np.full(actual.shape, np.nan)
        if band / 100 in there:
            low, high = band_ends(evaluated.forecast.levels, band / 100)
            held = (actual >= quantiles[..., low]) & (actual <= quantiles[..., high])
            inside = np.where(np.isfinite(actual), held, np.nan)
        shares.append(per_stock(evaluated, inside))
    return np.stack(shares, axis=-1)


def per_stock(evaluated: EvaluatedForecast, values: Floats) -> Floats:
    """Means of values (n, H) over the forecasts of each stock that has any, (S, H)."""
    owner = evaluated.forecast.series
    return np.array([np.nanmean(values[owner == index], axis=0) for index in np.unique(owner)])
