"""Training: one traced function an epoch, windows gathered on the way, nothing copied before it is needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from stockcast.config import FitConfig, RunConfig
from stockcast.data.forecast import QUANTILES
from stockcast.data.windows import Floats32, Windows
from stockcast.errors import TrainingDiverged
from stockcast.model.network import Shape, build_network

Arrays = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Epoch:
    """One pass: its number from 1, the mean training loss, and the validation loss where there is a validation part."""

    number: int
    loss: float
    validation_loss: float | None


OnEpoch = Callable[[Epoch], None]


@dataclass(frozen=True)
class Trained:
    """The network at its best epoch, ready to serve (B, L, F) -> (B, H, K), and the course of its training."""

    network: keras.Model
    history: tuple[Epoch, ...]
    best: int

    def infer(self) -> Callable[[Floats32], Floats32]:
        """The network as a function of windows, traced once for batches of every size."""
        shape = tf.TensorSpec((None, *self.network.input_shape[1:]), tf.float32)
        traced = tf.function(lambda windows: self.network(windows, training=False), input_signature=[shape])
        return lambda windows: traced(windows).numpy()

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Every weight by its path in the network."""
        return {weight.path: np.asarray(weight) for weight in self.network.weights}


def fit_network(
    train: Windows, validation: Windows | None, config: RunConfig, on_epoch: OnEpoch = lambda _: None
) -> Trained:
    """Train on `train`; stop early on `validation`, and keep its best epoch, where it is given.

    The same seed, data and machine give bit-equal weights. Raises `TrainingDiverged` when the loss is not a number.
    """
    keras.utils.set_random_seed(config.fit.seed)
    shape = Shape(config.data.lookback, train.rows.inputs.shape[1], config.data.horizon)
    learner = _Learner(build_network(config.model, shape, config.fit.positions == "all"), train, config)
    history: list[Epoch] = []
    best, weights = 0, learner.network.get_weights()
    for number in range(1, config.fit.epochs + 1):
        loss = learner.epoch(number)
        held_out = learner.loss(validation) if validation is not None else None
        history.append(Epoch(number, loss, held_out))
        on_epoch(history[-1])
        _demand_finite(history[-1], config.fit)
        if held_out is None or best == 0 or held_out < _validation_loss(history[best - 1]):
            best, weights = number, learner.network.get_weights()
        elif number - best >= config.fit.patience:
            break
    served = build_network(config.model, shape, fused=False)
    served.set_weights(weights)
    return Trained(served, tuple(history), best)


def refit_network(trained: Trained, train: Windows, config: RunConfig, on_epoch: OnEpoch = lambda _: None) -> Trained:
    """A network trained anew on `train` for as many epochs as served `trained` best; the history stays the first's."""
    epochs = config.model_copy(update={"fit": config.fit.model_copy(update={"epochs": trained.best})})
    return replace(trained, network=fit_network(train, None, epochs, on_epoch).network)


def _validation_loss(epoch: Epoch) -> float:
    return math.inf if epoch.validation_loss is None else epoch.validation_loss


def _demand_finite(epoch: Epoch, config: FitConfig) -> None:
    if not math.isfinite(epoch.loss):
        raise TrainingDiverged(
            f"the loss is {epoch.loss} in epoch {epoch.number}; nothing was saved. "
            f"The likely cause is too large a step size ({config.learning_rate:g}).",
            f"--set fit.learning_rate={config.learning_rate / 10:g}"
            + ("" if config.clipnorm else " or --set fit.clipnorm=1"),
        )


class _Learner:
    """The network, its optimiser and the traced functions over one table of rows."""

    def __init__(self, network: keras.Model, train: Windows, config: RunConfig) -> None:
        self.network = network
        self.train = train
        self.batch = config.fit.batch_size
        self.seed = config.fit.seed
        self.loss_of = _loss(config.fit.loss)
        steps = math.ceil(len(train) / self.batch)
        self.optimizer = _optimizer(config.fit, steps)
        self.optimizer.build(network.trainable_variables)
        self.inputs = tf.constant(train.rows.inputs)
        self.targets = tf.constant(train.rows.targets)
        self.past = tf.range(1 - train.lookback, 1, dtype=tf.int64)
        self.judged = self.past[config.fit.warmup :] if config.fit.positions == "all" else self.past[-1:]

    def epoch(self, number: int) -> float:
        """One pass over the training windows in an order of its own; the mean loss."""
        order = np.random.default_rng([self.seed, number]).permutation(self.train.ends)
        return float(self._learn(tf.constant(order)))

    def loss(self, windows: Windows) -> float:
        """The mean loss without dropout."""
        return float(self._measure(tf.constant(windows.ends)))

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _learn(self, order: Any) -> Any:
        total = tf.constant(0.0)
        for start in tf.range(0, tf.shape(order)[0], self.batch):
            ends = order[start : start + self.batch]
            with tf.GradientTape() as tape:
                loss = self._batch_loss(ends, training=True)
            variables = self.network.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            total += loss * tf.cast(tf.shape(ends)[0], tf.float32)
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    @tf.function  # type: ignore[untyped-decorator]  # tensorflow ships no types
    def _measure(self, order: Any) -> Any:
        total = tf.constant(0.0)
        for start in tf.range(0, tf.shape(order)[0], 1024):
            ends = order[start : start + 1024]
            total += self._batch_loss(ends, training=False) * tf.cast(tf.shape(ends)[0], tf.float32)
        return total / tf.cast(tf.shape(order)[0], tf.float32)

    def _batch_loss(self, ends: Any, training: bool) -> Any:
        x = tf.gather(self.inputs, ends[:, None] + self.past)  # (B, L, F)
        y = tf.gather(self.targets, ends[:, None] + self.judged)  # (B, P, H)
        outputs = self.network(x, training=training)
        if outputs.shape.rank == 3:
            outputs = outputs[:, None]
        return self.loss_of(y[..., None], outputs[:, -tf.shape(y)[1] :])  # (B, P, H, 1) and (B, P, H, K)


def _optimizer(config: FitConfig, steps: int) -> Any:
    rate: Any = config.learning_rate
    if config.decay == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps)
    kinds = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}
    return kinds[config.optimizer](learning_rate=rate, global_clipnorm=config.clipnorm or None)


def _loss(kind: str) -> Callable[[Any, Any], Any]:
    """Mean loss of targets (..., 1) and outputs (..., K)."""
    if kind == "pinball":
        return lambda y, outputs: pinball(y, outputs, QUANTILES)
    named = {
        "mse": keras.losses.mean_squared_error,
        "mae": keras.losses.mean_absolute_error,
        "huber": keras.losses.huber,
    }
    return lambda y, outputs: tf.reduce_mean(named[kind](y, outputs))


def pinball(y: Any, outputs: Any, levels: Sequence[float]) -> Any:
    """The mean quantile loss max(q e, (q - 1) e), e = y - output (Koenker and Bassett 1978), over all K levels."""
    error = y - outputs
    q = tf.constant(levels, dtype=outputs.dtype)
    return tf.reduce_mean(tf.maximum(q * error, (q - 1) * error))
