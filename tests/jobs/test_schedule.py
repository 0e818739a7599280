"""Schedules: what is printed, and that a crontab gets and loses exactly its own lines."""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    assert command[:5] == [sys.executable, "-P", "-m", "stockcast", "--store"]
    assert command[5:] == [store, "--quiet", "nightly", "--all", ">>", f"{store}/nightly.log", "2>&1"]


def test_the_systemd_timer_catches_up_and_says_the_same(capsys: Capture) -> None:
    units = text(capsys, "--systemd", "--at", "22:30", "--days", "mon-fri")
    assert "OnCalendar=Mon..Fri *-*-* 22:30:00" in units
    assert "Persistent=true" in units
    assert "nightly --all" in units


def test_installing_twice_and_removing_leaves_other_lines_as_they_were(crontab: Path) -> None:
    assert run(["schedule", "--all", "--install"]) == 0
    once = crontab.read_text()
    assert once.startswith(OTHERS)
    assert once.count("nightly --all") == 1
    assert run(["schedule", "--all", "--at", "7:00", "--install"]) == 0
    assert crontab.read_text().count("nightly --all") == 1
    assert run(["schedule", "--all", "--store", "other", "--install"]) == 0
    assert run(["schedule", "--all", "--remove"]) == 0
    assert "other" in crontab.read_text().removeprefix(OTHERS)
    assert run(["schedule", "--all", "--store", "other", "--remove"]) == 0
    assert crontab.read_text() == OTHERS
    assert run(["schedule", "--all", "--remove"]) == 66


def test_the_old_command_can_be_scheduled_and_its_lines_are_replaced(crontab: Path) -> None:
    assert run(["schedule", "--all", "--command", "retrain", "--install"]) == 0
    assert "retrain --all >>" in crontab.read_text()
    assert "models/retrain.log" in crontab.read_text()
    assert run(["schedule", "--all", "--install"]) == 0
    assert crontab.read_text().count("nightly --all") == 1
    assert "retrain" not in crontab.read_text()
    assert run(["schedule", "--all", "--command", "retrain", "--remove"]) == 0
    assert crontab.read_text() == OTHERS


def test_a_schedule_tells_others_how_it_went(capsys: Capture) -> None:
    url, command = "https://example.org/ping", "mail -s '100% broken' me"
    hooks = ["--notify-url", url, "--on-failure", command]
    _, line, _ = text(capsys, *hooks).splitlines()
    assert shlex.split(line.replace("\\%", "%"))[13:18] == ["nightly", *hooks]
    (line,) = [line for line in text(capsys, "--systemd", *hooks).splitlines() if line.startswith("ExecStart=")]
    assert shlex.split(line.replace("%%", "%"))[7:12] == ["nightly", *hooks]


def test_a_systemd_unit_means_the_path_that_was_given(capsys: Capture, tmp_path: Path) -> None:
    units = text(capsys, "--systemd", "--store", str(tmp_path / "100%h $x \\y"))
    assert f"'{tmp_path}/100%%h $$x \\\\y'" in units
    assert f"StandardOutput=append:{tmp_path}/100%%h $x \\y/nightly.log\n" in units


@pytest.mark.parametrize(
    ("days", "cron", "systemd"),
    [
        ("mon-fri", "1-5", "Mon..Fri"),
        ("sat-sun", "6,0", "Sat,Sun"),
        ("Fri-Mon", "5,6,0,1", "Fri,Sat,Sun,Mon"),
        ("sun-tue,thu", "0,1,2,4", "Sun,Mon,Tue,Thu"),
        ("sun", "0", "Sun"),
        ("wed-wed", "3", "Wed"),
    ],
)
def test_days_may_go_over_the_end_of_a_week(days: str, cron: str, systemd: str, capsys: Capture) -> None:
    assert f"30 22 * * {cron} PATH=" in text(capsys, "--days", days)
    assert f"OnCalendar={systemd} *-*-*" in text(capsys, "--days", days, "--systemd")


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl command that keeps what it is told in a file, and refuses where there is a file `refuse`."""
    told = tmp_path / "told"
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {told}\n[ ! -e {tmp_path}/refuse ]\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return told


def test_a_systemd_timer_is_installed_and_removed(systemctl: Path, tmp_path: Path, capsys: Capture) -> None:
    units = text(capsys, "--systemd", "--all")
    assert run(["schedule", "--systemd", "--all", "--install"]) == 0
    assert "loginctl enable-linger" in capsys.readouterr().out
    service, timer = sorted((tmp_path / "config" / "systemd" / "user").iterdir())
    assert units == f"# {service.name}\n{service.read_text()}\n# {timer.name}\n{timer.read_text()}".rstrip()
    assert f"--user enable --now {timer.name}" in systemctl.read_text().splitlines()
    assert run(["schedule", "--systemd", "--all", "--remove"]) == 0
    assert not service.exists()
    assert not timer.exists()
    assert f"--user disable --now {timer.name}" in systemctl.read_text().splitlines()
    assert run(["schedule", "--systemd", "--all", "--remove"]) == 66


def test_where_systemd_refuses_nothing_is_left_behind(systemctl: Path, tmp_path: Path) -> None:
    (tmp_path / "refuse").touch()
    assert run(["schedule", "--systemd", "--all", "--install"]) == 73
    assert systemctl.exists()
    assert not (tmp_path / "config").exists()


ODD_LINES = [
    b"# caf\xe9",
    b"# \xe2\x80\xa8 \x0b \x0c \x1c",
    b"  ",
    b"",
    b"# begin stockcast-00000000",
    b"* * * * * true  ",
]


@given(before=st.lists(st.sampled_from(ODD_LINES)), after=st.lists(st.sampled_from(ODD_LINES)), escaped=st.booleans())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_else_a_crontab_holds_stays_byte_for_byte(
    crontab: Path, before: list[bytes], after: list[bytes], escaped: bool
) -> None:
    others = [b"".join(line + b"\n" for line in lines) for lines in (before, after)]
    crontab.write_bytes(others[0])
    command = ["schedule", "--install", "--store", "100% mine" if escaped else "models"]
    assert run(command) == 0
    ours = crontab.read_bytes().removeprefix(others[0])
    assert ours.count(b"\n") == 3
    crontab.write_bytes(others[0] + ours + others[1])
    assert run([*command[:1], "--remove", *command[2:]]) == 0
    assert crontab.read_bytes() == b"".join(others)


def test_the_lines_of_a_model_that_is_gone_can_be_removed(crontab: Path, tmp_path: Path) -> None:
    pointer = tmp_path / "models" / "x" / "champion.json"
    pointer.parent.mkdir(parents=True)
    pointer.touch()
    assert run(["schedule", "x", "--install"]) == 0
    pointer.unlink()
    assert run(["schedule", "x", "--install"]) == 66
    assert run(["schedule", "x", "--remove"]) == 0
    assert crontab.read_text() == OTHERS


@pytest.mark.parametrize("action", ["--install", "--remove"])
def test_a_crontab_whose_end_mark_is_gone_is_left_alone(action: str, crontab: Path, capsys: Capture) -> None:
    assert run(["schedule", "--install"]) == 0
    torn = (
        "".join(line for line in crontab.read_text().splitlines(keepends=True) if not line.startswith("# end")) + OTHERS
    )
    crontab.write_text(torn)
    capsys.readouterr()
    assert run(["schedule", action]) == 65
    assert "# begin stockcast-" in capsys.readouterr().err
    assert crontab.read_text() == torn


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--at", "24:00"], 2),
        (["--at", "noon"], 2),
        (["--at", "2²:00"], 2),
        (["--days", "mon-tue-wed"], 2),
        (["--days", "funday"], 2),
        (["x"], 66),
        (["--store", "two\nlines"], 2),
        (["--on-failure", "two\nlines"], 2),
        (["--notify-url", "example.org"], 2),
    ],
)
def test_a_schedule_that_can_not_be_is_refused(arguments: list[str], code: int, tmp_path: Path) -> None:
    assert run(["schedule", "--store", str(tmp_path), *arguments]) == code
