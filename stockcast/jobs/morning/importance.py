"""What a saved model looks at, measured on the held-out days that it was judged on, and kept beside its versions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stockcast.data.forecast import QUANTILES, EvaluatedForecast, Origins, levels_of
from stockcast.data.rows import Ints, Rows
from stockcast.data.series import Floats, Panel
from stockcast.data.windows import Windows, usable_ends
from stockcast.errors import Busy, CannotCreate, IOFailure
from stockcast.evaluate import scores
from stockcast.evaluate.insight.importance import GroupImportance, Windows32, permutation_importance
from stockcast.jobs.loaded import LoadedModel
from stockcast.jobs.source import OnMessage
from stockcast.model.forecaster import WindowForecaster
from stockcast.store.importance_cache import keep_importance, kept_importance
from stockcast.store.store import Store

WINDOWS, REPEATS = 100, 5
"""Held-out windows, spread over all of them, and shufflings: a fifth of a second for the preset `daily`."""


def model_importance(
    store: Store, loaded: LoadedModel, panel: Panel, evaluated: EvaluatedForecast, on_message: OnMessage
) -> tuple[tuple[GroupImportance, ...], int]:
    """The importance of each group of a model's inputs, and on how many windows; as it was kept, or measured now.

    `evaluated` are the forecasts that it was judged on, `panel` its prices. Where it can't be kept, that is said.
    """
    name, version = loaded.name, loaded.manifest.version
    kept = kept_importance(store, name, version)
    if kept is not None:
        return tuple(GroupImportance(*one) for one in kept[0]), kept[1]
    found, count = measured(loaded.forecaster, panel, evaluated)
    try:
        keep_importance(store, name, version, [(one.name, one.inputs, one.rises) for one in found], count)
    except (Busy, CannotCreate, IOFailure) as error:
        on_message(f"What {name} looks at was not kept, and will be measured again: {error.message}")
    return found, count


def measured(
    forecaster: WindowForecaster, panel: Panel, evaluated: EvaluatedForecast
) -> tuple[tuple[GroupImportance, ...], int]:
    """The same without a store."""
    rows = forecaster.rows_for(panel, _origins(panel, evaluated))
    ends = _ends(rows, forecaster, panel, evaluated)
    windows = Windows(rows, ends, forecaster.data.lookback).x
    return permutation_importance(windows, forecaster.features, _loss(forecaster, rows, ends), REPEATS), len(ends)


def _origins(panel: Panel, evaluated: EvaluatedForecast) -> Origins:
    """The rows of `panel` that forecasts were judged from, with every step known."""
    judged = np.isfinite(evaluated.actual).all(axis=1)
    every = []
    for one in panel.series:
        mine = judged & np.isin(evaluated.forecast.series, _places(evaluated, one.name))
        every.append(np.flatnonzero(np.isin(one.dates, evaluated.origin[mine])))
    return every


def _places(evaluated: EvaluatedForecast, name: str) -> list[int]:
    return [at for at, one in enumerate(evaluated.names) if one == name]


def _ends(rows: Rows, forecaster: WindowForecaster, panel: Panel, evaluated: EvaluatedForecast) -> Ints:
    """Those of them that have a full window and known targets now, no more than `WINDOWS`, evenly spread."""
    ends = rows.flat(_origins(panel, evaluated))
    usable = np.isin(ends, usable_ends(rows, forecaster.data.lookback)) & np.isfinite(rows.targets[ends]).all(axis=1)
    ends = ends[usable]
    if len(ends) <= WINDOWS:
        return ends
    spread: Ints = ends[np.linspace(0, len(ends) - 1, WINDOWS).round().astype(np.int64)]
    return spread


def _loss(forecaster: WindowForecaster, rows: Rows, ends: Ints) -> Callable[[Windows32], float]:
    """The mean loss of windows (n, L, F) at `ends`: a share of the price (pinball), or the log loss of classes."""
    targets = rows.targets[ends].astype(np.float64)  # (n, H)
    unit = rows.unit[ends] if rows.logarithmic else rows.unit[ends] / rows.price[ends][:, None]
    edges = np.array(forecaster.data.thresholds)

    def loss(windows: Windows32) -> float:
        outputs = forecaster.infer(windows).astype(np.float64)
        if forecaster.data.task == "direction":
            return _log_loss(outputs, np.sum(targets[..., None] > edges, axis=-1))
        return scores.mean(unit * _pinball(forecaster, outputs, targets))

    return loss


def _log_loss(outputs: Floats, came: Ints) -> float:
    chances = outputs / outputs.sum(axis=-1, keepdims=True)
    return -scores.mean(np.log(np.maximum(np.take_along_axis(chances, came[..., None], axis=-1), 1e-12)))


def _pinball(forecaster: WindowForecaster, outputs: Floats, targets: Floats) -> Floats:
    """The mean loss over the levels of each forecast and step, (n, H), in units of the targets; of a point its half."""
    quantiles = forecaster.calibration.apply(outputs) if forecaster.calibration else outputs
    count = quantiles.shape[-1]
    if count == 1:
        return np.abs(targets - quantiles[..., 0]) / 2
    levels = levels_of(count)
    learned = quantiles[..., [levels.index(level) for level in QUANTILES]].reshape(-1, len(QUANTILES))
    return (scores.crps(targets.reshape(-1), learned, QUANTILES) / 2).reshape(targets.shape)
