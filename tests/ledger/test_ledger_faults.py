"""The ledger's fault scripts in their short form; `make faults` runs the long one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.trial

ROOT = Path(__file__).parents[2]


def run(script: str, *options: str, within: tuple[str, ...] = ()) -> str:
    command = [*within, sys.executable, str(ROOT / "tests" / "faults" / script), *options]
    quick = {"TMPDIR": "/dev/shm"} if Path("/dev/shm").is_dir() else {}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **quick}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def can(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(
    not can("strace", "-o", os.devnull, "-e", "inject=fsync:error=EIO", "true"),
    reason="strace is missing, or may not trace here",
)
def test_a_kill_at_a_system_call_leaves_the_whole_issue_or_none() -> None:
    assert ": 0 bad" in run("ledger_kills.py", "--every", "13")


def test_of_many_who_record_and_score_nobody_loses_anything() -> None:
    # How long they wait is a figure for the long run.
    said = run("ledger_crowd.py", "--recorders", "4", "--scorers", "2", "--times", "12", "--limit-s", "1e5")
    assert "0 failed, 0 issues lost, 0 faults" in said


@pytest.mark.skipif(
    not can("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", str(ROOT / "tests")),
    reason="mounting a small disk needs more rights",
)
def test_a_full_disk_keeps_the_ledger_and_prints_the_forecast() -> None:
    assert "0 bad" in run("ledger_full_disk.py", "--every", "12", within=("unshare", "--mount"))
