"""T1 in stock Keras, as the tutorial's script trains it; see `epochs.py`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from benchmarks.peers.job import BATCH, DROPOUT, LAYERS, MANY, RATE, STEPS, UNITS, prices
from benchmarks.peers.turns import Turns


def main() -> None:
    """Train until nobody asks for another epoch."""
    turns = Turns()
    scaled = prices()
    x = np.lib.stride_tricks.sliding_window_view(scaled[:-1], STEPS)[..., None]  # (windows, 60, 1)
    model = keras.Sequential([keras.Input((STEPS, 1))])
    for layer in range(LAYERS):
        model.add(keras.layers.LSTM(UNITS, return_sequences=layer < LAYERS - 1))
        model.add(keras.layers.Dropout(DROPOUT))
    model.add(keras.layers.Dense(1))
    model.compile(keras.optimizers.Adam(RATE), "mse")
    each = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: turns.over())
    rest: dict[str, Any] = {"epochs": MANY, "batch_size": BATCH, "verbose": 0, "callbacks": [each]}
    model.fit(x, scaled[STEPS:], **rest)


if __name__ == "__main__":
    main()
