"""The fault scripts in their short form; `make faults` runs the long one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.trial

Script = Callable[..., str]


@pytest.mark.usefixtures("strace")
def test_a_kill_at_a_system_call_leaves_a_whole_champion(fault_script: Script) -> None:
    assert "prune, remove: 0 bad" in fault_script("kill_at_every_call.py", "--every", "23")


@pytest.mark.usefixtures("strace")
def test_a_failing_system_call_leaves_the_champion_untouched(fault_script: Script) -> None:
    assert "prune, remove: 0 bad" in fault_script("fail_at_every_call.py", "--every", "17", "--error", "ENOSPC")


@pytest.mark.usefixtures("strace")
def test_every_name_comes_after_its_content(fault_script: Script) -> None:
    assert ": 0 that" in fault_script("flushed.py")


def test_random_kills_leave_the_old_or_the_new(fault_script: Script) -> None:
    # In memory a write is over too soon to be hit.
    assert "0 bad" in fault_script("random_kills.py", "--kills", "20", quick=False)


def test_readers_never_see_a_mixture(fault_script: Script) -> None:
    assert ": 0 readers failed" in fault_script(
        "many_readers.py", "--readers", "3", "--loads", "60", "--promotions", "10"
    )


def test_one_of_a_crowd_is_inside(fault_script: Script) -> None:
    # How quick and small the others are is a figure for the long run.
    assert "6 at once: 1 inside, 5 turned away" in fault_script("crowd.py", "--processes", "6", "--limit-ms", "1e5")


def test_a_dead_holder_holds_no_lock(fault_script: Script) -> None:
    assert "10 holders killed" in fault_script("lock_freed.py", "--kills", "10", "--limit-ms", "1e5")


@pytest.mark.usefixtures("own_mounts")
def test_a_full_disk_leaves_the_champion_untouched(fault_script: Script) -> None:
    assert "0 bad" in fault_script("full_disk.py", "--every", "7", within=("unshare", "--mount"))


def test_every_kind_of_bad_model_is_refused(fault_script: Script) -> None:
    # How quickly is a figure for the long run.
    assert ": 0 got through" in fault_script("malicious.py", "--limit-ms", "1e5", "--limit-mb", "300")


def test_flipped_bits_are_found(fault_script: Script) -> None:
    assert ": 0 not found" in fault_script("bit_flips.py", "--every", "127")


def test_random_sequences_agree_with_a_model_in_memory(fault_script: Script) -> None:
    assert "agree" in fault_script("sequences.py", "--sequences", "12", "--steps", "20")


def test_no_name_leaves_the_store(fault_script: Script) -> None:
    assert ": 0 escapes" in fault_script("many_names.py", "--names", "500")


def test_one_unreadable_model_stops_no_other(fault_script: Script) -> None:
    assert ": 0 faults" in fault_script("unreadable.py", "--every", "4")


def test_every_forged_model_is_refused(fault_script: Script) -> None:
    # How quickly, and in how little memory, are figures for the long run.
    some = ("an offset", "no number", "with a delimiter", "gigabytes", "unknown feature")
    assert "5 kinds of forged model: 0 got through" in fault_script(
        "forged.py", *some, "--limit-s", "1e5", "--limit-mb", "1e5"
    )


def test_no_change_goes_through_a_link(fault_script: Script) -> None:
    assert ": 0 went through a link" in fault_script("links.py")


def test_no_slip_with_an_output_loses_anything(fault_script: Script) -> None:
    assert ": 0 lost or torn" in fault_script("outputs.py", "--kills", "20")


def test_a_wrong_row_is_refused_and_a_genuine_leap_is_taken_once(fault_script: Script) -> None:
    assert ": 0 wrong answers" in fault_script("wrong_rows.py", "--slips", "5", "--leaps", "1")
