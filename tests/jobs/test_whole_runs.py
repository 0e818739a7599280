"""The faults of whole runs in their short form; `make faults` runs the long one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]


def run(script: str, *options: str) -> str:
    command = [sys.executable, str(ROOT / "tests" / "faults" / script), *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_killed_retraining_leaves_the_old_forecast_or_the_new() -> None:
    assert "bit for bit, 0 bad" in run("retrain_kills.py", "--kills", "2")


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who holds a lock")
def test_one_of_a_crowd_retrains() -> None:
    # How quick the others are is a figure for the long run.
    assert "5 retrainings at once: 1 inside" in run("retrain_crowd.py", "--processes", "5", "--limit-s", "1e5")


def test_a_replayed_record_scores_as_a_backtest_does() -> None:
    assert ", 0 apart by more than" in run("replay.py", "--sessions", "45")


def test_no_poisoned_training_is_promoted() -> None:
    assert ": 0 bad or promoted" in run("poison.py", "--each", "1", "--real", "2")


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_a_jump_of_the_clock_is_survived() -> None:
    assert ": 0 bad" in run("clocks.py", "--moments", "1")


def test_a_fleet_survives_a_killed_worker_and_names_what_is_broken() -> None:
    assert ": 0 bad" in run("fleet.py", "--models", "3", "--only", "30 broken", "a worker killed")
