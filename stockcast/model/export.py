"""A trained network as a file: as ONNX, compared with Keras before anybody relies on it, and as Keras saves it."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stockcast.config.run import RunConfig
from stockcast.data.rows import Floats32
from stockcast.errors import ModelDamaged, StockcastError
from stockcast.model.network import build_served
from stockcast.model.onnx_files.served import ServedNetwork
from stockcast.model.serve import Runner

TOLERANCE = 1e-5
"""The greatest difference between ONNX and Keras, relative to the outputs' size."""


def export_onnx(served: ServedNetwork, weights: Sequence[NDArray[np.float32]], examples: Floats32) -> bytes:
    """A network with these weights as the bytes of an ONNX file that answers `examples`, (n, L, F), as Keras does.

    What Keras' own export does by tf2onnx, but once for all networks of a kind.

    Raises `StockcastError` if the answers differ.
    """
    model = served.template.filled(weights)
    expected = served.answers(weights, examples)
    difference = float(np.max(np.abs(Runner(model)(examples) - expected)))
    size = float(np.max(np.abs(expected)))
    if not difference <= TOLERANCE * size:
        raise StockcastError(
            f"the exported network is off by {difference:.2g} from Keras' outputs of up to {size:.2g}."
        )
    return model


def keras_file(config: RunConfig, features: int, weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """The bytes of the .keras file of a network of so many `features`, built anew and given its `weights` by path.

    Raises `ModelDamaged` for weights of another network.
    """
    network = build_served(config, features)
    shapes = {path: array.shape for path, array in weights.items()}
    if shapes != {weight.path: tuple(weight.shape) for weight in network.weights}:
        raise ModelDamaged(
            "the weights are those of another network than the model's settings describe.",
            "let another version serve, or train it again.",
        )
    network.set_weights([weights[weight.path] for weight in network.weights])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        with warnings.catch_warnings():  # Keras hands arrays to numpy in its old way
            warnings.filterwarnings("ignore", "__array__ implementation doesn't accept", DeprecationWarning)
            network.save(path)
        return path.read_bytes()
