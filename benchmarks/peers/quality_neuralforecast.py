"""NeuralForecast's LSTM with its own sizes and a quantile loss on the returns of a panel of stocks; see `quality.py`.

python -m benchmarks.peers.quality_neuralforecast PANEL ROWS.csv
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MQLoss
from neuralforecast.models import LSTM

from benchmarks.peers.job import LEVELS, PANEL_BATCH, PANEL_STEPS, SINCE, STEPS
from benchmarks.peers.panel import closes, returns, write_rows
from benchmarks.peers.quiet import QUIET


def main() -> None:
    """Train once, forecast every day, write."""
    prices = closes(Path(sys.argv[1]))
    moves = returns(prices)
    days = int((moves.index > SINCE).sum())
    table = moves.reset_index(drop=True).rename_axis("ds").reset_index()
    long = table.melt(id_vars="ds", var_name="unique_id", value_name="y")
    loss = MQLoss(quantiles=list(LEVELS))
    sizes = {"max_steps": PANEL_STEPS, "input_size": STEPS, "windows_batch_size": PANEL_BATCH, "random_seed": 0}
    forecaster = NeuralForecast([LSTM(h=1, loss=loss, **sizes, **QUIET)], freq=1)
    made = forecaster.cross_validation(long, n_windows=None, test_size=days, step_size=1)
    columns = [name for name in made.columns if name.startswith("LSTM")]  # in the order of the levels
    each = [made[made["unique_id"] == name].sort_values("ds")[columns].to_numpy() for name in prices.columns]
    write_rows(Path(sys.argv[2]), "NeuralForecast LSTM", prices, np.sort(np.stack(each, axis=1), axis=-1))


if __name__ == "__main__":
    main()
