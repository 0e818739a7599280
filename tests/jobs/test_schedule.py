"""Schedules: what is printed, and that a crontab gets and loses exactly its own lines."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from pathlib import Path

import pytest

from stockcast.cli import run

OTHERS = "MAILTO=me@example.org\n5 4 * * * /usr/bin/other  # stockcast\n"

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A crontab command that keeps the user's table in a file."""
    table = tmp_path / "table"
    table.write_text(OTHERS)
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nif [ "$1" = -l ]; then cat {table}; else cat > {table}; fi\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return table


def text(capsys: Capture, *arguments: str) -> str:
    capsys.readouterr()
    assert run(["schedule", "--json", *arguments]) == 0
    printed: str = json.loads(capsys.readouterr().out)["text"]
    return printed


def test_the_crontab_line_runs_from_anywhere(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    begin, line, end = text(
        capsys, "--all", "--at", "6:05", "--days", "sat,mon-wed", "--store", "my models"
    ).splitlines()
    assert begin.removeprefix("# begin ") == end.removeprefix("# end ")
    minute, hour, day, month, weekdays, path, *command = shlex.split(line)
    assert (minute, hour, day, month, weekdays) == ("5", "6", "*", "*", "6,1-3")
    assert path.startswith("PATH=/")
    store = str(tmp_path / "my models")
    assert command[:4] == [sys.executable, "-m", "stockcast", "--store"]
    assert command[4:] == [store, "--quiet", "retrain", "--all", ">>", f"{store}/retrain.log", "2>&1"]


def test_the_systemd_timer_catches_up_and_says_the_same(capsys: Capture) -> None:
    units = text(capsys, "--systemd", "--at", "22:30", "--days", "mon-fri")
    assert "OnCalendar=Mon..Fri *-*-* 22:30:00" in units
    assert "Persistent=true" in units
    assert "retrain --all" in units


def test_installing_twice_and_removing_leaves_other_lines_as_they_were(crontab: Path) -> None:
    assert run(["schedule", "--all", "--install"]) == 0
    once = crontab.read_text()
    assert once.startswith(OTHERS)
    assert once.count("retrain --all") == 1
    assert run(["schedule", "--all", "--at", "7:00", "--install"]) == 0
    assert crontab.read_text().count("retrain --all") == 1
    assert run(["schedule", "--all", "--store", "other", "--install"]) == 0
    assert run(["schedule", "--all", "--remove"]) == 0
    assert "other" in crontab.read_text().removeprefix(OTHERS)
    assert run(["schedule", "--all", "--store", "other", "--remove"]) == 0
    assert crontab.read_text() == OTHERS
    assert run(["schedule", "--all", "--remove"]) == 66


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--at", "24:00"], 2),
        (["--at", "noon"], 2),
        (["--days", "mon-tue-wed"], 2),
        (["--days", "funday"], 2),
        (["x"], 66),
    ],
)
def test_a_schedule_that_can_not_be_is_refused(arguments: list[str], code: int, tmp_path: Path) -> None:
    assert run(["schedule", *arguments, "--store", str(tmp_path)]) == code
