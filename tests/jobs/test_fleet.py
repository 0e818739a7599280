"""A fleet tells what comes of each model as it ends, what was found in its prices, and how all came out."""

from __future__ import annotations

import json
import os
import pty
import runpy
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.jobs.fleet import retrain_fleet
from stockcast.jobs.retraining.records import Retrained, RetrainRequest
from stockcast.reading.reader import read_panel
from stockcast.store.manifest import fingerprint
from stockcast.store.store import Store

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle, NOW = sample["make_bundle"], sample["NOW"]

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def root(tmp_path: Path, prices: Callable[..., PriceSeries], write_csv: Callable[[PriceSeries, Path], Path]) -> Path:
    """A store of acme and bolt, which have nothing new to learn from, and zinc, whose prices are gone.

    In bolt's prices a week stands still.
    """
    store = Store(tmp_path / "models")
    for name in ("acme", "bolt", "zinc"):
        series = prices(rows=60, name=name)
        csv = write_csv(series, tmp_path / f"{name}.csv")
        if name == "bolt":
            head, *lines = csv.read_text().splitlines()
            still = [",".join([line.split(",")[0], *lines[20].split(",")[1:]]) for line in lines[21:28]]
            csv.write_text("\n".join([head, *lines[:21], *still, *lines[28:]]) + "\n")
        panel = read_panel([str(csv)]).panel
        manifest = replace(make_bundle(2).manifest, csv=(str(csv),), hints={}, data=(fingerprint(panel.series[0]),))
        store.promote(name, store.save(name, replace(make_bundle(2), manifest=manifest), NOW), "trained", NOW)
    (tmp_path / "zinc.csv").unlink()
    return store.root


STILL = "sessions that only repeat the one before, five or more in a row: 7 sessions"


def test_what_was_found_stands_in_the_log_the_json_the_summary_and_the_hooks_message(
    root: Path, tmp_path: Path, capsys: Capture
) -> None:
    hook = ["--on-failure", f'printf %s "$STOCKCAST_ERROR" > {tmp_path}/note']
    assert run(["retrain", "--all", "--store", str(root), "--json", *hook]) == 1
    told = json.loads(capsys.readouterr().out)
    models = {one["name"]: one for one in told["models"]}
    assert STILL in models["bolt"]["warnings"][0]
    assert models["acme"]["warnings"] == []
    assert {key: told["summary"][key] for key in ("promoted", "kept", "nothing new", "failed")} == {
        "promoted": 0,
        "kept": 0,
        "nothing new": 2,
        "failed": 1,
    }
    (line,) = Store(root).log("bolt")
    assert STILL in line["warnings"][0]
    note = (tmp_path / "note").read_text()
    assert "zinc: failed: " in note
    assert STILL in note

    assert run(["retrain", "--all", "--store", str(root)]) == 1
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("bolt: "))
    assert STILL in lines[place + 1]
    summary = next(number for number, line in enumerate(lines) if line.startswith("3 models in "))
    assert lines[summary].endswith("s: 2 nothing new, 1 failed.")
    assert lines[summary + 1].startswith("  zinc: there is no file ")
    assert "Fix: " in lines[summary + 1]


def test_a_model_by_itself_tells_the_same(root: Path, capsys: Capture) -> None:
    assert run(["retrain", "bolt", "--store", str(root), "--json"]) == 0
    told = capsys.readouterr()
    assert STILL in json.loads(told.out)["warnings"][0]
    assert STILL in told.err


def test_each_model_is_told_of_as_it_ends(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slowest comes first in the alphabet, and last to be told of."""
    heard: list[tuple[str, int, int]] = []

    def retrained(request: RetrainRequest, *_: object) -> Retrained:
        while request.name == "acme" and len(heard) < 2:
            time.sleep(0.01)
        return Retrained(request.name, False, "nothing new", "v", None, 0.0, ())

    monkeypatch.setattr("stockcast.jobs.fleet.retrain_model", retrained)
    result = retrain_fleet(root, (), RetrainRequest(root, ""), 3, lambda one, *count: heard.append((one.name, *count)))
    assert [name for name, _, _ in heard][-1] == "acme"
    assert [count for _, *count in heard] == [[1, 3], [2, 3], [3, 3]]
    assert [one.name for one in result.outcomes] == ["acme", "bolt", "zinc"]


def test_beside_json_the_lines_are_talk_and_with_quiet_failures_alone_are_said(root: Path, capsys: Capture) -> None:
    assert run(["retrain", "--all", "--store", str(root), "--json"]) == 1
    assert "acme: " in capsys.readouterr().err
    assert run(["retrain", "--all", "--store", str(root), "--quiet"]) == 1
    quiet = capsys.readouterr()
    assert "3 models in " in quiet.out
    assert [line.split(":")[0] for line in quiet.err.splitlines()] == ["zinc"]


def test_on_a_terminal_there_is_a_bar_and_what_is_piped_stays_whole(root: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stockcast", "--store", str(root), "retrain", "--all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True) as fleet:
        os.close(theirs)
        out, _ = fleet.communicate()
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    assert sorted(line.split(":")[0] for line in out.splitlines() if not line.startswith(" "))[1:] == [
        *("acme", "bolt", "zinc")
    ]
    assert b"1/3" in shown or b"2/3" in shown
