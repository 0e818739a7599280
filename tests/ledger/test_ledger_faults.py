"""The ledger's fault scripts in their short form; `make faults` runs the long one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.trial

Script = Callable[..., str]


@pytest.mark.usefixtures("strace")
def test_a_kill_at_a_system_call_leaves_the_whole_issue_or_none(fault_script: Script) -> None:
    assert ": 0 bad" in fault_script("ledger_kills.py", "--every", "13")


def test_of_many_who_record_and_score_nobody_loses_anything(fault_script: Script) -> None:
    # How long they wait is a figure for the long run.
    said = fault_script("ledger_crowd.py", "--recorders", "4", "--scorers", "2", "--times", "12", "--limit-s", "1e5")
    assert "0 failed, 0 issues lost, 0 faults" in said


@pytest.mark.usefixtures("own_mounts")
def test_a_full_disk_keeps_the_ledger_and_prints_the_forecast(fault_script: Script) -> None:
    assert "0 bad" in fault_script("ledger_full_disk.py", "--every", "12", within=("unshare", "--mount"))
