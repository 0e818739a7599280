"""The fault scripts in their short form; `make faults` runs the long one."""

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


needs_strace = pytest.mark.skipif(
    not can("strace", "-o", os.devnull, "-e", "inject=fsync:error=EIO", "true"),
    reason="strace is missing, or may not trace here",
)


@needs_strace
def test_a_kill_at_a_system_call_leaves_a_whole_champion() -> None:
    assert "prune, remove: 0 bad" in run("kill_at_every_call.py", "--every", "23")


@needs_strace
def test_a_failing_system_call_leaves_the_champion_untouched() -> None:
    assert "prune, remove: 0 bad" in run("fail_at_every_call.py", "--every", "17", "--error", "ENOSPC")


@needs_strace
def test_every_name_comes_after_its_content() -> None:
    assert ": 0 that" in run("flushed.py")


def test_random_kills_leave_the_old_or_the_new() -> None:
    assert "0 bad" in run("random_kills.py", "--kills", "20")


def test_readers_never_see_a_mixture() -> None:
    assert ": 0 readers failed" in run("many_readers.py", "--readers", "3", "--loads", "60", "--promotions", "10")


def test_one_of_a_crowd_is_inside() -> None:
    # How quick and small the others are is a figure for the long run.
    assert "6 at once: 1 inside, 5 turned away" in run("crowd.py", "--processes", "6", "--limit-ms", "1e5")


def test_a_dead_holder_holds_no_lock() -> None:
    assert "10 holders killed" in run("lock_freed.py", "--kills", "10", "--limit-ms", "1e5")


@pytest.mark.skipif(
    not can("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", str(ROOT / "tests")),
    reason="mounting a small disk needs more rights",
)
def test_a_full_disk_leaves_the_champion_untouched() -> None:
    assert "0 bad" in run("full_disk.py", "--every", "7", within=("unshare", "--mount"))


def test_every_kind_of_bad_model_is_refused() -> None:
    # How quickly is a figure for the long run.
    assert ": 0 got through" in run("malicious.py", "--limit-ms", "1e5", "--limit-mb", "300")


def test_flipped_bits_are_found() -> None:
    assert ": 0 not found" in run("bit_flips.py", "--every", "127")


def test_random_sequences_agree_with_a_model_in_memory() -> None:
    assert "agree" in run("sequences.py", "--sequences", "12", "--steps", "20")


def test_no_name_leaves_the_store() -> None:
    assert ": 0 escapes" in run("many_names.py", "--names", "500")


def test_one_unreadable_model_stops_no_other() -> None:
    assert ": 0 faults" in run("unreadable.py", "--every", "4")


def test_every_forged_model_is_refused() -> None:
    # How quickly, and in how little memory, are figures for the long run.
    some = ("an offset", "no number", "with a delimiter", "gigabytes", "unknown feature")
    assert "5 kinds of forged model: 0 got through" in run("forged.py", *some, "--limit-s", "1e5", "--limit-mb", "1e5")


def test_no_change_goes_through_a_link() -> None:
    assert ": 0 went through a link" in run("links.py")


def test_no_slip_with_an_output_loses_anything() -> None:
    assert ": 0 lost or torn" in run("outputs.py", "--kills", "20")


def test_a_wrong_row_is_refused_and_a_genuine_leap_is_taken_once() -> None:
    assert ": 0 wrong answers" in run("wrong_rows.py", "--slips", "5", "--leaps", "1")
