"""What a worker says of a challenger, believed no further than it can be checked.

A result may have been damaged on its way, or come from a worker that is not sound. What it says decides nothing before
it fits the prices that the client itself has read, and no network serves that does not forecast as it was told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stockcast.config.run import RunConfig
from stockcast.data.forecast import EvaluatedForecast, Forecast, Forecaster, evaluate
from stockcast.data.series import Panel
from stockcast.data.time_split import cut
from stockcast.evaluate.steps import steps_of
from stockcast.fleet.parcel import not_as_sent
from stockcast.fleet.tasks import Result, forecast_of
from stockcast.model.baselines import build
from stockcast.model.forecaster import WindowForecaster
from stockcast.store.manifest import FILES
from stockcast.store.model_files import from_files
from stockcast.store.read_version import check_content
from stockcast.store.trained_prices import PRICES

CLOSE = 1e-4
"""How far a network may be off from what its worker says, relative to the price: another processor rounds otherwise."""

_TRAINED = {*FILES} - {PRICES}  # which the client itself has


@dataclass(frozen=True)
class GateContest:
    """Challenger, champion and last price, judged from the same origins, which none of them has seen."""

    challenger: EvaluatedForecast
    champion: EvaluatedForecast
    naive: EvaluatedForecast


def contest_of(result: Result, panel: Panel, config: RunConfig, called: str) -> GateContest:
    """The contest that a result tells of, beside the prices of `panel`.

    Raises `IOFailure` for forecasts that are not from rows of these prices after the cutoff, or differ in their rows.
    """
    names = {"challenger": called, "champion": called, "naive": "naive"}
    told = {name: forecast_of(result.arrays, f"{name}/") for name in names}
    mine = told["challenger"]
    _demand_held_out(mine, panel, config)
    for one in told.values():
        if not (np.array_equal(one.series, mine.series) and np.array_equal(one.row, mine.row)):
            raise not_as_sent("the result", "its forecasts are from different rows")
    price = config.data.price
    last = np.array(
        [panel.series[series].columns[price][row] for series, row in zip(mine.series, mine.row, strict=True)]
    )
    judged = {name: evaluate(names[name], panel, replace(one, last=last), price) for name, one in told.items()}
    return GateContest(**judged)


def _demand_held_out(forecast: Forecast, panel: Panel, config: RunConfig) -> None:
    """Every origin is a row of its series, at or after the cutoff and before the last row."""
    cutoff = cut(panel, config).calibration
    lengths = np.array([len(one) for one in panel.series])
    inside = (forecast.series >= 0) & (forecast.series < len(panel)) & (forecast.row >= 0)
    if not (len(forecast) and inside.all() and (forecast.row < lengths[forecast.series] - 1).all()):
        raise not_as_sent("the result", "its forecasts are from rows that there are not")
    if forecast.horizon != config.data.horizon:
        raise not_as_sent("the result", "its forecasts are of other steps")
    origins = [panel.series[series].dates[row] for series, row in zip(forecast.series, forecast.row, strict=True)]
    if min(origins) < cutoff:
        raise not_as_sent("the result", f"it forecasts from {min(origins)}, and training knew {cutoff}")


def checked_challenger(
    result: Result, told: EvaluatedForecast, panel: Panel, config: RunConfig, called: str
) -> WindowForecaster:
    """The forecaster in a result's files, which forecasts what was `told` of it.

    Raises `IOFailure` if it doesn't, or if the scores are not those of its forecasts; `ModelDamaged` if it is none.
    """
    forecaster = checked_forecaster(result, panel, config, called)
    _demand_told("its network", forecaster.restarted(cut(panel, config).calibration), told.forecast, panel)
    own = float(steps_of(told)[0].pinball().mean())
    try:
        scores = result.facts["scores"]
        said = float(scores["models"]["model"][0]["pinball"])
        agree = abs(said - own) <= CLOSE * own and scores["cutoffs"]["first"] == str(told.origin.min())
    except (KeyError, IndexError, TypeError, ValueError):
        agree = False
    if not agree:
        raise not_as_sent("the result", "its scores are not those of its forecasts")
    return forecaster


def check_opponents(contest: GateContest, champion: Forecaster, panel: Panel, config: RunConfig) -> None:
    """Raise `IOFailure` unless the `champion` and the last price forecast what was said of them: they decide, too."""
    price, horizon, rates = config.data.price, config.data.horizon, (config.fit.follow, config.fit.follow_own)
    naive = build("naive", panel.upto(cut(panel, config).calibration), price, horizon, *rates)
    _demand_told("the champion", champion, contest.champion.forecast, panel)
    _demand_told("the last price", naive, contest.naive.forecast, panel)


def _demand_told(who: str, forecaster: Forecaster, told: Forecast, panel: Panel) -> None:
    """Raise `IOFailure` unless it forecasts from the same rows what was `told` of it, be it no numbers."""
    made = forecaster.forecast(panel, [told.row[told.series == number] for number in range(len(panel))])
    for mine, theirs in ((made.point[..., None], told.point[..., None]), (made.quantiles, told.quantiles)):
        close = CLOSE * made.last[:, None, None]
        if mine.shape != theirs.shape or not np.isclose(mine, theirs, rtol=0, atol=close, equal_nan=True).all():
            raise not_as_sent("the result", f"{who} forecasts something else than was said of it")


def checked_forecaster(result: Result, panel: Panel, config: RunConfig, called: str) -> WindowForecaster:
    """The forecaster in a result's files, which forecasts numbers from the newest row of each series.

    Raises `IOFailure` if it doesn't, or a file is missing, `ModelDamaged` if it is no forecaster.
    """
    if result.files.keys() != _TRAINED or not isinstance(result.facts.get("scores"), dict):
        raise not_as_sent("the result", "it lacks a file, or its scores")
    for name, data in result.files.items():
        check_content(Path(name), data)
    forecaster = from_files(result.files, called, config.data)
    with np.errstate(over="ignore", invalid="ignore"):  # which is what is looked for
        made = forecaster.forecast(panel, [np.array([len(one) - 1]) for one in panel.series])
    if not (np.isfinite(made.point).all() and np.isfinite(made.quantiles).all()):
        raise not_as_sent("the result", "its network forecasts no numbers")
    return forecaster
