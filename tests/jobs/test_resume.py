"""`train --resume`: after a kill it ends as if nothing had happened, and it refuses what is not its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries

pytestmark = pytest.mark.tensorflow

SETTINGS = [
    *("--set", "model.units=[3]", "--set", "fit.epochs=4", "--set", "data.lookback=10", "--set", "fit.warmup=2"),
    *("--set", "data.horizon=2", "--set", "model.dropout=0.3", "--set", "fit.refit=true"),
]


@pytest.fixture
def command(
    tmp_path: Path, prices: Callable[..., PriceSeries], write_csv: Callable[[PriceSeries, Path], Path]
) -> list[str]:
    return ["train", "--csv", str(write_csv(prices(rows=220), tmp_path / "acme.csv")), *SETTINGS]


def file_of(store: Path, name: str) -> bytes:
    (path,) = store.glob(f"acme/versions/*/{name}")
    return path.read_bytes()


def kill_in_epoch(number: int, command: list[str]) -> None:
    """Run a training in a process of its own and kill it when it has told of so many epochs, counted over all parts."""
    with subprocess.Popen(
        [sys.executable, "-m", "stockcast", *command, "-vv"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        told = 0
        for line in process.stderr:
            told += line.startswith("epoch ")
            if told == number:
                process.kill()
                break
    assert process.returncode == -9


def test_a_killed_training_is_taken_up_and_ends_bit_equal(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run([*command, "--store", str(whole), "--quiet"]) == 0
    kill_in_epoch(3, [*command, "--store", str(broken)])
    assert (broken / "acme" / "progress.npz").is_file()
    kill_in_epoch(3, [*command, "--store", str(broken), "--resume"])  # in the training anew after calibration
    assert not list(broken.glob("acme/versions/*"))

    other = [*command, "--set", "fit.seed=5", "--store", str(broken), "--resume", "--quiet"]
    assert run(other) == 2
    assert "other settings or other prices" in capsys.readouterr().err

    assert run([*command, "--store", str(broken), "--resume", "-vv"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("epoch ")]
    assert 0 < len(told) < 5
    for name in ("weights.npz", "scaler.json", "history.csv", "backtest.csv"):
        assert file_of(broken, name) == file_of(whole, name)
    assert not (broken / "acme" / "progress.npz").exists()


def test_with_nothing_to_take_up_it_begins_anew_and_says_so(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--store", str(tmp_path / "models"), "--resume"]) == 0
    assert "no unfinished training of acme" in capsys.readouterr().err
    damaged = tmp_path / "models" / "acme" / "progress.npz"
    damaged.write_bytes(b"PK, but no archive")
    assert run([*command, "--store", str(tmp_path / "models"), "--resume"]) == 65
    assert "progress.npz" in capsys.readouterr().err
