"""`fetch --events`: report dates in an events file, each with the day on which it was first seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.reading.events import read_events

Capture = pytest.CaptureFixture[str]


def fetch(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    ended = run(["fetch", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert ended == code, out + err
    found: dict[str, Any] = json.loads(out)
    return found


def test_future_dates_are_known_from_the_day_of_the_download(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    server, events = world.server, tmp_path / "reports.csv"
    server.stocks |= {"ACME": stock(400), "OTHER": stock(400, seed=1)}
    server.reports["ACME"] = [
        "May 2, 2024 at 4 PM EDT",
        "February 1, 2024 at 8 AM EST",
        "November 2, 2023 at 12 AM EDT",
    ]
    server.reports["OTHER"] = ["May 6, 2024 at 5 AM EDT"]
    arguments = ("ACME", "OTHER", "--to", str(tmp_path / "prices"), "--events", str(events))
    fetch(capsys, *arguments)
    wanted = [
        "date,series,kind,when,known",
        "2023-11-02,ACME,report,,",
        "2024-02-01,ACME,report,before,",
        "2024-05-02,ACME,report,after,2024-03-01",
        "2024-05-06,OTHER,report,before,2024-03-01",
    ]
    assert events.read_text().splitlines() == wanted
    read_events([str(events)])  # as train reads it
    server.reports["ACME"][0] = "May 3, 2024 at 4 PM EDT"  # moved
    server.reports["OTHER"] = []  # nothing is no news
    world.set("2024-03-11T22:00")
    fetch(capsys, *arguments)
    wanted[3] = "2024-05-03,ACME,report,after,2024-03-11"
    assert events.read_text().splitlines() == wanted
    world.set("2024-05-06T22:00")
    server.reports["ACME"].insert(0, "August 1, 2024 at 4 PM EDT")
    fetch(capsys, *arguments)
    assert events.read_text().splitlines() == [*wanted, "2024-08-01,ACME,report,after,2024-05-06"]


def test_lines_of_the_users_own_stay_as_they_are(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(300)
    world.server.reports["ACME"] = ["May 2, 2024 at 4 PM EDT"]
    events = tmp_path / "mine.csv"
    events.write_text("date,series,kind,when,known\n2024-06-12,,rates,after,2023-12-01\n2024-04-01,acme,visit,,\n")
    fetch(capsys, "ACME", "--to", str(tmp_path / "prices"), "--events", str(events))
    assert events.read_text().splitlines()[1:] == [
        "2024-04-01,acme,visit,,",
        "2024-05-02,ACME,report,after,2024-03-01",
        "2024-06-12,,rates,after,2023-12-01",
    ]


def test_a_file_in_another_form_is_left_alone_and_nothing_is_asked(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(300)
    events = tmp_path / "mine.csv"
    events.write_text("date;ticker;event\n2024-06-12;ACME;report\n")
    fetch(capsys, "ACME", "--to", str(tmp_path / "prices"), "--events", str(events), code=65)
    assert events.read_text() == "date;ticker;event\n2024-06-12;ACME;report\n"
    assert world.server.asked == []


@pytest.mark.usefixtures("world")
def test_the_events_file_may_not_stand_among_the_prices(tmp_path: Path, capsys: Capture) -> None:
    found = fetch(capsys, "ACME", "--to", str(tmp_path), "--events", str(tmp_path / "reports.csv"), code=2)
    assert "would be read as prices" in found["error"]["message"]


def test_prices_stay_where_the_dates_fail(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(300)
    world.server.reports["ACME"] = ["some day"]
    found = fetch(capsys, "ACME", "--to", str(tmp_path / "p"), "--events", str(tmp_path / "reports.csv"), code=65)
    assert "not in the form" in found["symbols"][0]["error"]["message"]
    assert found["symbols"][0]["new_rows"] == 292
    assert (tmp_path / "p" / "ACME.csv").exists()
    world.server.reports["ACME"] = ["May 2, 2024 at 4 PM EDT"]
    fetch(capsys, "ACME", "--to", str(tmp_path / "p"), "--events", str(tmp_path / "reports.csv"))
    assert "2024-05-02,ACME" in (tmp_path / "reports.csv").read_text()


def test_tiingo_has_no_report_dates(world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture) -> None:
    world.server.stocks["ACME"] = stock(300)
    arguments = ("ACME", "--from", "tiingo", "--to", str(tmp_path / "p"), "--events", str(tmp_path / "reports.csv"))
    found = fetch(capsys, *arguments, code=66)
    assert "no report dates" in found["symbols"][0]["error"]["message"]
    assert found["symbols"][0]["new_rows"] == 292
