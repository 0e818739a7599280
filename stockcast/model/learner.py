"""A network, its optimiser, and the traced functions that run whole epochs over one table of rows."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stockcast.config import FitConfig, RunConfig
from stockcast.data.windows import PAD, Windows, window_rows
from stockcast.errors import ConfigError
from stockcast.model.losses import loss_of, penalty

MEASURED = 1024
"""Windows that are measured in one call."""

as_it_stands = tf.autograph.experimental.do_not_convert
"""For what has no loop or branch on tensors: tracing would spend half of its time on rewriting it."""


class Learner:
    """Trains `network` on the windows `train`. Windows are gathered on the way; nothing is copied before.

    A network that carries its state on, from `build_carried`, learns a window in pieces of `fit.tbptt` sessions: each
    begins where the last one ended, and no gradient goes back further than its own piece. If the model is stateful, a
    window begins where the one before it ended, too; else in zeros.
    """

    def __init__(self, network: keras.Model, train: Windows, config: RunConfig) -> None:
        self.network = network
        self.train = train
        self.config = config.fit
        self.stateful = config.model.stateful
        self.loss_of = loss_of(config.fit.loss, config.data.thresholds)
        self.piece = config.fit.tbptt or train.lookback
        self.unjudged = config.fit.warmup if config.fit.positions == "all" else train.lookback - 1
        learned = sum(begin + self.piece > self.unjudged for begin in self._pieces)
        self.optimizer = _optimizer(config.fit, learned * math.ceil(len(train) / config.fit.batch_size))
        self.optimizer.build(network.trainable_variables)
        self.inputs = tf.constant(train.rows.inputs)
        self.targets = tf.constant(train.rows.targets[:, : network.outputs[0].shape[-2]])
        self.past = tf.range(1 - train.lookback, 1, dtype=tf.int64)

    @property
    def variables(self) -> list[Any]:
        """All that an epoch changes: weights, the state of the random numbers, and the optimiser's own."""
        return [*self.network.variables, *self.optimizer.variables]

    def epoch(self, number: int) -> float:
        """One pass over the training windows in an order of its own, or in theirs if it is stateful; the mean loss."""
        if self.stateful:
            return float(self._learn(*tracks(self.train.ends, self.config.batch_size)))
        order = np.random.default_rng([self.config.seed, number]).permutation(self.train.ends)
        return float(self._learn(*_batches(order, self.config.batch_size)))

    def loss(self, windows: Windows) -> float:
        """The mean loss without dropout, each window from zeros."""
        return float(self._measure(*_batches(windows.ends, MEASURED)))

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _learn(self, batches: Any, rest: Any) -> Any:
        """A step a batch, (batches, B) and (rest,); both shapes are known when this is traced, which saves time."""
        total = tf.constant(0.0)
        before = tf.zeros(batches.shape[1], tf.int64)
        states = self._zeros(batches.shape[1])
        for ends in batches:
            follows = tf.cast(ends == before + self.train.lookback, tf.float32)[:, None] if self.stateful else 0.0
            loss, states = self._step(ends, [state * follows for state in states])
            total += loss * ends.shape[0]
            before = ends
        if rest.shape[0]:
            total += self._step(rest, self._zeros(rest.shape[0]))[0] * rest.shape[0]
        return total / (batches.shape[0] * batches.shape[1] + rest.shape[0])

    @as_it_stands  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _step(self, ends: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step a piece: the mean loss and the states in the end."""
        variables = self.network.trainable_variables
        total = 0.0
        for begin in self._pieces:
            with tf.GradientTape() as tape:
                loss, states = self._loss(ends, slice(begin, begin + self.piece), states, training=True)
                objective = loss + penalty(variables, self.config)
            states = [tf.stop_gradient(state) for state in states]
            if begin + self.piece > self.unjudged:
                self.optimizer.apply(tape.gradient(objective, variables), variables)
                total += loss * (begin + self.piece - max(begin, self.unjudged))
        return total / (self.train.lookback - self.unjudged), states

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _measure(self, batches: Any, rest: Any) -> Any:
        whole = slice(0, self.train.lookback)
        total = tf.constant(0.0)
        for ends in batches:
            total += self._loss(ends, whole, self._zeros(ends.shape[0]), training=False)[0] * ends.shape[0]
        if rest.shape[0]:
            total += self._loss(rest, whole, self._zeros(rest.shape[0]), training=False)[0] * rest.shape[0]
        return total / (batches.shape[0] * batches.shape[1] + rest.shape[0])

    @as_it_stands  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _loss(self, ends: Any, piece: slice, states: list[Any], training: bool) -> tuple[Any, list[Any]]:
        """The mean loss on a piece of the windows that end in `ends`, and the states after it."""
        x = self._windows(ends)[:, piece]
        judged = self.past[max(piece.start, self.unjudged) : piece.stop]
        outputs = self.network([x, *states] if states else x, training=training)
        outputs, *states = outputs if states else [outputs]
        if not judged.shape[0]:
            return 0.0, states
        y = tf.gather(self.targets, ends[:, None] + judged)  # (B, P, H)
        if outputs.shape.rank == 3:
            outputs = outputs[:, None]
        return self.loss_of(y[..., None], outputs[:, -judged.shape[0] :]), states  # (B, P, H, 1) and (B, P, H, K)

    def _zeros(self, windows: int) -> list[Any]:
        """The states that so many windows begin in."""
        return [tf.zeros((windows, state.shape[-1])) for state in self.network.inputs[1:]]

    @property
    def _pieces(self) -> range:
        return range(0, self.train.lookback, self.piece)

    def _windows(self, ends: Any) -> Any:
        """(B, L, F), as `Windows.x`."""
        if self.train.rows.padding == "none":
            return tf.gather(self.inputs, ends[:, None] + self.past)
        first = tf.gather(tf.constant(self.train.rows.first), ends)
        at, there = window_rows(self.train.rows, ends, first, self.train.lookback, tf.minimum)
        return tf.where(there[..., None], tf.gather(self.inputs, tf.where(there, at, 0)), PAD)


def tracks(ends: NDArray[np.int64], size: int) -> tuple[Any, Any]:
    """Batches of windows, in order, such that each window follows the one at its place in the batch before.

    The windows are cut into `size` stretches that are learned side by side. Raises `ConfigError` if they don't go up.
    """
    if len(ends) % size:
        fitting = max(one for one in range(1, size + 1) if len(ends) % one == 0)
        raise ConfigError(
            f"fit.batch_size {size} must divide the {len(ends)} training windows of a stateful network.",
            f"--set fit.batch_size={fitting}",
        )
    return _batches(ends.reshape(size, -1).T.ravel(), size)


def _batches(order: NDArray[np.int64], size: int) -> tuple[Any, Any]:
    """The order cut into whole batches, (batches, size), and what is left."""
    whole = len(order) // size * size
    return tf.constant(order[:whole].reshape(-1, size)), tf.constant(order[whole:])


def _optimizer(config: FitConfig, steps: int) -> Any:
    rate: Any = config.learning_rate
    if config.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps)
    clip = {"global_clipnorm": config.clipnorm or None, "clipvalue": config.clipvalue or None}
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=config.momentum, **clip)
    kinds = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}
    return kinds[config.optimizer](rate, **clip)
