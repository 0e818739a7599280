"""The cells: what a network may be made of, from the linear unit to the LSTM and its variants.

A cell turns windows (B, L, F) into what the head reads: (B, U), or (B, L, U) at every position. To add one, write its
layer, name it in `ModelConfig.cell`, and give it a line in `RECURRENT` or in `FLAT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from stockcast.config import ModelConfig
from stockcast.model.kernels import FusedLSTM

INITIALIZERS = {"glorot": "glorot_uniform", "he": "he_normal", "orthogonal": "orthogonal", "zeros": "zeros"}


def body(model: ModelConfig, windows: Any, every_position: bool, fused: bool) -> Any:
    """The layers below the head, on a symbolic tensor of windows; `fused` takes the kernel that trains faster."""
    if model.cell in FLAT:
        return FLAT[model.cell](model, windows)
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
    make = FUSED.get(model.cell, RECURRENT[model.cell]) if fused else RECURRENT[model.cell]
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


def _linear(_model: ModelConfig, windows: Any) -> Any:
    """The window itself: with the head's sum on top, the linear unit (Widrow and Hoff 1960)."""
    return keras.layers.Flatten(name="linear")(windows)


def _mlp(model: ModelConfig, windows: Any) -> Any:
    """Dense layers on the whole window."""
    x = keras.layers.Flatten(name="mlp")(windows)
    start = INITIALIZERS[model.initializer]
    for number, units in enumerate(model.hidden):
        x = keras.layers.Dense(units, model.activation, kernel_initializer=start, name=f"dense_{number}")(x)
        x = keras.layers.Dropout(model.dropout, name=f"dropout_{number}")(x)
    return x


@keras.saving.register_keras_serializable("stockcast")
class PeepholeCell(keras.layers.LSTMCell):  # type: ignore[misc]  # keras ships no types
    """An LSTM cell whose gates see the cell state, one weight a unit and gate (Gers and Schmidhuber 2000).

        i, f = sigmoid(W x + U h + p * c + b)        c' = f * c + i * tanh(W x + U h + b)
        o    = sigmoid(W x + U h + p * c' + b)       h' = o * tanh(c')

    `peephole` (3, units) are p for i, f and o; the other weights are those of `keras.layers.LSTMCell`.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        super().build(input_shape)
        self.peephole = self.add_weight(shape=(3, self.units), initializer="zeros", name="peephole")

    def call(self, inputs: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Outputs (B, units) and the new states [h, c] from inputs (B, F) and the old states."""
        h, c = states
        sums = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(sums, 4, axis=-1)
        i = ops.sigmoid(i + self.peephole[0] * c)
        f = ops.sigmoid(f + self.peephole[1] * c)
        c = f * c + i * ops.tanh(g)
        h = ops.sigmoid(o + self.peephole[2] * c) * ops.tanh(c)
        return h, [h, c]


@keras.saving.register_keras_serializable("stockcast")
class CoupledCell(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """An LSTM cell that writes where it forgets: its input gate is 1 - its forget gate (Greff et al. 2017).

        f, o = sigmoid(W x + U h + b)       c' = f * c + (1 - f) * tanh(W x + U h + b)       h' = o * tanh(c')

    Weights: `kernel` (F, 3 units), `recurrent_kernel` (units, 3 units), `bias` (3 units,), in the order f, c, o.
    """

    def __init__(
        self,
        units: int,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.output_size, self.state_size = units, units, [units, units]
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape: Sequence[int | None]) -> None:
        width = 3 * self.units
        self.kernel = self.add_weight(
            shape=(input_shape[-1], width), initializer=self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, width), initializer=self.recurrent_initializer, name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(width,), initializer=self._remember, name="bias")

    def _remember(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Begin with open forget gates, as `keras.layers.LSTM` does."""
        return ops.concatenate([ops.ones((self.units,), dtype), ops.zeros((shape[0] - self.units,), dtype)])

    def call(self, inputs: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Outputs (B, units) and the new states [h, c] from inputs (B, F) and the old states."""
        h, c = states
        sums = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        f, g, o = ops.split(sums, 3, axis=-1)
        f = ops.sigmoid(f)
        c = f * c + (1 - f) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }


def _looped(cell: Callable[..., keras.Layer]) -> Callable[..., keras.Layer]:
    """A cell of one step as a layer over sequences."""

    def layer(units: int, kernel_initializer: str, recurrent_initializer: str, **options: Any) -> keras.Layer:
        start = {"kernel_initializer": kernel_initializer, "recurrent_initializer": recurrent_initializer}
        return keras.layers.RNN(cell(units, name="cell", **start), **options)

    return layer


RECURRENT: Mapping[str, Callable[..., keras.Layer]] = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "rnn": keras.layers.SimpleRNN,
    "peephole": _looped(PeepholeCell),
    "coupled": _looped(CoupledCell),
}
FUSED: Mapping[str, Callable[..., keras.Layer]] = {"lstm": FusedLSTM}
FLAT: Mapping[str, Callable[[ModelConfig, Any], Any]] = {"linear": _linear, "mlp": _mlp}
