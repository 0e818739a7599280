"""What the cells share: how kernels begin, and a cell of one step as a layer over sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

INITIALIZERS = {"glorot": "glorot_uniform", "he": "he_normal", "orthogonal": "orthogonal", "zeros": "zeros"}


def looped(cell: Callable[..., keras.Layer], loop: Any = keras.layers.RNN) -> Callable[..., keras.Layer]:
    """A cell of one step as a layer over sequences, which `loop` runs."""

    def layer(units: int, kernel_initializer: str, recurrent_initializer: str, **options: Any) -> keras.Layer:
        start = {"kernel_initializer": kernel_initializer, "recurrent_initializer": recurrent_initializer}
        return loop(cell(units, name="cell", **start), **options)

    return layer
