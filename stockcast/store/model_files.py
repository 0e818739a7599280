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
from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.scaling import Scalers
from stockcast.data.session_list import SessionList
from stockcast.evaluate.rows import newest_days, read_rows, rows_text
from stockcast.model.calibrate import Calibration
from stockcast.model.forecaster import WindowForecaster
from stockcast.model.training_run import Epoch
from stockcast.store.arrays import decode_arrays, encode_arrays

SCALER, ONNX, WEIGHTS = "scaler.json", "model.onnx", "weights.npz"
HISTORY, BACKTEST = "history.csv", "backtest.csv"

FORECASTER_FILES = (SCALER, ONNX)
"""All that `from_files` needs."""

MOST_ROWS = 250_000
"""Of the held-out forecasts in backtest.csv, 40 MB: beyond them the oldest days of a large panel are left out. They are
there to be looked at; the scores in the manifest are of all days, and the baselines' forecasts can be made again."""

_HISTORY_COLUMNS = ("epoch", "loss", "validation_loss")


def to_files(
    forecaster: WindowForecaster,
    onnx: bytes,
    weights: Mapping[str, NDArray[np.float32]],
    history: Sequence[Epoch],
    evaluated: EvaluatedForecast,
) -> dict[str, bytes]:
    """The content of every file, by its name. `onnx` and `weights` are of the same network."""
    parts = {
        "features": list(forecaster.features),
        "scalers": forecaster.scalers.to_dict(),
        "calibration": forecaster.calibration.to_dict() if forecaster.calibration else None,
    }
    if forecaster.sessions is not None:
        parts["sessions"] = forecaster.sessions.to_dict()
    return {
        SCALER: json.dumps(parts).encode(),
        WEIGHTS: encode_arrays(weights),
        ONNX: onnx,
        HISTORY: _history(history),
        BACKTEST: rows_text([newest_days(evaluated, MOST_ROWS)]).encode(),
    }


def from_files(files: Mapping[str, bytes], name: str, data: DataConfig) -> WindowForecaster:
    """The forecaster that `FORECASTER_FILES` hold, without TensorFlow; `name` and `data` are its configuration's."""
    from stockcast.model.serve import Runner

    parts = json.loads(files[SCALER])
    return WindowForecaster(
        name,
        data,
        tuple(parts["features"]),
        Scalers.from_dict(parts["scalers"]),
        Runner(files[ONNX]),
        Calibration.from_dict(parts["calibration"]),
        SessionList.from_dict(parts["sessions"]) if "sessions" in parts else None,
    )


def weights_from(files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """The network's weights, by their path in Keras. Raises `ModelDamaged`."""
    return decode_arrays(files[WEIGHTS], WEIGHTS)


def history_from(files: Mapping[str, bytes]) -> tuple[Epoch, ...]:
    """The course of the training."""
    rows = csv.DictReader(io.StringIO(files[HISTORY].decode()))
    epochs = ([row[column] for column in _HISTORY_COLUMNS] for row in rows)
    return tuple(
        Epoch(int(number), float(loss), float(held_back) if held_back else None) for number, loss, held_back in epochs
    )


def backtest_from(files: Mapping[str, bytes]) -> EvaluatedForecast:
    """The held-out forecasts that the model was judged on."""
    return read_rows(files[BACKTEST].decode())[0]


def _history(history: Sequence[Epoch]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_HISTORY_COLUMNS)
    for epoch in history:
        writer.writerow([epoch.number, epoch.loss, "" if epoch.validation_loss is None else epoch.validation_loss])
    return buffer.getvalue().encode()
