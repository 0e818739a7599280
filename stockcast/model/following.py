"""Bands that follow the answers, for any forecaster: what a network's bands are allowed, its opponents' are too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stockcast.data.forecast import EvaluatedForecast, Forecast, Forecaster, Origins, evaluate
from stockcast.data.series import Panel
from stockcast.model.calibrate import Calibration, PendingForecasts


@dataclass(frozen=True)
class Following:
    """A forecaster of the column `price` whose bands are corrected as `followed` does."""

    forecaster: Forecaster
    price: str
    calibration: Calibration

    @property
    def name(self) -> str:
        return self.forecaster.name

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        (made,) = followed([self.forecaster], self.price, self.calibration, panel, origins)
        return made


def followed(
    forecasters: Sequence[Forecaster], price: str, calibration: Calibration, panel: Panel, origins: Origins
) -> list[Forecast]:
    """The forecasts of each, its bands corrected by the answers to its own; of several in the time of one.

    Forecasts are made from every row since the date that `calibration`, of (H, K), adapts from, whether or not they are
    asked for. A correction is in units of the forecast's width, so that log returns need no unit of their own. The
    point stays.
    """
    pending = _pending_rows(calibration, panel, origins)
    every = [np.union1d(rows, more) for rows, more in zip(origins, pending, strict=True)]
    made = _adapted(calibration, [evaluate(one.name, panel, one.forecast(panel, every), price) for one in forecasters])
    starts = np.cumsum([0, *map(len, every[:-1])])
    places = [start + np.searchsorted(own, rows) for start, own, rows in zip(starts, every, origins, strict=True)]
    return [_taken(one, np.concatenate(places)) for one in made]


def _pending_rows(calibration: Calibration, panel: Panel, origins: Origins) -> Origins:
    """Of each series the rows from which forecasts were made that the newest of `origins` has answers to."""
    since = calibration.adapts_from
    newest = [one.dates[rows.max()] for one, rows in zip(panel.series, origins, strict=True) if len(rows)]
    if since is None or not newest:
        return [np.array([], dtype=np.int64)] * len(panel)
    return [np.flatnonzero((one.dates >= since) & (one.dates < max(newest))) for one in panel.series]


def _adapted(calibration: Calibration, evaluated: Sequence[EvaluatedForecast]) -> list[Forecast]:
    """No step has to do with another: those of all forecasters stand in one row, (n, H of each, K)."""
    first, several = evaluated[0], len(evaluated)
    last = first.forecast.last[:, None]
    pending = PendingForecasts(
        first.names,
        first.forecast.series,
        first.origin,
        np.tile(first.dates, (1, several)),
        np.tile(np.log(first.actual / last), (1, several)),
    )
    together = replace(calibration, shift=np.tile(calibration.shift, (several, 1)))
    outputs = np.concatenate([np.log(one.forecast.quantiles / last[..., None]) for one in evaluated], axis=1)
    quantiles = last[..., None] * np.exp(together.adapt(outputs, pending))
    parts = np.split(quantiles, several, axis=1)
    return [replace(one.forecast, quantiles=part) for one, part in zip(evaluated, parts, strict=True)]


def _taken(forecast: Forecast, rows: np.ndarray) -> Forecast:
    """The forecasts of some `rows`."""
    arrays = {key: getattr(forecast, key)[rows] for key in ("series", "row", "last", "point", "quantiles")}
    return replace(forecast, **arrays)
