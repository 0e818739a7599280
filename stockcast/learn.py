"""THE RECIPE: split > features > scale > window > fit > calibrate > evaluate.

Read this page first. It touches no file, and nothing in it sees further than its own part of time: the scaler and the
network know the prices up to `cuts.fit`, its early stopping those up to `cuts.validation`, the bands those up to
`cuts.calibration`. Later prices are not even handed to `fit`; they are only evaluated on.

Every feature is made once, before all that: row t of one depends on rows up to t alone, so that what was known on a
date is the table of features up to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stockcast.config.run import RunConfig
from stockcast.data.feature_table import FeatureTable
from stockcast.data.forecast import EvaluatedForecast, Forecaster, Origins, evaluate
from stockcast.data.prepared import Prepared, prepare
from stockcast.data.rows import Rows, scaled_rows, with_realized_volatility
from stockcast.data.scaling import Scalers, fit_scalers
from stockcast.data.series import Panel
from stockcast.data.time_split import Cuts, cut, demand_windows, embargoed, nothing_held_out
from stockcast.data.windows import Windows, origins_between, strided, usable_ends, windows_between
from stockcast.evaluate.assessment import Assessment, assess, unjudged
from stockcast.evaluate.steps import naive_errors
from stockcast.model.baselines import build as build_baseline
from stockcast.model.forecaster import WindowForecaster
from stockcast.model.quiet import tensorflow_silenced
from stockcast.model.training_run import Epoch, TrainingRun, demand_numbers

if TYPE_CHECKING:
    from stockcast.model.fit import Trained

BASELINES = ("naive", "ewma", "har")
"""What every model is judged against: the last price, and the last price with volatility bands of two kinds."""

COMPARED = 1024
"""Held-out windows on which the exported network is compared with Keras."""


@dataclass(frozen=True)
class Fitted:
    """What the prices up to a cutoff teach: a forecaster that still runs in Keras, and the course of its training."""

    forecaster: WindowForecaster
    trained: Trained
    train: Windows


@dataclass(frozen=True)
class Learned:
    """All that a training gives: the forecaster that will serve, its parts as plain arrays, and how it was judged.

    `training` are the forecasts of the training windows themselves, where `evaluate_training` has any. `held_out` is
    None where no price after `cuts.calibration` was left to hold a forecast against.
    """

    forecaster: WindowForecaster
    weights: Mapping[str, NDArray[np.float32]]
    onnx: bytes
    history: tuple[Epoch, ...]
    best_epoch: int
    cuts: Cuts
    training_windows: int
    training: EvaluatedForecast | None
    held_out: Assessment | None

    @property
    def assessment(self) -> Assessment:
        """How it was judged. Raises `DataError` if it was not."""
        if self.held_out is None:
            raise nothing_held_out(self.cuts)
        return self.held_out

    @property
    def scores(self) -> dict[str, Any]:
        """Plain values of the assessment; of a model that was not judged, the last date that it knows alone."""
        cutoff = str(self.cuts.calibration)
        return unjudged(cutoff) if self.held_out is None else self.held_out.as_dict()

    @property
    def serving(self) -> WindowForecaster:
        """The forecaster to save: its bands have followed the judged answers, and go on from there."""
        calibration = self.forecaster.calibration
        if calibration is None or self.held_out is None:
            return self.forecaster
        return self.forecaster.calibrated(calibration.advance(self.held_out.evaluated))


def learn(panel: Panel, run: TrainingRun, must_be_judged: bool = False) -> Learned:
    """Train one model over all series of `panel` and evaluate it on the newest part, beside the baselines.

    Raises `DataError` if the prices can't be used with these settings, or hold no forecast that could be evaluated
    where that `must_be_judged`; `TrainingDiverged` if the loss explodes.
    """
    prepared, config = prepare(panel, run.config), run.config
    cuts = prepared.cuts
    if must_be_judged:
        demand_test_origins(prepared, config)
    if cuts.calibration < cuts.test:
        build_baseline("naive", prepared.known, config.data.price, config.data.horizon)  # refused now, not in the end
    fitted = fit(prepared.table.upto(cuts.calibration), cuts, run)
    from stockcast.model.serve import Runner

    rows = fitted.forecaster.rows(prepared.table)
    origins = test_origins(rows, panel, cuts, config)
    held_out = Windows(rows, rows.flat(origins), config.data.lookback)
    compared = held_out if len(held_out) else fitted.train
    onnx = fitted.trained.onnx(compared.take(slice(COMPARED)).x)
    forecaster = replace(fitted.forecaster, infer=Runner(onnx))
    newest = rows.by_series(usable_ends(rows, config.data.lookback)[-1:])
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of that is refused in the next line
        made = forecaster.forecast_rows(rows, origins if len(held_out) else newest)
    demand_numbers("its forecasts", (made.point, made.quantiles), config)
    evaluated = evaluate(run.name, panel, made, config.data.price) if len(held_out) else None
    return Learned(
        forecaster,
        fitted.trained.weights,
        onnx,
        fitted.trained.history,
        fitted.trained.best,
        cuts,
        len(_thinned(fitted.train, config)),
        evaluate_training(forecaster, panel, rows, fitted.train, config),
        assess_forecast(evaluated, panel, origins, prepared.known, config) if evaluated else None,
    )


def fit_to_cutoff(panel: Panel, run: TrainingRun) -> tuple[Cuts, Fitted]:
    """Cut time as the settings say, and fit to what was known at the cutoff alone."""
    prepared = prepare(panel, run.config)
    return prepared.cuts, fit(prepared.table.upto(prepared.cuts.calibration), prepared.cuts, run)


def fit(known: FeatureTable, cuts: Cuts, run: TrainingRun) -> Fitted:
    """Scale, window, fit and calibrate on `known`, the features of rows up to `cuts.calibration` and none later."""
    with tensorflow_silenced():
        from stockcast.model.fit import fit_network, refit_network

    config = run.config.of_panel(len(known.parts))
    data = config.data
    scalers = fit_scalers(known.upto(cuts.fit).values(), data)
    rows = _rows(known, scalers, config)
    ends = embargoed(cuts, known.dates, config.split.embargo)
    train = windows_between(rows, data.lookback, None, ends.fit)
    demand_windows(train, ends.fit, config)
    validation = windows_between(rows, data.lookback, cuts.fit, ends.validation)
    held_back = validation if len(validation) else None
    trained = fit_network(_thinned(train, config), held_back, _with_prior(run, train))

    raw = WindowForecaster(run.name, data, known.names, scalers, trained.infer(), sessions=known.sessions)
    held_out = windows_between(rows, data.lookback, cuts.validation, ends.calibration)
    calibration = replace(
        raw.fit_calibration(held_out, train, config),
        conformal_rate=config.fit.follow,
        series_rate=config.fit.follow_own,
        since=cuts.calibration,
    )
    if config.fit.refit and len(held_out):
        scalers = fit_scalers(known.values(), data)
        train = windows_between(_rows(known, scalers, config), data.lookback, None, ends.calibration)
        trained = refit_network(trained, _thinned(train, config), _with_prior(run, train))
        raw = replace(raw, scalers=scalers, infer=trained.infer())
    return Fitted(raw.calibrated(calibration), trained, train)


def assess_forecast(
    evaluated: EvaluatedForecast,
    panel: Panel,
    origins: Origins,
    known: Panel,
    config: RunConfig,
) -> Assessment:
    """The assessment of forecasts from `origins` beside baselines that are fitted on `known` alone.

    Their bands follow the answers as the model's do.
    """
    price, horizon, rates = config.data.price, evaluated.forecast.horizon, (config.fit.follow, config.fit.follow_own)
    baselines = [build_baseline(name, known, price, horizon, *rates) for name in BASELINES]
    others = {one.name: evaluate(one.name, panel, one.forecast(panel, origins), price) for one in baselines}
    return assess(evaluated, others, naive_errors(known, price, horizon))


def test_origins(rows: Rows, panel: Panel, cuts: Cuts, config: RunConfig) -> Origins:
    """The rows of the test part that forecasts are judged from."""
    ends = embargoed(cuts, panel.dates, config.split.embargo)
    return origins_between(rows, config.data.lookback, cuts.calibration, ends.test)


def demand_test_origins(prepared: Prepared, config: RunConfig) -> None:
    """Raise `DataError` if no forecast can be judged with these settings: before anything is trained."""
    # Which rows have a full window does not depend on how it is scaled.
    scalers = fit_scalers(prepared.table.upto(prepared.cuts.calibration).values(), config.data)
    rows = scaled_rows(prepared.table, scalers, config.data)
    if not any(map(len, test_origins(rows, prepared.panel, prepared.cuts, config))):
        raise nothing_held_out(prepared.cuts)


def evaluate_training(
    forecaster: WindowForecaster, panel: Panel, rows: Rows, train: Windows, config: RunConfig
) -> EvaluatedForecast | None:
    """Evaluate a forecaster on its own training windows, which says how well it fits and nothing else.

    None for several series, and for a head whose point is the last price itself.
    """
    if len(panel) > 1 or config.model.head in ("scale", "classes"):
        return None
    fitted = forecaster.forecast_rows(rows, train.rows.by_series(train.ends))
    return evaluate(forecaster.name, panel, fitted, config.data.price)


def evaluate_parts(
    forecaster: WindowForecaster, panel: Panel, config: RunConfig
) -> tuple[EvaluatedForecast, EvaluatedForecast]:
    """The forecasts of the training windows, and those of the test part, of the one series that was trained on."""
    cuts = cut(panel, config)
    rows = forecaster.rows(forecaster.table(panel))
    ends = embargoed(cuts, panel.dates, config.split.embargo)
    learned = windows_between(rows, config.data.lookback, None, ends.calibration if config.fit.refit else ends.fit)
    parts = (rows.by_series(learned.ends), test_origins(rows, panel, cuts, config))
    training, test = (
        evaluate(forecaster.name, panel, forecaster.forecast_rows(rows, part), config.data.price) for part in parts
    )
    return training, test


def evaluate_on(forecaster: Forecaster, panel: Panel, like: EvaluatedForecast, price: str) -> EvaluatedForecast:
    """Judge another forecaster from exactly the rows of `panel` that `like` was judged from."""
    made = like.forecast
    origins = [made.row[made.series == index] for index in range(len(panel))]
    return evaluate(forecaster.name, panel, forecaster.forecast(panel, origins), price)


def _rows(table: FeatureTable, scalers: Scalers, config: RunConfig) -> Rows:
    """The scaled rows of a table, with what the training asks for."""
    rows = scaled_rows(table, scalers, config.data)
    return with_realized_volatility(rows, table) if config.fit.realised else rows


def _thinned(windows: Windows, config: RunConfig) -> Windows:
    """The windows of an epoch: every `fit.stride`-th, or as few more as keep within `fit.windows`."""
    stride = config.fit.stride
    if config.fit.windows:
        stride = max(stride, math.ceil(len(windows) / config.fit.windows))
    return strided(windows, stride)


def _with_prior(run: TrainingRun, windows: Windows) -> TrainingRun:
    """The run with `fit.prior` in `fit.l2`: a normal prior on the weights beside the mean loss of n windows.

    What it is worth falls as 1 / n (MacKay 1992, Bayesian interpolation): one short series is held back by it, and a
    panel's windows outweigh it.
    """
    return run.with_fit(l2=run.config.fit.l2 + run.config.fit.prior / len(windows))
