"""Several small networks in one graph: their weights stacked and their products batched, beside one after the other.

An LSTM layer of the preset `daily`, 60 x 29 inputs to 16 units, forward and back over a batch of 64 windows, for eight
networks, by one thread as in a worker of a fleet. One after the other each takes TensorFlow's operation for a whole
sequence, which knows one set of weights; stacked, each of the 60 steps is a batched product and some operations on all
networks' gates.

    python -m benchmarks.stacked --rounds 5
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.common import Sample, alternate, inside, rounds_wanted, table
from stockcast.model.quiet import tensorflow_silenced
from stockcast.model.threads import one_thread

NETWORKS, LOOKBACK, BATCH, FEATURES, UNITS = 8, 60, 64, 29, 16
STEPS = 10
"""Of training, in each measurement."""


def main() -> None:
    rounds = rounds_wanted(__doc__)
    with one_thread():
        with tensorflow_silenced():
            import tensorflow as tf
        contenders: dict[str, Callable[[], Sample]] = {}
        gradients = []
        for name, gradient in (("one after the other", one_by_one), ("stacked", stacked)):
            traced = tf.function(partial(gradient, *drawn()), autograph=False)
            gradients.append(traced().numpy())  # traces it, too
            contenders[name] = inside(partial(repeated, traced))
        samples = alternate(contenders, rounds)
    first, second = gradients
    print(f"{STEPS} steps of {NETWORKS} networks")
    print(table(samples, "one after the other"))
    print(f"\ntheir gradients differ by {np.abs(first - second).max() / np.abs(first).max():.0e} of the largest")


def repeated(step: Callable[[], object]) -> None:
    for _ in range(STEPS):
        step()


def drawn() -> tuple[Any, Any, Any]:
    """Windows (N, L, B, F), weights (N, F + U, 4 U) and biases (N, 4 U) of all networks."""
    import tensorflow as tf

    draw = np.random.default_rng(0)
    windows = draw.normal(size=(NETWORKS, LOOKBACK, BATCH, FEATURES))
    weights = draw.normal(scale=0.3, size=(NETWORKS, FEATURES + UNITS, 4 * UNITS))
    biases = draw.normal(scale=0.1, size=(NETWORKS, 4 * UNITS))
    return tuple(tf.Variable(values.astype(np.float32)) for values in (windows, weights, biases))


def one_by_one(windows: Any, weights: Any, biases: Any) -> Any:
    """The gradient of a loss on each network's outputs, (N, F + U, 4 U)."""
    import tensorflow as tf

    from stockcast.model.kernels import block_lstm

    gradients, zeros = [], tf.zeros((BATCH, UNITS))
    for x, own, bias in zip(*map(tf.unstack, (windows, weights, biases)), strict=True):
        with tf.GradientTape() as tape:
            tape.watch(own)
            loss = tf.reduce_sum(tf.square(block_lstm(x, zeros, zeros, own, bias)[0]))
        gradients.append(tape.gradient(loss, own))
    return tf.stack(gradients)


def stacked(windows: Any, weights: Any, biases: Any) -> Any:
    """The same, all networks in each operation."""
    import tensorflow as tf

    flat = tf.reshape(windows, (NETWORKS, LOOKBACK * BATCH, FEATURES))
    h = c = tf.zeros((NETWORKS, BATCH, UNITS))
    outputs = []
    with tf.GradientTape() as tape:
        own, recurrent = weights[:, :FEATURES], weights[:, FEATURES:]
        driven = tf.matmul(flat, own) + biases[:, None]
        driven = tf.reshape(driven, (NETWORKS, LOOKBACK, BATCH, 4 * UNITS))
        for x in tf.unstack(driven, axis=1):
            i, f, candidate, o = tf.split(x + tf.matmul(h, recurrent), 4, axis=-1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(candidate)
            h = tf.sigmoid(o) * tf.tanh(c)
            outputs.append(h)
        loss = tf.reduce_sum(tf.square(tf.stack(outputs)))
    return tape.gradient(loss, weights)


if __name__ == "__main__":
    main()
