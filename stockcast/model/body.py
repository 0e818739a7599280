"""The layers below the head: recurrent ones with dropout, or those of a cell that reads the window as a whole."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras

from stockcast.config.sections import FLAT_CELLS, ModelConfig
from stockcast.model import cells
from stockcast.model.cells.common import INITIALIZERS, Seeds, dropout


def body(model: ModelConfig, windows: Any, every_position: bool, fused: bool, seeds: Seeds) -> Any:
    """The layers below the head, on a symbolic tensor of windows; `fused` takes the kernel that trains faster."""
    if model.cell in FLAT_CELLS:
        return _of(model.cell).layers(model, windows, seeds)
    x = windows
    for number, layer in enumerate(recurrent_layers(model, every_position, fused, seeds)):
        x = layer(x)
        x = dropout(model.dropout, f"dropout_{number}", seeds)(x)
    return x


def carried_body(
    model: ModelConfig, windows: Any, every_position: bool, seeds: Seeds
) -> tuple[Any, list[Any], list[Any]]:
    """The same of a recurrent cell that begins in given states: what the head reads, the states' inputs, their ends."""
    x, begin, end = windows, [], []
    layers = recurrent_layers(model, every_position, True, seeds, return_state=True)
    for number, layer in enumerate(layers):
        states = [keras.Input((units,)) for units in keras.tree.flatten(layer.cell.state_size)]
        x, *ended = layer(x, initial_state=states)
        x = dropout(model.dropout, f"dropout_{number}", seeds)(x)
        begin += states
        end += ended
    return x, begin, end


def recurrent_layers(
    model: ModelConfig, every_position: bool, fused: bool, seeds: Seeds, **options: Any
) -> list[keras.Layer]:
    """The recurrent layers, bottom to top; all but the last hand on every position."""
    layers = []
    for number, units in enumerate(model.units):
        name, sequences = f"{model.cell}_{number}", every_position or number < len(model.units) - 1
        layer = _recurrent(model, units, fused, seeds, return_sequences=sequences, name=name, **options)
        if model.bidirectional:  # Keras would make the way back a copy of the way forth, with its seeds
            back = {"return_sequences": sequences, "go_backwards": True, "name": f"backward_{name}", **options}
            backward = _recurrent(model, units, fused, seeds, **back)
            layer = keras.layers.Bidirectional(layer, backward_layer=backward, name=f"both_{number}")
        layers.append(layer)
    return layers


def _recurrent(model: ModelConfig, units: int, fused: bool, seeds: Seeds, **options: Any) -> keras.Layer:
    cell = _of(model.cell)
    make = getattr(cell, "fused_layer", cell.layer) if fused else cell.layer
    kernel = INITIALIZERS[model.initializer]
    recurrent = "zeros" if model.initializer == "zeros" else "orthogonal"
    layer: keras.Layer = make(units, kernel, recurrent, seeds, **options)
    return layer


def _of(cell: str) -> Any:
    """The module of a cell."""
    return import_module(f"{cells.__name__}.{cell}")
