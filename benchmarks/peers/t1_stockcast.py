"""T1 as `stockcast train --config tutorial-google` trains it; see `epochs.py`."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.job import MANY, SESSIONS, STEPS, WINDOWS, prices
from benchmarks.peers.turns import Turns
from stockcast.config.run import load_config
from stockcast.data.rows import Rows
from stockcast.data.windows import Windows
from stockcast.model.fit import fit_network
from stockcast.model.training_run import TrainingRun


def main() -> None:
    """Train until nobody asks for another epoch."""
    turns = Turns()
    scaled = prices()
    days = np.datetime64("2012-01-01") + np.arange(SESSIONS)
    price = scaled.astype(np.float64)
    ahead = np.append(scaled[1:], np.float32(np.nan))[:, None]
    last_target = np.append(days[1:], np.datetime64("NaT", "D"))
    flat, unit, starts = np.zeros(SESSIONS), np.ones((SESSIONS, 1)), np.array([0, SESSIONS])
    rows = Rows(
        scaled[:, None], ahead, flat, unit, price, days, last_target, starts, ("s",), np.zeros(1, dtype=np.int64), False
    )
    windows = Windows(rows, np.arange(STEPS - 1, STEPS - 1 + WINDOWS), STEPS)
    config = load_config("tutorial-google", [f"fit.epochs={MANY}"])
    fit_network(windows, None, TrainingRun(config, "tutorial-google", on_epoch=lambda _: turns.over()))


if __name__ == "__main__":
    main()
