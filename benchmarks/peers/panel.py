"""The panel of stocks as the peers get it, and their forecasts as `stockcast backtest -o` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.peers.job import LEVELS

PERCENT = 100


def closes(folder: Path) -> pd.DataFrame:
    """The closing prices, a column a stock as stockcast calls it, on the dates that they all have."""
    files = sorted(folder.glob("*.csv"))
    each = [
        pd.read_csv(file, index_col="Date", usecols=["Date", "Close"])["Close"].rename(file.stem.lower())
        for file in files
    ]
    return pd.concat(each, axis=1, join="inner").sort_index()


def returns(prices: pd.DataFrame) -> pd.DataFrame:
    """Log returns in percent; the first date has none."""
    logs = pd.DataFrame(PERCENT * np.log(prices.to_numpy()), prices.index, prices.columns)
    return logs.diff().iloc[1:]


def write_rows(path: Path, model: str, prices: pd.DataFrame, quantiles: NDArray[Any]) -> None:
    """Quantiles (days, stocks, levels) of the next log return in percent, each from one of the last cutoffs."""
    days = len(quantiles)
    last, actual = prices.iloc[-days - 1 : -1], prices.iloc[-days:]
    forecast = last.to_numpy()[..., None] * np.exp(quantiles / PERCENT)  # (days, stocks, levels)
    tables = []
    for number, name in enumerate(prices.columns):
        known = {"model": model, "series": name, "cutoff": last.index, "date": actual.index, "step": 1}
        known |= {"last": last[name].to_numpy(), "actual": actual[name].to_numpy()}
        mine = forecast[:, number]
        known |= {"forecast": mine[:, len(LEVELS) // 2]}
        tables.append(pd.DataFrame(known | {f"q{level:g}": mine[:, at] for at, level in enumerate(LEVELS)}))
    pd.concat(tables).to_csv(path, index=False)
