"""The fault scripts of fetching in their short form; `make faults` runs the long one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.trial

Script = Callable[..., str]


@pytest.mark.usefixtures("strace")
def test_a_kill_loses_nothing_and_asks_for_nothing_twice(fault_script: Script) -> None:
    said = fault_script("fetch.py", "--every", "7", "--symbols", "40", "--kills", "3")
    assert said.count(": 0 bad") == 2


@pytest.mark.usefixtures("own_mounts")
def test_a_full_disk_leaves_the_old_pair_whole(fault_script: Script) -> None:
    assert "0 bad" in fault_script("fetch_full_disk.py", "--every", "4", within=("unshare", "--mount"))
