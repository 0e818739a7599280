"""An LSTM whose gates see the cell state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from stockcast.model.cells.common import looped, seeded
from stockcast.model.kernels import FusedPeephole


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


layer = looped(seeded(PeepholeCell))
fused_layer = looped(seeded(PeepholeCell), FusedPeephole)
