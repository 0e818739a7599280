"""A halted stock through the whole program: everything ends with 0, and nothing is said that can't be known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries

pytestmark = pytest.mark.tensorflow

TINY = ["--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"]


@pytest.mark.parametrize("preset", ["daily", "tutorial-google"])
def test_a_halted_stock_is_trained_on_retrained_and_backtested(
    preset: str,
    tmp_path: Path,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    series = prices(rows=230)
    halted = {key: np.where(np.arange(230) < 120, values, values[119]) for key, values in series.columns.items()}
    csv = str(write_csv(replace(series, columns=halted), tmp_path / "halt.csv"))
    settings = [*TINY, "--config", preset] if preset == "daily" else ["--config", preset, "--set", "fit.epochs=1"]
    store = ["--store", str(tmp_path / "models")]
    assert run(["train", "--csv", csv, *settings, *store]) == 0
    assert "The prices did not move" in capsys.readouterr().out
    assert run(["retrain", "halt", "--force", *store]) == 0
    start = ["--from", str(series.dates[180])]
    assert run(["backtest", "--csv", csv, *settings, *start, *store]) == 0
    assert "The prices did not move" in capsys.readouterr().out
