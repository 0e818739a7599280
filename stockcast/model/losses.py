"""What training minimises: the losses of the heads, and the penalties on large weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stockcast.data.forecast import INNER, QUANTILES

_WIDTH = np.zeros(len(QUANTILES))
_WIDTH[list(INNER)] = -1, 1
"""Quantiles times this are the width of a band: a product has a quicker gradient than parts cut out."""


def loss_of(kind: str, thresholds: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Mean loss of targets (..., 1) and outputs (..., K); `thresholds` part the targets into classes."""
    if kind == "pinball":
        return lambda y, outputs: pinball_loss(y, outputs, QUANTILES)
    if kind == "crossentropy":
        return lambda y, outputs: crossentropy(y, outputs, thresholds)
    named = {
        "mse": keras.losses.mean_squared_error,
        "mae": keras.losses.mean_absolute_error,
        "huber": keras.losses.huber,
    }
    return lambda y, outputs: tf.reduce_mean(named[kind](y, outputs))


def pinball_loss(y: Any, outputs: Any, levels: Sequence[float]) -> Any:
    """The mean quantile loss max(q e, (q - 1) e), e = y - output (Koenker and Bassett 1978), over all K levels."""
    return _pinball(y, outputs, tf.constant(levels, dtype=outputs.dtype))


@tf.custom_gradient  # type: ignore[untyped-decorator]  # tensorflow ships no types
def _pinball(y: Any, outputs: Any, q: Any) -> Any:
    """The loss of levels `q` (K,), and its gradient, which TensorFlow by itself takes three times as long to find."""
    error = y - outputs
    slope = q - tf.cast(error < 0, error.dtype)

    def gradient(above: Any) -> tuple[None, Any, None]:
        return None, slope * (-above / tf.cast(tf.size(slope), slope.dtype)), None

    return tf.reduce_mean(slope * error), gradient


def crossentropy(y: Any, probabilities: Any, thresholds: Sequence[float]) -> Any:
    """The mean of -log of the probability of the class that y lies in, (..., C); for two classes the binary one."""
    label = tf.reduce_sum(tf.cast(y > tf.constant(thresholds, dtype=y.dtype), tf.int32), axis=-1)
    return tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(label, probabilities))


def volatility_loss(realized: Any, quantiles: Any) -> Any:
    """How far the width of the bands is from the volatility that came: the mean squared error of its logarithm.

    `realized` (B, P, H) are log volatilities, `quantiles` (B, P, H, K). How wide a band is for a volatility of 1 is
    left to the other loss: each step's mean error in the batch is forgiven. A range is a better measure of volatility
    than a return, which is all that the pinball loss sees: far less of it is chance (Patton 2011, Volatility forecast
    comparison using imperfect volatility proxies).
    """
    error = tf.math.log(tf.tensordot(quantiles, tf.constant(_WIDTH, quantiles.dtype), 1)) - realized
    return tf.reduce_mean(tf.square(error - tf.reduce_mean(error, axis=(0, 1))))


def penalty(weights: Sequence[Any], l1: float, l2: Any) -> Any:
    """l1 times the sum of the kernels' absolute values, and the variable l2, if there is one, times that of squares."""
    kernels = [weight for weight in weights if weight.name.endswith("kernel")]
    total = 0.0
    if l1:
        total += l1 * sum(tf.reduce_sum(tf.abs(kernel)) for kernel in kernels)
    if l2 is not None:
        total += l2 * sum(tf.reduce_sum(tf.square(kernel)) for kernel in kernels)
    return total
