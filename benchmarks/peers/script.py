"""What people run who follow the well-known tutorial, in stock Keras and scikit-learn, written afresh.

Opening prices scaled to (0, 1), 60 of them to the next, four LSTM layers of 50 units with Dropout 0.2, Adam, mean
squared error, 100 epochs in batches of 32; then the 20 days of the test file, each from the true prices before it.

    python -m benchmarks.peers.script FOLDER [EPOCHS]

FOLDER holds the tutorial's two files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.preprocessing import MinMaxScaler

STEPS = 60


def main() -> None:
    """Train, forecast the test days, print both errors."""
    folder, epochs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100
    train, test = (pd.read_csv(folder / f"Google_Stock_Price_{part}.csv")[["Open"]] for part in ("Train", "Test"))
    keras.utils.set_random_seed(0)
    scaler = MinMaxScaler()
    known = scaler.fit_transform(train.to_numpy())  # (1258, 1)
    x = np.array([known[day - STEPS : day] for day in range(STEPS, len(known))])  # (1198, 60, 1)
    y = known[STEPS:]
    model = keras.Sequential([keras.Input((STEPS, 1))])
    for layer in range(4):
        model.add(keras.layers.LSTM(50, return_sequences=layer < 3))
        model.add(keras.layers.Dropout(0.2))
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    model.fit(x, y, epochs=epochs, batch_size=32, verbose=0)

    prices = np.concatenate([train, test])[-len(test) - STEPS :]
    scaled = scaler.transform(prices)
    windows = np.array([scaled[day - STEPS : day] for day in range(STEPS, len(scaled))])  # (20, 60, 1)
    forecast = scaler.inverse_transform(model.predict(windows, verbose=0))
    real, last = test.to_numpy(), prices[STEPS - 1 : -1]
    error, naive = (float(np.sqrt(np.mean((one - real) ** 2))) for one in (forecast, last))
    print(f"RMSE {error:.4f}, the last price's {naive:.4f}, ratio {error / naive:.3f}")


if __name__ == "__main__":
    main()
