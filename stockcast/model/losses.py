"""What training minimises: the losses of the heads, and the penalties on large weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from stockcast.config import FitConfig
from stockcast.data.forecast import QUANTILES


def loss_of(kind: str) -> Callable[[Any, Any], Any]:
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


def penalty(weights: Sequence[Any], config: FitConfig) -> Any:
    """l1 times the sum of the kernels' absolute values, and l2 times that of their squares; 0 where neither is set."""
    total = 0.0
    for kernel in (weight for weight in weights if weight.name.endswith("kernel")):
        if config.l1:
            total += config.l1 * tf.reduce_sum(tf.abs(kernel))
        if config.l2:
            total += config.l2 * tf.reduce_sum(tf.square(kernel))
    return total
