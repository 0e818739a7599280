"""What all peers are given alike.

T1 is the tutorial's job, here on made-up prices: 1,198 windows of 60, four LSTM layers of 50 units, Dropout 0.2,
batches of 32, Adam. The other is a panel of stocks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SESSIONS, STEPS, LAYERS, UNITS, DROPOUT, BATCH, RATE = 1258, 60, 4, 50, 0.2, 32, 0.001
WINDOWS = SESSIONS - STEPS
BATCHES = -(-WINDOWS // BATCH)
MANY = 1000
"""More epochs than anybody asks for: the driver ends the training."""

SINCE = "2023-01-03"
"""The panel's first cutoff: later prices are for judging alone."""

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
PANEL_STEPS, PANEL_BATCH = 1000, 128
"""Training steps on the panel, and windows of `STEPS` sessions in a batch."""


def prices() -> NDArray[np.float32]:
    """A random walk scaled to (0, 1), (SESSIONS,)."""
    walk = np.cumsum(np.random.default_rng(1).standard_normal(SESSIONS))
    scaled: NDArray[np.float32] = ((walk - walk.min()) / (walk.max() - walk.min())).astype(np.float32)
    return scaled
