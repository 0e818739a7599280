"""Seconds per epoch of the T1 job, with `keras.layers.LSTM` and with `FusedLSTM`.

T1: 1198 windows of 60 x 1, 4 x (LSTM(50), Dropout 0.2), Dense(1), batches of 32, Adam, mean squared error. All
contenders run in turn, round after round, so that a busy machine is as unkind to one as to the other: trust the ratios.

The shares are those of the epoch's matrix products in the speed of two others: a large one, which all cores work on,
and one of the size that a layer needs in each step, where the next step waits for the last.

    python -m benchmarks.kernel --rounds 5
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stockcast.model.kernels import FusedLSTM

WINDOWS, LOOKBACK, LAYERS, UNITS, BATCH = 1198, 60, 4, 50, 32
MATRIX = 2048
REPEATED = 2000
REFERENCE = "keras.layers.LSTM, fit"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds

    large, small = f"matrix product of {MATRIX} x {MATRIX}", f"matrix product of {BATCH} x {2 * UNITS} x {4 * UNITS}"
    epochs = {
        REFERENCE: by_fit(network(keras.layers.LSTM)),
        "FusedLSTM, fit": by_fit(network(FusedLSTM)),
        "keras.layers.LSTM, one graph an epoch": by_graph(network(keras.layers.LSTM)),
        "FusedLSTM, one graph an epoch": by_graph(network(FusedLSTM)),
    }
    seconds = alternate(epochs | {large: matrix_product(), small: small_products()}, rounds)
    speeds = []  # FLOP a second
    for name, flop in ((large, 2 * MATRIX**3), (small, REPEATED * 2 * BATCH * 2 * UNITS * 4 * UNITS)):
        speeds.append(flop / statistics.median(seconds.pop(name)))
        print(f"float32 {name}: {speeds[-1] / 1e9:.0f} GFLOP/s")
    print(f"\n{f'medians of {rounds} rounds':38}  s/epoch  least-most  ratio  of a large product  of a step's")
    for name, times in seconds.items():
        ratio = statistics.median(mine / stock for mine, stock in zip(times, seconds[REFERENCE], strict=True))
        of_large, of_small = (epoch_flop() / statistics.median(times) / speed for speed in speeds)
        spread = f"{min(times):.2f}-{max(times):.2f}"
        median = statistics.median(times)
        print(f"{name:38}  {median:7.2f}  {spread:>10}  {ratio:5.2f}  {of_large:18.0%}  {of_small:11.0%}")


def network(lstm: type) -> Any:
    """The network of T1, of layers of the class `lstm`, compiled."""
    keras.utils.set_random_seed(1)
    layers = [keras.Input((LOOKBACK, 1))]
    for number in range(LAYERS):
        layers += [lstm(UNITS, return_sequences=number < LAYERS - 1), keras.layers.Dropout(0.2)]
    model = keras.Sequential([*layers, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def windows() -> tuple[Any, Any]:
    draw = np.random.default_rng(1)
    x = draw.random((WINDOWS, LOOKBACK, 1), np.float32)
    return x, x[:, -1]  # (windows, 1)


def by_fit(model: Any) -> Callable[[], object]:
    """An epoch as Keras runs it: Python calls the graph once a batch."""
    x, y = windows()
    return lambda: model.fit(x, y, batch_size=BATCH, verbose=0)


def by_graph(model: Any) -> Callable[[], object]:
    """An epoch as one call of one graph that gathers its own batches."""
    x, y = (tf.constant(part) for part in windows())
    weights = model.trainable_variables
    model.optimizer.build(weights)

    def train(rows: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(tf.gather(x, rows), training=True) - tf.gather(y, rows)) ** 2)
        model.optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def epoch() -> Any:
        order = tf.random.shuffle(tf.range(WINDOWS))
        full = WINDOWS - WINDOWS % BATCH
        # The shape of a batch is known when the graph is made: masks needn't wait for it.
        batches = tf.reshape(order[:full], (-1, BATCH))
        losses = tf.map_fn(train, batches, fn_output_signature=tf.float32, parallel_iterations=1)
        return tf.reduce_sum(losses) + train(order[full:])

    return lambda: float(epoch())


def matrix_product() -> Callable[[], object]:
    matrix = tf.random.normal((MATRIX, MATRIX))
    return lambda: tf.matmul(matrix, matrix).numpy()


def small_products() -> Callable[[], object]:
    """Products of one step's size, each of which needs the one before."""
    x, weights = tf.random.normal((BATCH, 2 * UNITS)), tf.random.normal((2 * UNITS, 4 * UNITS)) / 100

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def run() -> Any:
        return tf.foldl(lambda now, _: tf.matmul(now, weights)[:, : 2 * UNITS], tf.range(REPEATED), x)

    return lambda: run().numpy()


def alternate(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Call all contenders in turn, once untimed to trace the graphs; the seconds of each round for each."""
    for call in contenders.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def epoch_flop() -> float:
    """Floating point operations of the matrix products of an epoch; the backward pass costs twice the forward pass."""
    inputs = 1 + (LAYERS - 1) * UNITS  # of all layers together
    forward = LOOKBACK * 2 * (inputs + LAYERS * UNITS) * 4 * UNITS
    return 3.0 * WINDOWS * forward


if __name__ == "__main__":
    main()
