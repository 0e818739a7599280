"""What the cells share: how kernels begin, by which seeds, and a cell of one step as a layer over sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import keras

INITIALIZERS = {"glorot": "glorot_uniform", "he": "he_normal", "orthogonal": "orthogonal", "zeros": "zeros"}

Seeds = Iterator[int]


def seeds_of(seed: int) -> Seeds:
    """One seed after the other for all that is random in a network, as Keras would draw them, but from here alone.

    Left to itself, Keras takes them from Python's global generator, which is its user's.
    """
    generator = Random(seed)
    while True:
        yield generator.randint(1, 10**9)


def begun(initializer: str, seeds: Seeds) -> Any:
    """An initializer that begins with the next seed, if it is random at all."""
    if initializer == "zeros":
        return initializer
    return keras.initializers.get({"class_name": initializer, "config": {"seed": next(seeds)}})


def dropout(rate: float, name: str, seeds: Seeds) -> keras.Layer:
    """A layer of dropout, which draws by the next seed if it draws at all."""
    return keras.layers.Dropout(rate, seed=next(seeds) if rate else None, name=name)


def seeded(layer: Callable[..., keras.Layer], own_first: bool = False) -> Callable[..., keras.Layer]:
    """A recurrent layer or cell whose kernels begin, and whose dropout draws, by the next `seeds`.

    `own_first`: Keras' simple unit takes the seed of its dropout before those of its kernels.
    """

    def make(units: int, kernel: str, recurrent: str, seeds: Seeds, **options: Any) -> keras.Layer:
        own = [next(seeds)] if own_first else []
        start = {"kernel_initializer": begun(kernel, seeds), "recurrent_initializer": begun(recurrent, seeds)}
        return layer(units, seed=(own or [next(seeds)])[0], **start, **options)

    return make


def looped(cell: Callable[..., keras.Layer], loop: Any = keras.layers.RNN) -> Callable[..., keras.Layer]:
    """A cell of one step as a layer over sequences, which `loop` runs."""
    return lambda units, kernel, recurrent, seeds, **options: loop(
        cell(units, kernel, recurrent, seeds, name="cell"), **options
    )
