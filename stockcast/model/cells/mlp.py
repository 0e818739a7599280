"""The multilayer perceptron: Dense layers on the whole window."""

from __future__ import annotations

from typing import Any

import keras

from stockcast.config.sections import ModelConfig
from stockcast.model.cells.common import INITIALIZERS, Seeds, begun, dropout


def _dense_layers(model: ModelConfig, windows: Any, seeds: Seeds) -> Any:
    """(B, L, F) to (B, units of the topmost)."""
    x = keras.layers.Flatten(name="mlp")(windows)
    start = INITIALIZERS[model.initializer]
    for number, units in enumerate(model.hidden):
        kernel = begun(start, seeds)
        x = keras.layers.Dense(units, model.activation, kernel_initializer=kernel, name=f"dense_{number}")(x)
        x = dropout(model.dropout, f"dropout_{number}", seeds)(x)
    return x


layers = _dense_layers
