"""The layers below the head: recurrent ones with dropout, or those of a cell that reads the window as a whole."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras

from stockcast.config.sections import FLAT_CELLS, ModelConfig
from stockcast.model import cells
from stockcast.model.cells.common import INITIALIZERS


def body(model: ModelConfig, windows: Any, every_position: bool, fused: bool) -> Any:
    """The layers below the head, on a symbolic tensor of windows; `fused` takes the kernel that trains faster."""
    if model.cell in FLAT_CELLS:
        return _of(model.cell).layers(model, windows)
    x = windows
    for number, layer in enumerate(recurrent_layers(model, every_position, fused)):
        x = layer(x)
        x = keras.layers.Dropout(model.dropout, name=f"dropout_{number}")(x)
    return x


def carried_body(model: ModelConfig, windows: Any, every_position: bool) -> tuple[Any, list[Any], list[Any]]:
    """The same of a recurrent cell that begins in given states: what the head reads, the states' inputs, their ends."""
    x, begin, end = windows, [], []
    for number, layer in enumerate(recurrent_layers(model, every_position, fused=True, return_state=True)):
        states = [keras.Input((units,)) for units in keras.tree.flatten(layer.cell.state_size)]
        x, *ended = layer(x, initial_state=states)
        x = keras.layers.Dropout(model.dropout, name=f"dropout_{number}")(x)
        begin += states
        end += ended
    return x, begin, end


def recurrent_layers(model: ModelConfig, every_position: bool, fused: bool, **options: Any) -> list[keras.Layer]:
    """The recurrent layers, bottom to top; all but the last hand on every position."""
    cell = _of(model.cell)
    make = getattr(cell, "fused_layer", cell.layer) if fused else cell.layer
    start = {
        "kernel_initializer": INITIALIZERS[model.initializer],
        "recurrent_initializer": "zeros" if model.initializer == "zeros" else "orthogonal",
    }
    layers = []
    for number, units in enumerate(model.units):
        sequences = every_position or number < len(model.units) - 1
        layer = make(units, return_sequences=sequences, name=f"{model.cell}_{number}", **start, **options)
        layers.append(keras.layers.Bidirectional(layer, name=f"both_{number}") if model.bidirectional else layer)
    return layers


def _of(cell: str) -> Any:
    """The module of a cell."""
    return import_module(f"{cells.__name__}.{cell}")
