"""A trained network as ONNX, compared with Keras before anybody relies on it."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import keras
import numpy as np

from stockcast.data.windows import Floats32
from stockcast.errors import StockcastError
from stockcast.model.serve import Runner

TOLERANCE = 1e-5
"""The greatest difference between ONNX and Keras, relative to the outputs' size."""


def export_onnx(network: keras.Model, examples: Floats32) -> bytes:
    """The network as the bytes of an ONNX file that answers `examples`, (n, L, F), as Keras does.

    Raises `StockcastError` if it doesn't.
    """
    expected = network.predict_on_batch(examples)  # the model must have been called before it is exported
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        with _silence():
            network.export(path, format="onnx", verbose=False)
        model = path.read_bytes()
    difference = float(np.max(np.abs(Runner(model)(examples) - expected)))
    size = float(np.max(np.abs(expected)))
    if not difference <= TOLERANCE * size:
        raise StockcastError(
            f"the exported network is off by {difference:.2g} from Keras' outputs of up to {size:.2g}."
        )
    return model


@contextmanager
def _silence() -> Iterator[None]:
    """Keep tf2onnx' log and its use of an old numpy name from the user's terminal."""
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
            yield
    finally:
        logger.setLevel(level)
