"""The faults of whole runs in their short form; `make faults` runs the long one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

Script = Callable[..., str]


@pytest.fixture
def whole_run(fault_script: Script) -> Script:
    """A script whose files are on a disk, as a user's are."""
    return partial(fault_script, quick=False)


def test_a_killed_retraining_leaves_the_old_forecast_or_the_new(whole_run: Script) -> None:
    assert "bit for bit, 0 bad" in whole_run("retrain_kills.py", "--kills", "2")


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux tells who holds a lock")
def test_one_of_a_crowd_retrains(whole_run: Script) -> None:
    # How quick the others are is a figure for the long run.
    assert "5 retrainings at once: 1 inside" in whole_run("retrain_crowd.py", "--processes", "5", "--limit-s", "1e5")


def test_a_replayed_record_scores_as_a_backtest_does(whole_run: Script) -> None:
    assert ", 0 apart by more than" in whole_run("replay.py", "--sessions", "45")


def test_no_poisoned_training_is_promoted(whole_run: Script) -> None:
    assert ": 0 bad or promoted" in whole_run("poison.py", "--each", "1", "--real", "2")


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
def test_a_jump_of_the_clock_is_survived(whole_run: Script) -> None:
    assert ": 0 bad" in whole_run("clocks.py", "--moments", "1")


def test_a_fleet_survives_a_killed_worker_and_names_what_is_broken(whole_run: Script) -> None:
    assert ": 0 bad" in whole_run("fleet.py", "--models", "3", "--only", "30 broken", "a worker killed", "silent")


@pytest.mark.usefixtures("own_networks")
def test_a_fleet_names_what_a_pulled_cable_broke_off(whole_run: Script) -> None:
    assert ": 0 bad" in whole_run("fleet.py", "--models", "3", "--only", "cable")
