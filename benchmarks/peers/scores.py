"""Forecasts of several models on the same stocks and days, scored alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.outcome import BANDS, coverage, loss
from stockcast.data.forecast import EvaluatedForecast
from stockcast.evaluate.rows import read_rows
from stockcast.evaluate.scores import rmse


@dataclass(frozen=True)
class Score:
    """The mean over stocks of pinball loss / the reference's; on how many it is better; bands; the middle's error."""

    pinball: float
    better: float
    held80: float
    held95: float
    rmse: float


def read(path: Path) -> tuple[EvaluatedForecast, ...]:
    """The models of a file of `stockcast backtest -o`, one step ahead."""
    with path.open(encoding="utf-8") as file:
        return read_rows("".join(line for line in file if line.split(",", 5)[4] in ("step", "1")))


def score(mine: EvaluatedForecast, reference: EvaluatedForecast) -> Score:
    """One step ahead, in log returns. Raises `RuntimeError` if the two were not judged on the same prices."""
    same = mine.names == reference.names and np.array_equal(mine.origin, reference.origin)
    if not (same and np.allclose(mine.actual[:, 0], reference.actual[:, 0], rtol=1e-9)):
        raise RuntimeError(f"{mine.model} and {reference.model} were judged on other days, stocks or prices")
    ratio = loss(mine)[:, 0] / loss(reference)[:, 0]  # (stocks,)
    held = dict(zip(BANDS, coverage(mine)[:, 0].mean(axis=0).tolist(), strict=True))
    last = mine.forecast.last
    move, forecast = np.log(mine.actual[:, 0] / last), np.log(mine.forecast.point[:, 0] / last)
    error = rmse(move, forecast) / rmse(move, np.zeros_like(move))
    return Score(float(ratio.mean()), float((ratio < 1).mean()), held[80], held[95], error)
