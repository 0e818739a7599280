"""T1 in Darts; see `epochs.py`."""

from __future__ import annotations

from typing import Any

import torch
from darts import TimeSeries
from darts.models import BlockRNNModel
from pytorch_lightning import Callback

from benchmarks.peers.job import BATCH, DROPOUT, LAYERS, MANY, RATE, STEPS, UNITS, prices
from benchmarks.peers.quiet import QUIET
from benchmarks.peers.turns import Turns


class EpochEnds(Callback):  # type: ignore[misc]  # its library isn't there when types are checked
    """Take turns after each epoch."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns

    def on_train_epoch_end(self, *_: Any) -> None:
        self.turns.over()


def main() -> None:
    """Train until nobody asks for another epoch."""
    model = BlockRNNModel(
        input_chunk_length=STEPS,
        output_chunk_length=1,
        model="LSTM",
        hidden_dim=UNITS,
        n_rnn_layers=LAYERS,
        dropout=DROPOUT,
        batch_size=BATCH,
        n_epochs=MANY,
        loss_fn=torch.nn.MSELoss(),
        optimizer_kwargs={"lr": RATE},
        random_state=0,
        pl_trainer_kwargs=QUIET | {"callbacks": [EpochEnds(Turns())]},
    )
    model.fit(TimeSeries.from_values(prices()))


if __name__ == "__main__":
    main()
