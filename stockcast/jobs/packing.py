"""What was learned, as the files of a saved version."""

from __future__ import annotations

import csv
import io
import json

from stockcast.evaluate.rows import rows_text
from stockcast.learn import Learned
from stockcast.store.arrays import encode_arrays


def pack(learned: Learned) -> dict[str, bytes]:
    """The files of a version beside its manifest."""
    forecaster = learned.forecaster
    parts = {
        "features": list(forecaster.features),
        "scalers": forecaster.scalers.to_dict(),
        "calibration": forecaster.calibration.to_dict() if forecaster.calibration else None,
    }
    return {
        "scaler.json": json.dumps(parts).encode(),
        "weights.npz": encode_arrays(learned.weights),
        "model.onnx": learned.onnx,
        "history.csv": _history(learned),
        "backtest.csv": rows_text(learned.assessment.rows).encode(),
    }


def _history(learned: Learned) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["epoch", "loss", "validation_loss"])
    for epoch in learned.history:
        writer.writerow([epoch.number, epoch.loss, "" if epoch.validation_loss is None else epoch.validation_loss])
    return buffer.getvalue().encode()
