"""What a forecaster is on disk: every file of a version but its manifest, written and read here and nowhere else.

scaler.json    the names of the features, the fitted scalers, the calibration of the bands, and the sessions by which
               events are placed, if there are any
model.onnx     the network that predicts
weights.npz    the same network's weights, by their path in Keras
history.csv    the loss of each epoch
backtest.csv   the held-out forecasts that the model was judged on, a row for each model, series, origin and step
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.config.sections import DataConfig
from stockcast.data.calendar_features import code, is_code
from stockcast.data.events.features import event_feature_names, kinds_of
from stockcast.data.features import is_feature
from stockcast.data.forecast import LEVELS, QUANTILES, EvaluatedForecast
from stockcast.data.scaling import Scalers
from stockcast.data.series import PriceSeries
from stockcast.data.session_list import SessionList
from stockcast.errors import DataError
from stockcast.evaluate.rows import newest_days, read_rows, rows_text
from stockcast.model.calibrate import Calibration
from stockcast.model.forecaster import WindowForecaster
from stockcast.model.training_run import Epoch
from stockcast.store.arrays import decode_arrays, encode_arrays
from stockcast.store.records import damaged

SCALER, ONNX, WEIGHTS = "scaler.json", "model.onnx", "weights.npz"
HISTORY, BACKTEST = "history.csv", "backtest.csv"

FORECASTER_FILES = (SCALER, ONNX)
"""All that `from_files` needs."""

MOST_ROWS = 250_000
"""Of the held-out forecasts in backtest.csv, 40 MB: beyond them the oldest days of a large panel are left out. They are
there to be looked at; the scores in the manifest are of all days, and the baselines' forecasts can be made again."""

FARTHEST, WIDEST = 1e20, 100.0
"""Of what scales prices and bands, and of the logarithm of what widens them: nothing is ever fitted nearly as far."""

_HISTORY_COLUMNS = ("epoch", "loss", "validation_loss")


def to_files(
    forecaster: WindowForecaster,
    onnx: bytes,
    weights: Mapping[str, NDArray[np.float32]],
    history: Sequence[Epoch],
    evaluated: EvaluatedForecast | None,
) -> dict[str, bytes]:
    """The content of every file, by its name. `onnx` and `weights` are of the same network.

    `evaluated` is None of a model that was not judged: its backtest.csv has a header alone.
    """
    parts = {
        "features": list(forecaster.features),
        "scalers": forecaster.scalers.to_dict(),
        "calibration": forecaster.calibration.to_dict() if forecaster.calibration else None,
        "halflife": forecaster.data.halflife,  # which hangs on how many series it was trained on
    }
    if forecaster.sessions is not None:
        parts["sessions"] = forecaster.sessions.to_dict()
    return {
        SCALER: json.dumps(parts).encode(),
        WEIGHTS: encode_arrays(weights),
        ONNX: onnx,
        HISTORY: _history(history),
        BACKTEST: rows_text([newest_days(evaluated, MOST_ROWS)] if evaluated else []).encode(),
    }


def from_files(files: Mapping[str, bytes], name: str, data: DataConfig) -> WindowForecaster:
    """The forecaster that `FORECASTER_FILES` hold, without TensorFlow; `name` and `data` are its configuration's.

    Raises `ModelDamaged` for files that are whole, but not those of a forecaster with these settings.
    """
    from stockcast.model.serve import Runner

    try:
        parts = json.loads(files[SCALER])
        features, calibration = tuple(parts["features"]), parts["calibration"]
        scalers = Scalers.from_dict(parts["scalers"])
        calibrated = Calibration.from_dict(calibration) if calibration is not None else None
        sessions = SessionList.from_dict(parts["sessions"]) if "sessions" in parts else None
        data = _with_halflife(data, parts.get("halflife", data.halflife))
        fault = _fault(features, scalers, data, sessions) or _fault_of_bands(calibrated, data)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged(SCALER, "its parts are not those of a forecaster") from error
    if fault:
        raise damaged(SCALER, fault)
    return WindowForecaster(name, data, features, scalers, Runner(files[ONNX], bounded=True), calibrated, sessions)


def _with_halflife(data: DataConfig, halflife: float) -> DataConfig:
    """The settings with the half-life that a forecaster was made with. Raises `ValueError`, `TypeError`."""
    return DataConfig.model_validate({**data.model_dump(), "halflife": halflife})


QUANTILE_COUNTS = (len(QUANTILES), len(LEVELS))
"""How many quantiles a calibration has: those of older models are without the tails."""

_ANY_SERIES = PriceSeries("", np.array(["2000-01-03"], "datetime64[D]"), {"close": np.ones(1)})


def _fault(features: tuple[str, ...], scalers: Scalers, data: DataConfig, sessions: SessionList | None) -> str | None:
    """Why these can't belong together, or None."""
    of_events = event_feature_names(kinds_of(features), data.horizon)
    unknown = [name for name in features if not (is_feature(name) or is_code(name) or name in of_events)]
    for name in filter(is_code, features):
        code(name, _ANY_SERIES)  # which raises for one that is not as it was written
    if unknown or not features:
        return f"there is no feature {str(unknown[:1])[1:-1][:60]}"
    if of_events and sessions is None:
        return "it has features of events, and no sessions to place these on"
    columns = len(features) + 1  # and the price
    for scaler in scalers.by_name.values():
        parts = (scaler.scale, scaler.offset, scaler.low, scaler.high)
        if any(part.shape != (columns,) or not np.isfinite(part).all() for part in parts):
            return f"a scaler is not of {columns} columns"
        if (scaler.scale <= 0).any() or max(scaler.scale.max(), np.abs(scaler.offset).max()) > FARTHEST:
            return f"a scaler has a scale or an offset that is not within 0 to {FARTHEST:g}"
    return None


def _fault_of_bands(calibration: Calibration | None, data: DataConfig) -> str | None:
    """Why the calibration can't be one of forecasts with these settings, or None."""
    if calibration is None:
        return None
    shape = calibration.shift.shape
    shared = np.asarray(calibration.shared_offset)
    if shape not in [(data.horizon, count) for count in QUANTILE_COUNTS] or shared.shape not in ((), shape):
        counts = " or ".join(map(str, QUANTILE_COUNTS))
        return f"the calibration is not of {data.horizon} steps and {counts} quantiles"
    if any(logs.shape != (data.horizon,) for logs in calibration.series_log_scale.values()):
        return "the calibration of a series is of other steps"
    logs = [np.abs(logs).max() for logs in calibration.series_log_scale.values()]
    if max(np.abs(calibration.shift).max(), np.abs(shared).max()) > FARTHEST or max(logs, default=0) > WIDEST:
        return "its bands are beyond all bounds"
    return None


def features_from(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The names of the features. Raises `ModelDamaged`."""
    try:
        return tuple(str(name) for name in json.loads(files[SCALER])["features"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(SCALER, "it names no features") from error


def weights_from(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """The network's weights, by their path in Keras. Raises `ModelDamaged`."""
    return decode_arrays(files[WEIGHTS], WEIGHTS)


def history_from(files: Mapping[str, bytes]) -> tuple[Epoch, ...]:
    """The course of the training. Raises `ModelDamaged`."""
    rows = csv.DictReader(io.StringIO(files[HISTORY].decode()))
    try:
        texts = [[row[column] for column in _HISTORY_COLUMNS] for row in rows]
        epochs = tuple(
            Epoch(int(number), float(loss), float(later) if later else None) for number, loss, later in texts
        )
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise damaged(HISTORY, "it is no course of a training") from error
    if not epochs:
        raise damaged(HISTORY, "it has no epoch")
    return epochs


def backtest_from(files: Mapping[str, bytes]) -> EvaluatedForecast:
    """The held-out forecasts that the model was judged on. Raises `ModelDamaged` if it was not judged."""
    try:
        return read_rows(files[BACKTEST].decode())[0]
    except (DataError, UnicodeDecodeError, csv.Error) as error:
        raise damaged(BACKTEST, "it holds no forecasts") from error


def _history(history: Sequence[Epoch]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HISTORY_COLUMNS)
    for epoch in history:
        writer.writerow([epoch.number, epoch.loss, "" if epoch.validation_loss is None else epoch.validation_loss])
    return buffer.getvalue().encode()
