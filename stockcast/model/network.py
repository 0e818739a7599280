"""The Keras stack: recurrent layers with dropout, then a head.

    inputs (B, L, F) -> [cell(units) -> Dropout] * layers -> head -> (B, H, K), or (B, L, H, K) at every position

K is 1 for the point head and one number a quantile else. Outputs are targets as `data/windows.py` defines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import keras
import numpy as np

from stockcast.config import ModelConfig
from stockcast.data.forecast import QUANTILES
from stockcast.model.kernels import FusedLSTM


@dataclass(frozen=True)
class Shape:
    """What the data decide of a network: the lookback L, the number of inputs F and the horizon H."""

    lookback: int
    features: int
    horizon: int


def build_network(model: ModelConfig, shape: Shape, every_position: bool = False, fused: bool = True) -> keras.Model:
    """The network of `model`; `every_position` keeps the outputs at all L positions instead of the last alone.

    `fused` takes the faster training kernel of the cell. Weights have the same names, order and shapes in all four.
    """
    cell = FusedLSTM if fused else keras.layers.LSTM
    inputs = keras.Input((shape.lookback, shape.features), name="window")
    x = inputs
    for layer, units in enumerate(model.units):
        last = layer == len(model.units) - 1
        x = cell(units, return_sequences=every_position or not last, name=f"lstm_{layer}")(x)
        x = keras.layers.Dropout(model.dropout, name=f"dropout_{layer}")(x)
    return keras.Model(inputs, _head(model.head, shape.horizon)(x), name="stockcast")


def _head(kind: str, horizon: int) -> keras.Layer:
    if kind == "point":
        return PointHead(horizon, name="head")
    if kind == "scale":
        return ScaleHead(horizon, QUANTILES, name="head")
    return QuantileHead(horizon, QUANTILES, name="head")


class PointHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """One number a step: (..., units) to (..., H, 1)."""

    def __init__(self, horizon: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon = horizon
        self.dense = keras.layers.Dense(horizon, name="dense")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        return self.dense(x)[..., None]


class QuantileHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Free quantiles that never cross: (..., units) to (..., H, K), begun at the normal distribution's."""

    def __init__(self, horizon: int, levels: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon, self.levels = horizon, tuple(levels)
        begin = np.tile(_normal_steps(self.levels), horizon)
        self.dense = keras.layers.Dense(begin.size, bias_initializer=_Fixed(begin), name="dense")

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        steps = self.dense(x)
        shape = (*keras.ops.shape(steps)[:-1], self.horizon, len(self.levels))
        return _rising(keras.ops.reshape(steps, shape), self.levels)


class ScaleHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """One learned scale a step, times constants that are learned once: (..., units) to (..., H, K).

    The network decides how wide the distribution is; its shape and its place are the same on every day. That leaves
    next to no room for overfitting the place, which is where the overfitting of price forecasts happens.
    """

    def __init__(self, horizon: int, levels: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.horizon, self.levels = horizon, tuple(levels)
        self.dense = keras.layers.Dense(horizon, name="dense")

    def build(self, input_shape: Sequence[int | None]) -> None:
        begin = np.tile(_normal_steps(self.levels), (self.horizon, 1))
        self.steps = self.add_weight(shape=begin.shape, initializer=_Fixed(begin), name="steps")
        self.dense.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        scale = keras.ops.exp(self.dense(x))[..., None]  # (..., H, 1)
        return scale * _rising(self.steps, self.levels)


def _rising(steps: Any, levels: Sequence[float]) -> Any:
    """Numbers (..., K) to increasing ones: the middle one is free, the others lie softplus(step) apart."""
    middle = len(levels) // 2
    below = keras.ops.softplus(steps[..., :middle])
    above = keras.ops.softplus(steps[..., middle + 1 :])
    centre = steps[..., middle : middle + 1]
    down = keras.ops.flip(keras.ops.cumsum(keras.ops.flip(below, axis=-1), axis=-1), axis=-1)
    return keras.ops.concatenate([centre - down, centre, centre + keras.ops.cumsum(above, axis=-1)], axis=-1)


def _normal_steps(levels: Sequence[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The steps from which `_rising` makes the standard normal quantiles, (K,)."""
    quantiles = np.array([NormalDist().inv_cdf(level) for level in levels])
    middle = len(levels) // 2
    gaps = np.log(np.expm1(np.diff(quantiles)))  # the inverse of softplus
    return np.concatenate([gaps[:middle], quantiles[middle : middle + 1], gaps[middle:]])


class _Fixed(keras.initializers.Initializer):  # type: ignore[misc]  # keras ships no types
    """Begin at given numbers, whatever the layer's own shape for them."""

    def __init__(self, values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        self.values = values

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return keras.ops.convert_to_tensor(self.values.reshape(shape), dtype=dtype)
