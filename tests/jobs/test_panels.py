"""Panels as they come: series of all lengths and calendars, with holes, leaps and columns missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries

pytestmark = pytest.mark.tensorflow

TINY = [
    *("--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"),
    *("--set", "data.horizon=3", "--set", "fit.windows=500"),
]
ROWS = 320

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


def part(one: PriceSeries, keep: np.ndarray, name: str, factor: np.ndarray | float = 1.0) -> PriceSeries:
    """Some rows of a series, its prices times a factor."""
    columns = {key: values * (1 if key == "volume" else factor) for key, values in one.columns.items()}
    return PriceSeries(name, one.dates[keep], {key: values[keep] for key, values in columns.items()})


def still(one: PriceSeries, rows: slice) -> PriceSeries:
    """The same with a price that stands still, and no volume, for some rows."""
    columns = {key: values.copy() for key, values in one.columns.items()}
    for key, values in columns.items():
        values[rows] = 0.0 if key == "volume" else one.columns["close"][rows.start]
    return replace(one, columns=columns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, prices: Prices, write_csv: WriteCsv) -> Path:
    """A folder `us` of awkward series."""
    rows = np.arange(ROWS)
    base = {name: prices(rows=ROWS, seed=seed, name=name) for seed, name in enumerate("abcdefgh")}
    weekdays = (base["b"].dates.astype("int64") + 3) % 7  # Monday is 0
    series = [
        base["a"],
        part(base["b"], (weekdays != 4) | (rows == ROWS - 1), "no_fridays"),
        part(base["c"], rows >= ROWS - 40, "young"),
        still(replace(base["d"], name="still"), slice(150, 180)),
        part(base["e"], rows >= 0, "leaps", np.where(rows >= 200, 0.6, 1.0)),
        replace(base["f"], name="no_volume", columns={**dict(list(base["f"].columns.items())[:-1])}),
        part(base["g"], rows < ROWS - 90, "ended"),
    ]
    path = tmp_path_factory.mktemp("panels")
    (path / "us").mkdir()
    for one in series:
        write_csv(one, path / "us" / f"{one.name}.csv")
    return path


def test_every_series_that_still_trades_is_forecast(folder: Path, capsys: Capture) -> None:
    store = ["--store", str(folder / "models")]
    assert run(["train", "--csv", str(folder / "us"), *TINY, *store, "--quiet"]) == 0
    capsys.readouterr()
    assert run(["predict", "us", *store, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    forecasts = {one["series"]: one for one in answer["forecasts"] if one["step"] == 1}
    assert set(forecasts) == {"a", "no_fridays", "young", "still", "leaps", "no_volume"}
    for name, one in forecasts.items():
        low, high = one["quantiles"]["0.1"], one["quantiles"]["0.9"]
        assert low < one["forecast"] < high, name
        assert 0.002 < (high - low) / one["forecast"] < 0.2, name
    assert any("ended is left out" in warning for warning in answer["warnings"])


def test_two_series_of_one_name_are_a_question_not_a_guess(
    folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    (folder / "more").mkdir()
    write_csv(prices(rows=ROWS, seed=9, name="a"), folder / "more" / "a.csv")
    files = ["--csv", str(folder / "us" / "a.csv"), "--csv", str(folder / "more" / "a.csv")]
    assert run(["train", *files, *TINY, "--name", "twice", "--store", str(folder / "models"), "--json"]) == 65
    error = json.loads(capsys.readouterr().out)["error"]
    assert "two series are called 'a'" in error["message"]
    assert "rename" in error["fix"]
    assert not (folder / "models" / "twice").exists()
