"""Made-up prices in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_LINE = "{},{:.2f},{:.2f},{:.2f},{:.2f},{:.0f}\n"


def write_panel(folder: Path, series: int, rows: int) -> Path:
    """`series` made-up CSV files of `rows` sessions each, called s000.csv and so on; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(series):
        (folder / f"s{number:03}.csv").write_text(_made_up(rows, number))
    return folder


def _made_up(rows: int, seed: int) -> str:
    """A random walk of cents on weekdays from 2010 on, calm and stormy by turns."""
    draw = np.random.default_rng(seed)
    storm = np.convolve(draw.standard_normal(rows + 39), np.ones(40) / 40, mode="valid")
    sigma = 0.012 * np.exp(2 * storm)
    close = 80 * np.exp(np.cumsum(sigma * draw.standard_normal(rows)))
    opening = np.append(80, close[:-1]) * np.exp(0.3 * sigma * draw.standard_normal(rows))
    high = np.maximum(opening, close) * np.exp(0.5 * sigma * np.abs(draw.standard_normal(rows)))
    low = np.minimum(opening, close) * np.exp(-0.5 * sigma * np.abs(draw.standard_normal(rows)))
    volume = 1e6 * np.exp(storm + 0.3 * draw.standard_normal(rows))
    dates = np.busday_offset("2010-01-04", np.arange(rows), roll="forward").astype(str).tolist()
    prices = np.maximum(np.round([opening, high, low, close], 2), 0.01)
    lines = zip(dates, *prices.tolist(), volume.tolist(), strict=True)
    return "Date,Open,High,Low,Close,Volume\n" + "".join(_LINE.format(*line) for line in lines)
