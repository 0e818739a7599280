"""The optimisers, and how their step size falls."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from stockcast.config.sections import FitConfig


class Cosine(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # keras ships no types
    """A step size that falls from `rate` to 0 along half a cosine, over `steps` (Loshchilov and Hutter 2017, SGDR)."""

    def __init__(self, rate: float, steps: Any) -> None:
        self.rate, self.steps = rate, steps

    def __call__(self, step: Any) -> Any:
        """The step size of a step, counted from 0."""
        done = tf.minimum(tf.cast(step, tf.float32) / self.steps, 1.0)
        return self.rate * 0.5 * (1 + tf.cos(math.pi * done))


def build_optimizer(config: FitConfig, steps: Any) -> Any:
    """The optimiser of `fit.optimizer`, its step size falling as `fit.decay` says over so many `steps`."""
    rate: Any = Cosine(config.learning_rate, steps) if config.decay == "cosine" else config.learning_rate
    clip = {"global_clipnorm": config.clipnorm or None, "clipvalue": config.clipvalue or None}
    if config.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=config.momentum, **clip)
    kinds = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}
    return kinds[config.optimizer](rate, **clip)
