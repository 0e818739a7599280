"""An LSTM that writes where it forgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from stockcast.model.cells.common import Seeds, begun, looped


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


def _without_dropout(units: int, kernel: str, recurrent: str, seeds: Seeds, **options: Any) -> CoupledCell:
    """The cell, which draws nothing but the beginning of its kernels."""
    return CoupledCell(units, begun(kernel, seeds), begun(recurrent, seeds), **options)


layer = looped(_without_dropout)
