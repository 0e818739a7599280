"""Bands that follow the answers, for any forecaster: what a network's bands are allowed, its opponents' are too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stockcast.data.forecast import EvaluatedForecast, Forecast, Forecaster, Origins, evaluate
from stockcast.data.series import Panel
from stockcast.model.calibrate import Calibration, PendingForecasts


@dataclass(frozen=True)
class Following:
    """A forecaster of the column `price` whose bands are corrected by the answers to its own forecasts.

    Those are made from every row since the date that `calibration` adapts from, whether or not they are asked for. A
    correction is in units of the forecast's width, so that log returns need no unit of their own. The point stays.
    """

    forecaster: Forecaster
    price: str
    calibration: Calibration

    @property
    def name(self) -> str:
        return self.forecaster.name

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        pending = self._pending_rows(panel, origins)
        every = [np.union1d(rows, more) for rows, more in zip(origins, pending, strict=True)]
        made = self._adapted(evaluate(self.name, panel, self.forecaster.forecast(panel, every), self.price))
        starts = np.cumsum([0, *map(len, every[:-1])])
        places = [start + np.searchsorted(own, rows) for start, own, rows in zip(starts, every, origins, strict=True)]
        return _taken(made, np.concatenate(places))

    def _pending_rows(self, panel: Panel, origins: Origins) -> Origins:
        """Of each series the rows from which forecasts were made that the newest of `origins` has answers to."""
        since = self.calibration.adapts_from
        newest = [one.dates[rows.max()] for one, rows in zip(panel.series, origins, strict=True) if len(rows)]
        if since is None or not newest:
            return [np.array([], dtype=np.int64)] * len(panel)
        return [np.flatnonzero((one.dates >= since) & (one.dates < max(newest))) for one in panel.series]

    def _adapted(self, evaluated: EvaluatedForecast) -> Forecast:
        made = evaluated.forecast
        last = made.last[:, None]
        pending = PendingForecasts(
            evaluated.names, made.series, evaluated.origin, evaluated.dates, np.log(evaluated.actual / last)
        )
        quantiles = self.calibration.adapt(np.log(made.quantiles / last[..., None]), pending)
        return replace(made, quantiles=last[..., None] * np.exp(quantiles))


def _taken(forecast: Forecast, rows: np.ndarray) -> Forecast:
    """The forecasts of some `rows`."""
    arrays = {key: getattr(forecast, key)[rows] for key in ("series", "row", "last", "point", "quantiles")}
    return replace(forecast, **arrays)
