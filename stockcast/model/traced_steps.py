"""A network, its optimiser, and the traced functions that run whole epochs over one table of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stockcast.config.run import RunConfig
from stockcast.data.windows import PAD, Windows, window_rows
from stockcast.errors import ConfigError
from stockcast.model.losses import loss_of, penalty, volatility_loss
from stockcast.model.optimizers import build_optimizer

MEASURED = 1024
"""Windows that are measured in one call."""


class Learner:
    """Trains one network after the other, all of one kind, in functions that TensorFlow traces once for all of them.

    `begin` takes what a new one's variables begin with and the windows that it learns. These are gathered on the way
    from the table of rows; nothing is copied before.

    A network that carries its state on, from `build_carried`, learns a window in pieces of `fit.tbptt` sessions: each
    begins where the last one ended, and no gradient goes back further than its own piece. If the model is stateful, a
    window begins where the one before it ended, too; else in zeros.
    """

    def __init__(self, network: keras.Model, config: RunConfig) -> None:
        self.network = network
        self.data, self.config = config.data, config.fit
        self.lookback = config.data.lookback
        self.stateful = config.model.stateful
        self.loss_of = loss_of(config.fit.loss, config.data.thresholds)
        self.piece = config.fit.tbptt or self.lookback
        self.unjudged = config.fit.warmup if config.fit.positions == "all" else self.lookback - 1
        self.past = tf.range(1 - self.lookback, 1, dtype=tf.int64)
        self.inputs, self.targets = _table(network.inputs[0].shape[-1]), _table(network.outputs[0].shape[-2])
        self.realized = _table(network.outputs[0].shape[-2])
        self.first = tf.Variable([], dtype=tf.int64, shape=(None,), trainable=False)
        self.l2 = tf.Variable(config.fit.l2, trainable=False) if config.fit.l2 else None
        self.steps = tf.Variable(1.0, trainable=False)
        self.optimizer = build_optimizer(config.fit, self.steps)
        self.optimizer.build(network.trainable_variables)
        self.untouched = [np.asarray(variable).copy() for variable in self.optimizer.variables]
        self._learn, self._measure = _traced(self._learn_in_order), _traced(self._measure_in_order)

    def begin(self, values: Sequence[NDArray[Any]], train: Windows, config: RunConfig) -> None:
        """Begin anew with these values of the network's variables, on the windows `train`."""
        for mine, value in zip(self.variables, [*values, *self.untouched], strict=True):
            mine.assign(value)
        self.ends, self.seed = train.ends, config.fit.seed
        self.inputs.assign(train.rows.inputs)
        self.targets.assign(train.rows.targets[:, : self.targets.shape[1]])
        if self.config.realised:
            self.realized.assign(train.rows.realized)
        if self.data.padding != "none":
            self.first.assign(train.rows.first)
        if self.l2 is not None:
            self.l2.assign(config.fit.l2)
        learned = sum(begin + self.piece > self.unjudged for begin in self._pieces)
        self.steps.assign(config.fit.epochs * learned * math.ceil(len(train) / config.fit.batch_size))

    def end(self) -> None:
        """Let go of the rows."""
        for table in (self.inputs, self.targets, self.realized):
            table.assign(tf.zeros((0, table.shape[1])))

    @property
    def variables(self) -> list[Any]:
        """All that an epoch changes: weights, the state of the random numbers, and the optimiser's own."""
        return [*self.network.variables, *self.optimizer.variables]

    def epoch(self, number: int) -> float:
        """One pass over the training windows in an order of its own, or in theirs if it is stateful; the mean loss."""
        if self.stateful:
            return float(self._learn(tracks(self.ends, self.config.batch_size)))
        return float(self._learn(np.random.default_rng([self.seed, number]).permutation(self.ends)))

    def loss(self, windows: Windows) -> float:
        """The mean loss at the ends of windows of the same rows, without dropout, each window from zeros.

        At its earlier positions a window's targets may lie before the part that it is of.
        """
        return float(self._measure(windows.ends))

    def _learn_in_order(self, order: Any) -> Any:
        """A step for each batch of windows in their order, (n,); the mean loss."""
        size = self.config.batch_size
        begin = [tf.zeros(size, tf.int64), *self._zeros(size)] if self.stateful else []

        def learn(ends: Any, carried: list[Any]) -> tuple[Any, list[Any]]:
            if not self.stateful:
                return self._step(ends, self._zeros(tf.size(ends)))[0], []
            ends, (before, *ended) = tf.ensure_shape(ends, (size,)), carried
            follows = tf.cast(ends == before + self.lookback, tf.float32)[:, None]
            loss, states = self._step(ends, [state * follows for state in ended])
            return loss, [ends, *states]

        return _mean_over_batches(order, size, learn, begin)

    def _measure_in_order(self, order: Any) -> Any:
        """The mean loss of windows, (n,)."""

        def measure(ends: Any, _: list[Any]) -> tuple[Any, list[Any]]:
            whole, states = slice(0, self.lookback), self._zeros(tf.size(ends))
            return self._losses(ends, whole, states, self.lookback - 1, training=False)[0], []

        return _mean_over_batches(order, MEASURED, measure, [])

    def _step(self, ends: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        """One step a piece: the mean loss and the states in the end."""
        variables = self.network.trainable_variables
        total = 0.0
        for begin in self._pieces:
            with tf.GradientTape() as tape:
                piece = slice(begin, begin + self.piece)
                loss, second, states = self._losses(ends, piece, states, self.unjudged, training=True)
                objective = loss + second + penalty(variables, self.config.l1, self.l2)
            states = [tf.stop_gradient(state) for state in states]
            if begin + self.piece > self.unjudged:
                self.optimizer.apply(tape.gradient(objective, variables), variables)
                total += loss * (begin + self.piece - max(begin, self.unjudged))
        return total / (self.lookback - self.unjudged), states

    def _losses(
        self, ends: Any, piece: slice, states: list[Any], unjudged: int, training: bool
    ) -> tuple[Any, Any, list[Any]]:
        """The mean loss on a piece of the windows that end in `ends`, the second loss, and the states after it.

        It is taken at each position after the first `unjudged` ones of a window.
        """
        x = self._windows(ends)[:, piece]
        judged = self.past[max(piece.start, unjudged) : piece.stop]
        outputs = self.network([x, *states] if states else x, training=training)
        outputs, *states = outputs if states else [outputs]
        if not judged.shape[0]:
            return 0.0, 0.0, states
        at = ends[:, None] + judged  # (B, P)
        if outputs.shape.rank == 3:
            outputs = outputs[:, None]
        if outputs.shape[1] != judged.shape[0]:
            outputs = outputs[:, -judged.shape[0] :]  # (B, P, H, K)
        loss = self.loss_of(tf.gather(self.targets, at)[..., None], outputs)
        weight = self.config.realised
        second = weight * volatility_loss(tf.gather(self.realized, at), outputs) if weight else 0.0
        return loss, second, states

    def _zeros(self, windows: Any) -> list[Any]:
        """The states that so many windows begin in."""
        return [tf.zeros((windows, state.shape[-1])) for state in self.network.inputs[1:]]

    @property
    def _pieces(self) -> range:
        return range(0, self.lookback, self.piece)

    def _windows(self, ends: Any) -> Any:
        """(B, L, F), as `Windows.x`."""
        if self.data.padding == "none":
            return tf.gather(self.inputs, ends[:, None] + self.past)
        at, there = window_rows(self.data, ends, tf.gather(self.first, ends), self.lookback, tf.minimum)
        return tf.where(there[..., None], tf.gather(self.inputs, tf.where(there, at, 0)), PAD)


def _table(columns: int) -> Any:
    """Room for a table of float32 of any length."""
    return tf.Variable(tf.zeros((0, columns)), shape=(None, columns), trainable=False)


def _traced(function: Callable[[Any], Any]) -> Any:
    """A function of windows in their order, traced once for any number of them.

    As it is written: what TensorFlow would rewrite are loops and branches on tensors, and to look for them takes longer
    than to trace what is there.
    """
    return tf.function(function, input_signature=[tf.TensorSpec((None,), tf.int64)], autograph=False)


def _mean_over_batches(order: Any, size: int, loss_of: Callable[[Any, list[Any]], Any], carried: list[Any]) -> Any:
    """The mean over windows (n,) of the loss of each batch, to which the one before hands on what is `carried`."""
    windows = tf.size(order)

    def one(start: Any, total: Any, carried: list[Any]) -> tuple[Any, Any, list[Any]]:
        ends = order[start : start + size]
        loss, carried = loss_of(ends, carried)
        return start + size, total + loss * tf.cast(tf.size(ends), tf.float32), carried

    _, total, _ = tf.while_loop(lambda start, *_: start < windows, one, (0, tf.constant(0.0), carried))
    return total / tf.cast(windows, tf.float32)


def tracks(ends: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Windows in such an order that each follows the one at its place in the batch before, (n,).

    They are cut into `size` stretches that are learned side by side. Raises `ConfigError` if they don't go up.
    """
    if len(ends) % size:
        fitting = max(one for one in range(1, size + 1) if len(ends) % one == 0)
        raise ConfigError(
            f"fit.batch_size {size} must divide the {len(ends)} training windows of a stateful network.",
            f"--set fit.batch_size={fitting}",
        )
    return ends.reshape(size, -1).T.ravel()
