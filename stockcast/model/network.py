"""The Keras stack: a cell's layers with dropout, then a head.

    inputs (B, L, F) -> [cell(units) -> Dropout] * layers -> head -> (B, H, K), or (B, L, H, K) at every position
          newest inputs (B, F), by a skip connection, ------^

The skip connection from the newest inputs, `model.highway`, is the autoregressive part of LSTNet (Lai, Chang, Yang and
Liu 2018, Modeling long- and short-term temporal patterns with deep neural networks): a linear model of the newest
inputs beside the recurrent one, which then learns only what that one misses.

K is 1 for the point head, one number a class for classes, and one a quantile else. But for classes, outputs are
targets as `data/rows.py` defines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stockcast.config.run import RunConfig
from stockcast.config.sections import FLAT_CELLS, ModelConfig
from stockcast.data.forecast import QUANTILES
from stockcast.data.windows import PAD
from stockcast.model.body import body, carried_body
from stockcast.model.cells.common import Seeds, begun, seeds_of


@dataclass(frozen=True)
class Shape:
    """What the data decide of a network: the lookback L, the number of inputs F, the horizon H and the classes C.

    `padded`: windows may have places without a session, which are masked.
    """

    lookback: int
    features: int
    horizon: int
    classes: int = 3
    padded: bool = False


def build_network(
    model: ModelConfig, shape: Shape, positions: int = 0, fused: bool = True, seed: int = 0
) -> keras.Model:
    """The network of `model`, which answers at so many of the newest `positions`; 0: at the last, without their axis.

    `fused` takes the faster training kernel of the cell. Weights have the same names, order and shapes in all four.
    `seed` is of everything random in it: its first weights and its dropout.
    """
    inputs = keras.Input((shape.lookback, shape.features), name="window")
    masked = shape.padded and model.cell not in FLAT_CELLS
    x = keras.layers.Masking(PAD, name="mask")(inputs) if masked else inputs
    seeds = seeds_of(seed)
    x = body(model, x, positions > 0, fused, seeds)
    return keras.Model(inputs, _topped(model, shape, inputs, x, positions, seeds), name="stockcast")


def build_carried(model: ModelConfig, shape: Shape, every_position: bool = False, seed: int = 0) -> keras.Model:
    """The same network for training with its state carried on, of windows of any length.

    Its inputs are the window and the recurrent layers' states, its outputs those of the network and the new states.
    Its weights are those of `build_network`, the stateless twin that serves.
    """
    inputs = keras.Input((None, shape.features), name="window")
    seeds = seeds_of(seed)
    x, begin, end = carried_body(model, inputs, every_position, seeds)
    outputs = _topped(model, shape, inputs, x, shape.lookback if every_position else 0, seeds)
    return keras.Model([inputs, *begin], [outputs, *end], name="stockcast")


def _topped(model: ModelConfig, shape: Shape, inputs: Any, x: Any, positions: int, seeds: Seeds) -> Any:
    """What the layers below say, with the newest inputs where there is a skip connection, through the head."""
    if model.highway:
        x = keras.layers.Concatenate(name="highway")([x, inputs if positions else inputs[:, -1]])
    if 0 < positions < shape.lookback:  # of a head's outputs there are many: none are made that nobody asks for
        x = _newest(positions, x)
    return _head(model.head, shape, seeds)(x)


def _newest(positions: int, x: Any) -> Any:
    """The last so many places of (B, L, N). The gradient of x[:, -positions:] would take a tenth of the training."""
    return keras.layers.Lambda(lambda x: tf.slice(x, (0, x.shape[1] - positions, 0), (-1, -1, -1)), name="newest")(x)


def build_served(config: RunConfig, features: int) -> keras.Model:
    """The network that serves: windows (B, L, F) of so many `features` to (B, H, K), of plain Keras layers."""
    recursive = config.model.multistep == "recursive"
    network = build_network(config.model, shape_of(config, features), fused=False)
    return fed_back(network, config.data.horizon) if recursive else network


def trace(network: keras.Model) -> Any:
    """A network as a TensorFlow function of windows, (B, L, F), that is traced once for batches of every size."""
    shape = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="window")
    return tf.function(lambda windows: network(windows, training=False), input_signature=[shape], autograph=False)


def shape_of(config: RunConfig, features: int) -> Shape:
    """What the settings decide; a network that is fed its own answers is trained for one step."""
    data, recursive = config.data, config.model.multistep == "recursive"
    return Shape(
        data.lookback, features, 1 if recursive else data.horizon, len(data.thresholds) + 1, data.padding != "none"
    )


def fed_back(network: keras.Model, horizon: int) -> keras.Model:
    """A network of one step, (B, L, 1) to (B, 1, 1), fed its own answers: to (B, H, 1). The weights are shared."""
    window = keras.Input(network.input_shape[1:], name="window")
    rolling, steps = window, []
    for _ in range(horizon):
        steps.append(network(rolling))
        rolling = keras.layers.Concatenate(axis=1)([rolling[:, 1:], steps[-1]])
    return keras.Model(window, keras.layers.Concatenate(axis=1)(steps) if horizon > 1 else steps[0], name="fed_back")


def _head(kind: str, shape: Shape, seeds: Seeds) -> keras.Layer:
    if kind == "point":
        return PointHead(shape.horizon, begun("glorot_uniform", seeds), name="head")
    if kind == "scale":
        return ScaleHead(shape.horizon, QUANTILES, name="head")
    if kind == "quantiles":
        return QuantileHead(shape.horizon, QUANTILES, name="head")
    return ClassHead(shape.horizon, shape.classes, begun("glorot_uniform", seeds), name="head")


@keras.saving.register_keras_serializable("stockcast")
class PointHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """One number a step: (..., units) to (..., H, 1)."""

    def __init__(self, horizon: int, start: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon = horizon
        self.dense = keras.layers.Dense(horizon, kernel_initializer=start, name="dense")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return self.dense(x)[..., None]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {**super().get_config(), "horizon": self.horizon}


@keras.saving.register_keras_serializable("stockcast")
class ClassHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Probabilities that sum to 1: (..., units) to (..., H, C). Softmax; for two classes the sigmoid of one number."""

    def __init__(self, horizon: int, classes: int, start: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon, self.classes = horizon, classes
        numbers = 1 if classes == 2 else classes
        self.dense = keras.layers.Dense(horizon * numbers, kernel_initializer=start, name="dense")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        numbers = self.dense(x)
        if self.classes == 2:
            up = keras.ops.sigmoid(numbers)[..., None]  # (..., H, 1)
            return keras.ops.concatenate([1 - up, up], axis=-1)
        shape = (*keras.ops.shape(numbers)[:-1], self.horizon, self.classes)
        return keras.ops.softmax(keras.ops.reshape(numbers, shape), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {**super().get_config(), "horizon": self.horizon, "classes": self.classes}


@keras.saving.register_keras_serializable("stockcast")
class QuantileHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Free quantiles that never cross: (..., units) to (..., H, K), begun at the normal distribution's."""

    def __init__(self, horizon: int, levels: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon, self.levels = horizon, tuple(levels)
        begin = np.tile([0.0, *_normal_gaps(self.levels)], horizon)
        self.dense = keras.layers.Dense(
            begin.size, kernel_initializer="zeros", bias_initializer=_Fixed(begin), name="dense"
        )

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        numbers = self.dense(x)
        shape = (*keras.ops.shape(numbers)[:-1], self.horizon, len(self.levels))
        numbers = keras.ops.reshape(numbers, shape)
        return numbers[..., :1] + around_zero(numbers[..., 1:])

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {**super().get_config(), "horizon": self.horizon, "levels": self.levels}


@keras.saving.register_keras_serializable("stockcast")
class ScaleHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """One learned scale a step, times constants that are learned once: (..., units) to (..., H, K).

    The network decides how wide the distribution is; its shape is the same on every day, and its middle is 0: the last
    price. That leaves no room for overfitting the place, which is where the overfitting of price forecasts happens. It
    begins at the standard normal quantiles.
    """

    def __init__(self, horizon: int, levels: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon, self.levels = horizon, tuple(levels)
        self.dense = keras.layers.Dense(horizon, kernel_initializer="zeros", name="dense")

    def build(self, input_shape: Sequence[int | None]) -> None:
        begin = np.tile(_normal_gaps(self.levels), (self.horizon, 1))
        self.gaps = self.add_weight(shape=begin.shape, initializer=_Fixed(begin), name="gaps")
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        scale = keras.ops.exp(self.dense(x))[..., None]  # (..., H, 1)
        return scale * around_zero(self.gaps)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {**super().get_config(), "horizon": self.horizon, "levels": self.levels}


def around_zero(gaps: Any) -> Any:
    """Numbers (..., K - 1) to K increasing ones that lie softplus(number) apart, the middle one at 0; K is odd."""
    gaps = keras.ops.softplus(gaps)
    middle = gaps.shape[-1] // 2
    above = keras.ops.cumsum(gaps[..., middle:], axis=-1)
    below = keras.ops.flip(keras.ops.cumsum(keras.ops.flip(gaps[..., :middle], axis=-1), axis=-1), axis=-1)
    return keras.ops.concatenate([-below, keras.ops.zeros_like(above[..., :1]), above], axis=-1)


def _normal_gaps(levels: Sequence[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The numbers from which `around_zero` makes the standard normal quantiles, (K - 1,)."""
    quantiles = [NormalDist().inv_cdf(level) for level in levels]
    return np.log(np.expm1(np.diff(quantiles)))  # the inverse of softplus


class _Fixed(keras.initializers.Initializer):  # type: ignore[misc]  # keras ships no types
    """Begin at given numbers, whatever the layer's own shape for them."""

    def __init__(self, values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        self.values = values

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return keras.ops.convert_to_tensor(self.values.reshape(shape), dtype=dtype)
