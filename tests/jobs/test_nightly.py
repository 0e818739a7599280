"""`nightly`: every model's steps in order, what failed and what was missed said, and nothing made up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.jobs.morning.nightly import LOCK
from stockcast.ledger import clock
from stockcast.store.lock import hold
from stockcast.store.store import Store

pytestmark = pytest.mark.trial

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


def evening(day: object) -> None:
    clock.utc_now = lambda: datetime.fromisoformat(f"{day}T22:30:00+00:00")


@pytest.fixture(autouse=True)
def first_evening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utc_now", clock.utc_now)  # so that it is put right afterwards
    evening("2020-11-03")


def night(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["nightly", *arguments, "--json"]) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.mark.usefixtures("folder")
def test_a_quiet_night_records_scores_and_writes_the_pages(capsys: Capture) -> None:
    told = night(capsys, "--all", "--report", "site")
    assert [one["name"] for one in told["models"]] == ["acme", "pair"]
    assert [one["retrain"]["reason"] for one in told["models"]] == ["nothing new", "nothing new"]
    assert [one["failed"] for one in told["models"]] == [None, None]
    assert told["issue"]["live"] == told["issue"]["forecasts"] == 9
    assert told["report"] == "site/index.html"
    assert told["summary"]["line"].startswith("2 models in ")
    assert "2 nothing new; 9 forecasts recorded; 0 judged so far; page site/index.html." in told["summary"]["line"]
    assert Path("site/models/pair.html").is_file()
    capsys.readouterr()
    assert run(["score", "--all", "--json"]) == 0
    assert [one["counts"]["waiting"] for one in json.loads(capsys.readouterr().out)["models"]] == [3, 6]


@pytest.mark.usefixtures("folder")
def test_a_second_run_of_the_same_night_makes_nothing_up(capsys: Capture) -> None:
    night(capsys, "acme")
    capsys.readouterr()
    assert run(["nightly", "acme", "--quiet"]) == 0
    out, _ = capsys.readouterr()
    assert out.count("\n") == 1
    assert "0 forecasts recorded (3 superseded)" in out


def test_what_was_missed_is_said(folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture) -> None:
    night(capsys, "acme")
    whole = prices(rows=226)
    write_csv(whole, folder / "acme.csv")
    evening(whole.dates[-1])
    Path("models/stockcast.toml").write_text('[prices]\nacme = ["../acme.csv"]\n')
    told = night(capsys, "acme")
    assert told["missed"] == ["acme: 5 sessions since 2020-11-03 passed without a forecast; none is made up."]
    assert told["scored"] == 3


def test_one_that_fails_goes_no_further_and_stops_no_other(folder: Path, capsys: Capture) -> None:
    (folder / "acme.csv").unlink()
    told = night(capsys, "--all", "--report", "site", code=1)
    failed, well = told["models"]
    assert failed["failed"]["step"] == "retrain"
    assert "there is no file" in failed["failed"]["message"]
    assert well["failed"] is None
    assert told["issue"]["live"] == 6
    assert (told["summary"]["failed"], told["summary"]["nothing new"]) == (1, 1)
    index = (folder / "site" / "index.html").read_text()
    assert "retrain: there is no file" in index
    assert not (folder / "site" / "models" / "acme.html").exists()
    capsys.readouterr()
    assert run(["nightly", "acme"]) == 1
    assert "acme: retrain failed: there is no file" in capsys.readouterr().out


def test_a_ledger_that_can_not_be_kept_fails_what_it_should_have_held(folder: Path, capsys: Capture) -> None:
    (folder / "models" / "ledger.sqlite").write_text("a shopping list" * 1000)
    told = night(capsys, "--all", code=1)
    assert [one["failed"]["step"] for one in told["models"]] == ["record", "record"]
    assert told["issue"] is None


def test_a_dry_run_changes_nothing(folder: Path, capsys: Capture) -> None:
    before = sorted(path.relative_to(folder) for path in (folder / "models").rglob("*") if path.name != LOCK)
    told = night(capsys, "--all", "--report", "site", "--dry-run")
    assert told["dry_run"]
    assert told["issue"] is told["report"] is None
    after = sorted(path.relative_to(folder) for path in (folder / "models").rglob("*") if path.name != LOCK)
    assert after == before
    assert not (folder / "site").exists()


@pytest.mark.usefixtures("folder")
def test_one_night_at_a_time(capsys: Capture) -> None:
    program = (
        "import sys; from pathlib import Path; from stockcast.store.lock import hold\n"
        f"with hold(Path('models/{LOCK}'), 'x'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        error = night(capsys, "--all", code=75)["error"]
        assert "is doing the night's work of 'models'" in error["message"]
        other.communicate()
    assert night(capsys, "acme")["models"][0]["failed"] is None


def test_the_store_says_what_the_line_does_not(folder: Path, capsys: Capture) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "acme.csv").rename(folder / "elsewhere" / "acme.csv")
    settings = folder / "models" / "stockcast.toml"
    settings.write_text(
        '[nightly]\nreport = "../morning"\non_failure = "touch failed"\n'
        '[prices]\nacme = ["../elsewhere/acme.csv"]\ngone = ["x.csv"]\n'
    )
    capsys.readouterr()
    assert run(["nightly", "acme"]) == 0
    assert "paths for gone, which is no model of this store" in capsys.readouterr().err
    assert (folder / "morning" / "index.html").is_file()
    assert run(["predict", "acme"]) == 0
    assert not (folder / "failed").exists()
    (folder / "elsewhere" / "acme.csv").unlink()
    assert run(["nightly", "acme"]) == 1
    assert (folder / "failed").exists()
    capsys.readouterr()
    assert run(["config", "show", "--store", "models"]) == 0
    printed = capsys.readouterr().out
    settings.write_text(printed)
    assert run(["config", "show", "--store", "models"]) == 0
    assert capsys.readouterr().out == printed
    assert '"acme" = ["../elsewhere/acme.csv"]' in printed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--all", "acme"), 2, "both given"),
        ((), 2, "holds 2 models"),
        (("--all", "--jobs", "2", "--on", "tcp://x:1"), 2, "both given"),
        (("nobody",), 66, "there is no model 'nobody'"),
        (("--all", "--report", "models/site"), 65, "lies in the store"),
        (("--all", "--report", "page.html"), 2, "is called like a file"),
        (("--all", "--notify-url", "ftp://x"), 2, "is not a web address"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_can_not_be_meant_is_refused(capsys: Capture, words: tuple[str, ...], code: int, said: str) -> None:
    assert run(["nightly", *words]) == code
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_settings_that_are_none_are_refused_by_name(capsys: Capture) -> None:
    Path("models/stockcast.toml").write_text("[nightly]\nreprot = 'x'\n")
    assert run(["nightly", "--all"]) == 2
    assert "did you mean 'nightly.report'" in capsys.readouterr().err.lower()
    assert run(["config", "show", "daily", "--store", "models"]) == 2
    with hold(Path("models") / LOCK, "models"):
        assert Store(Path("models")).names() == ("acme", "pair")
