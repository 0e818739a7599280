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
from stockcast.model.losses import loss_of, penalty

MEASURED = 1024
"""Windows that are measured in one call."""


class Learner:
    """Trains `network` on the windows `train`. Windows are gathered on the way; nothing is copied before."""

    def __init__(self, network: keras.Model, train: Windows, config: RunConfig) -> None:
        self.network = network
        self.train = train
        self.config = config.fit
        self.loss_of = loss_of(config.fit.loss, config.data.thresholds)
        steps = math.ceil(len(train) / config.fit.batch_size)
        self.optimizer = _optimizer(config.fit, steps)
        self.optimizer.build(network.trainable_variables)
        self.inputs = tf.constant(train.rows.inputs)
        self.targets = tf.constant(train.rows.targets[:, : network.output_shape[-2]])
        self.past = tf.range(1 - train.lookback, 1, dtype=tf.int64)
        self.judged = self.past[config.fit.warmup :] if config.fit.positions == "all" else self.past[-1:]

    @property
    def variables(self) -> list[Any]:
        """All that an epoch changes: weights, the state of the random numbers, and the optimiser's own."""
        return [*self.network.variables, *self.optimizer.variables]

    def epoch(self, number: int) -> float:
        """One pass over the training windows in an order of its own; the mean loss."""
        order = np.random.default_rng([self.config.seed, number]).permutation(self.train.ends)
        return float(self._learn(*_batches(order, self.config.batch_size)))

    def loss(self, windows: Windows) -> float:
        """The mean loss without dropout."""
        return float(self._measure(*_batches(windows.ends, MEASURED)))

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _learn(self, batches: Any, rest: Any) -> Any:
        """A step a batch, (batches, B) and (rest,); both shapes are known when this is traced, which saves time."""
        total = tf.constant(0.0)
        for ends in batches:
            total += self._step(ends) * ends.shape[0]
        if rest.shape[0]:
            total += self._step(rest) * rest.shape[0]
        return total / (batches.shape[0] * batches.shape[1] + rest.shape[0])

    def _step(self, ends: Any) -> Any:
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._batch_loss(ends, training=True)
            objective = loss + penalty(variables, self.config)
        self.optimizer.apply(tape.gradient(objective, variables), variables)
        return loss

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _measure(self, batches: Any, rest: Any) -> Any:
        total = tf.constant(0.0)
        for ends in batches:
            total += self._batch_loss(ends, training=False) * ends.shape[0]
        if rest.shape[0]:
            total += self._batch_loss(rest, training=False) * rest.shape[0]
        return total / (batches.shape[0] * batches.shape[1] + rest.shape[0])

    def _batch_loss(self, ends: Any, training: bool) -> Any:
        x = self._windows(ends)
        y = tf.gather(self.targets, ends[:, None] + self.judged)  # (B, P, H)
        outputs = self.network(x, training=training)
        if outputs.shape.rank == 3:
            outputs = outputs[:, None]
        return self.loss_of(y[..., None], outputs[:, -y.shape[1] :])  # (B, P, H, 1) and (B, P, H, K)

    def _windows(self, ends: Any) -> Any:
        """(B, L, F), as `Windows.x`."""
        if self.train.rows.padding == "none":
            return tf.gather(self.inputs, ends[:, None] + self.past)
        first = tf.gather(tf.constant(self.train.rows.first), ends)
        at, there = window_rows(self.train.rows, ends, first, self.train.lookback, tf.minimum)
        return tf.where(there[..., None], tf.gather(self.inputs, tf.where(there, at, 0)), PAD)


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
