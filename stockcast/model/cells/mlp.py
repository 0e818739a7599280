"""The multilayer perceptron: Dense layers on the whole window."""

from __future__ import annotations

from typing import Any

import keras

from stockcast.config.sections import ModelConfig
from stockcast.model.cells.common import INITIALIZERS


def _dense_layers(model: ModelConfig, windows: Any) -> Any:
    """(B, L, F) to (B, units of the topmost)."""
    x = keras.layers.Flatten(name="mlp")(windows)
    start = INITIALIZERS[model.initializer]
    for number, units in enumerate(model.hidden):
        x = keras.layers.Dense(units, model.activation, kernel_initializer=start, name=f"dense_{number}")(x)
        x = keras.layers.Dropout(model.dropout, name=f"dropout_{number}")(x)
    return x


layers = _dense_layers
