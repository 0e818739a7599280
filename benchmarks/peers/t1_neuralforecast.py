"""T1 in NeuralForecast, whose steps are counted into epochs of as many batches; see `epochs.py`."""

from __future__ import annotations

from typing import Any

import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM
from pytorch_lightning import Callback

from benchmarks.peers.job import BATCH, BATCHES, DROPOUT, LAYERS, MANY, RATE, SESSIONS, STEPS, UNITS, prices
from benchmarks.peers.quiet import QUIET
from benchmarks.peers.turns import Turns


class EpochEnds(Callback):  # type: ignore[misc]  # its library isn't there when types are checked
    """Take turns after as many batches as an epoch of the others has."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.batches = 0

    def on_train_batch_end(self, *_: Any) -> None:
        self.batches += 1
        if self.batches % BATCHES == 0:
            self.turns.over()


def main() -> None:
    """Train until nobody asks for another epoch."""
    model = LSTM(
        h=1,
        input_size=STEPS,
        encoder_n_layers=LAYERS,
        encoder_hidden_size=UNITS,
        encoder_dropout=DROPOUT,
        loss=MSE(),
        max_steps=MANY * BATCHES,
        learning_rate=RATE,
        batch_size=1,
        windows_batch_size=BATCH,
        random_seed=0,
        callbacks=[EpochEnds(Turns())],
        **QUIET,
    )
    days = pd.date_range("2012-01-01", periods=SESSIONS)
    NeuralForecast([model], freq="D").fit(pd.DataFrame({"unique_id": "walk", "ds": days, "y": prices()}))


if __name__ == "__main__":
    main()
