"""Darts' BlockRNNModel with its own sizes and a quantile loss on the returns of a panel of stocks; see `quality.py`.

python -m benchmarks.peers.quality_darts PANEL ROWS.csv
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from darts import TimeSeries
from darts.models import BlockRNNModel
from darts.utils.likelihood_models import QuantileRegression

from benchmarks.peers.job import LEVELS, PANEL_BATCH, PANEL_STEPS, SINCE, STEPS
from benchmarks.peers.panel import closes, returns, write_rows
from benchmarks.peers.quiet import QUIET


def main() -> None:
    """Train once, forecast every day, write."""
    prices = closes(Path(sys.argv[1]))
    moves = returns(prices)
    days = int((moves.index > SINCE).sum())
    series = [TimeSeries.from_values(moves[name].to_numpy(np.float32)) for name in moves.columns]
    model = BlockRNNModel(
        input_chunk_length=STEPS,
        output_chunk_length=1,
        model="LSTM",
        batch_size=PANEL_BATCH,
        likelihood=QuantileRegression(list(LEVELS)),
        random_state=0,
        pl_trainer_kwargs=QUIET | {"max_steps": PANEL_STEPS},
    )
    model.fit([one[:-days] for one in series])
    made = model.historical_forecasts(
        series, start=-days, start_format="position", retrain=False, predict_likelihood_parameters=True
    )
    quantiles = np.stack([one.values() for one in made], axis=1)  # (days, stocks, levels)
    write_rows(Path(sys.argv[2]), "Darts BlockRNNModel", prices, np.sort(quantiles, axis=-1))


if __name__ == "__main__":
    main()
