"""A faster LSTM for training on a CPU.

Stock Keras runs its CPU LSTM as a loop of small graph operations, and most of the time goes into starting them.
TensorFlow also has one operation for the whole sequence, `BlockLSTMV2`, whose gate order (i, f, c, o) is Keras' own.
`FusedLSTM` is `keras.layers.LSTM` with that operation inside: the same weights, configuration and results,
and an epoch takes about half as long (`benchmarks/kernel.py`). `FusedPeephole` is the same of a cell with peepholes.

The gradient that TensorFlow registers for `BlockLSTMV2` is that of the older `BlockLSTM`, whose gates stand in another
order, so a network trained through it converges to something else without an error. Here it is `BlockLSTMGradV2`.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("stockcast")
class FusedLSTM(keras.layers.LSTM):  # type: ignore[misc]  # keras ships no types
    """`keras.layers.LSTM` whose sequence loop is one operation wherever that is possible: see `_can_fuse`.

    Weights and configuration are those of `keras.layers.LSTM`: `keras.layers.LSTM.from_config(layer.get_config())` with
    `layer.get_weights()` is the same network.
    """

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Return the last output (batch, units), all outputs (batch, time, units) and [h, c], the final state."""
        if mask is not None or not self._can_fuse():
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)
        if training and self.dropout:
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0, :])[:, None, :]
        return _whole_sequence(self, sequences, initial_state)

    def _can_fuse(self) -> bool:
        """Whether the operation does what this layer asks, on this machine; where it doesn't, Keras' own loop runs.

        On a GPU that is cuDNN. A layer without a bias or with `use_cudnn=False` may be compiled by XLA, which doesn't
        know the operation.
        """
        standard = self.activation is keras.activations.tanh and self.recurrent_activation is keras.activations.sigmoid
        plain = self.use_bias and self.use_cudnn and not (self.recurrent_dropout or self.unroll)
        return standard and plain and _is_known_here(self)


@keras.saving.register_keras_serializable("stockcast")
class FusedPeephole(keras.layers.RNN):  # type: ignore[misc]  # keras ships no types
    """`keras.layers.RNN` of a `PeepholeCell`, with its weights and results, by the same operation where it is known."""

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        """Return the last output (batch, units), all outputs (batch, time, units) and [h, c], the final state."""
        if mask is not None or self.unroll or not _is_known_here(self):
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)
        return _whole_sequence(self, sequences, initial_state, tf.convert_to_tensor(self.cell.peephole))


def _is_known_here(layer: Any) -> bool:
    """Whether the operation exists for this layer's numbers on this machine: of float32, and on CPUs alone."""
    return layer.compute_dtype == "float32" and not tf.config.list_physical_devices("GPU")


def _whole_sequence(layer: Any, sequences: Any, initial_state: Any, *peephole: tf.Tensor) -> Any:
    """What `inner_loop` returns, from one operation over sequences (batch, time, features)."""
    x = tf.transpose(sequences, (1, 0, 2))  # (time, batch, features)
    if layer.go_backwards:
        x = x[::-1]
    cell = layer.cell
    weights = tf.concat([cell.kernel, cell.recurrent_kernel], axis=0)  # (features + units, 4 * units)
    h, c = block_lstm(x, *initial_state, weights, tf.convert_to_tensor(cell.bias), *peephole)
    return h[-1], tf.transpose(h, (1, 0, 2)), [h[-1], c[-1]]


@tf.custom_gradient  # type: ignore[untyped-decorator]  # tensorflow ships no types
def block_lstm(
    x: tf.Tensor, h0: tf.Tensor, c0: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor, *peephole: tf.Tensor
) -> Any:
    """Run an LSTM over x (time, batch, features); return its outputs and its cell states, each (time, batch, units).

    `weights` (features + units, 4 * units) are Keras' kernel above its recurrent kernel; `peephole`, if given, is one
    array (3, units), for the gates i, f and o. All is float32.
    """
    steps = tf.shape(x, out_type=tf.int64)[0]
    inputs = {"seq_len_max": steps, "x": x, "cs_prev": c0, "h_prev": h0, "w": weights, "b": bias}
    seen = tf.unstack(peephole[0]) if peephole else [tf.zeros_like(bias[: bias.shape[0] // 4])] * 3
    inputs |= dict(zip(("wci", "wcf", "wco"), seen, strict=True)) | {"use_peephole": bool(peephole)}
    out = tf.raw_ops.BlockLSTMV2(**inputs, cell_clip=0.0)

    def gradient(h_grad: tf.Tensor, c_grad: tf.Tensor) -> tuple[tf.Tensor, ...]:
        back = tf.raw_ops.BlockLSTMGradV2(**inputs, **out._asdict(), cs_grad=c_grad, h_grad=h_grad)
        through = (back.x_grad, back.h_prev_grad, back.cs_prev_grad, back.w_grad, back.b_grad)
        return (*through, tf.stack([back.wci_grad, back.wcf_grad, back.wco_grad])) if peephole else through

    return (out.h, out.cs), gradient
