"""A trained network as a file: as ONNX, compared with Keras before anybody relies on it, and as Keras saves it."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from stockcast.config.run import RunConfig
from stockcast.data.rows import Floats32
from stockcast.errors import StockcastError
from stockcast.model.network import build_served
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


def keras_file(config: RunConfig, features: int, weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The bytes of the .keras file of a network of so many `features`, built anew and given its `weights` by path."""
    network = build_served(config, features)
    network.set_weights([weights[weight.path] for weight in network.weights])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        with _silence():
            network.save(path)
        return path.read_bytes()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep tf2onnx' log, and its and Keras' use of old ways of numpy, from the user's terminal."""
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
            warnings.filterwarnings("ignore", "__array__ implementation doesn't accept", DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)
