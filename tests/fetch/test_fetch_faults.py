"""The fault scripts of fetching in their short form; `make faults` runs the long one."""

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
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
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
def test_a_kill_loses_nothing_and_asks_for_nothing_twice() -> None:
    said = run("fetch.py", "--every", "7", "--symbols", "40", "--kills", "3")
    assert said.count(": 0 bad") == 2


@pytest.mark.skipif(
    not can("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", str(ROOT / "tests")),
    reason="mounting a small disk needs more rights",
)
def test_a_full_disk_leaves_the_old_pair_whole() -> None:
    assert "0 bad" in run("fetch_full_disk.py", "--every", "4", within=("unshare", "--mount"))
