"""The command line itself, without TensorFlow: help, options in any place, failures, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries

COMMANDS = ("train", "predict", "plot", "backtest", "judge", "audit", "models", "config")

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_the_global_options(command: str, capsys: Capture) -> None:
    assert run([command, "--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--store", "--json", "--quiet", "--verbose", "--help"):
        assert option in shown


BAD = {
    "an unknown command names the nearest": (["predct"], 2, "Did you mean 'predict'"),
    "an unknown option": (["train", "--cvs", "x.csv"], 2, "--cvs"),
    "a missing file": (["train", "--csv", "absent.csv"], 66, "absent.csv"),
    "an unknown preset": (["train", "--csv", "good.csv", "--config", "dayly"], 2, "Did you mean 'daily'"),
    "an unknown setting": (["train", "--csv", "good.csv", "--set", "fit.epoch=3"], 2, "Did you mean 'fit.epochs'"),
    "too few rows": (["train", "--csv", "short.csv"], 65, "short has 100 sessions"),
    "two ends of training": (
        ["train", "--csv", "good.csv", "--test-csv", "short.csv", "--until", "2020-03-02"],
        2,
        "--until and --test-csv",
    ),
    "no such model": (["predict", "ibm"], 66, "there is no model 'ibm'"),
    "no model at all": (["predict", "--store", "empty"], 66, "there is no model in empty"),
    "a picture of no kind": (["plot", "ibm", "-o", "x.gif"], 2, ".gif"),
    "a text for a price": (["train", "--csv", "text.csv"], 65, "text.csv"),
    "not a table": (["train", "--csv", "prose.csv"], 65, "prose.csv"),
    "an infinite price": (["train", "--csv", "infinite.csv"], 65, "infinite.csv"),
    "a negative price": (["train", "--csv", "negative.csv"], 65, "negative.csv"),
    "dates outside the data": (["backtest", "--csv", "good.csv", "--from", "2050-01-03"], 65, "2050-01-03"),
    "too little before --from": (["backtest", "--csv", "good.csv", "--from", "2020-01-09"], 65, "2020-01-09"),
    "an unknown baseline": (
        ["backtest", "--csv", "good.csv", "--from", "2021-01-04", "--against", "naiv"],
        2,
        "Did you mean 'naive'",
    ),
    "rows that are none": (["judge", "good.csv"], 65, "good.csv is not a row file of forecasts"),
    "rows that are nowhere": (["plot", "--rows", "absent.csv", "--kind", "backtest"], 66, "absent.csv"),
    "a role that is none": (["check", "--csv", "good.csv", "--columns", "clsoe=Open"], 2, "Did you mean 'close'"),
    "a role twice": (["check", "--csv", "good.csv", "--columns", "close=Open,close=Low"], 2, "two columns for close"),
    "a role without a column": (["train", "--csv", "good.csv", "--columns", "close"], 2, "not ROLE=NAME_OR_NUMBER"),
    "a finding that is none": (["check", "--csv", "good.csv", "--accept", "split"], 2, "Did you mean 'splits'"),
    "a finding that is only warned of": (["train", "--csv", "good.csv", "--accept", "weekend_rows"], 2, "only warned"),
    "a finding that is mended": (["audit", "--csv", "good.csv", "--accept", "splits,footer"], 2, "is repaired"),
    "a damaged model": (["predict", "broken"], 65, "champion.json"),
    "a store that is a file": (["models", "list", "--store", "good.csv"], 74, "good.csv"),
}


@pytest.fixture
def files(prices: Callable[..., PriceSeries], write_csv: Callable[[PriceSeries, Path], Path], tmp_path: Path) -> None:
    good = write_csv(prices(rows=300), tmp_path / "good.csv").read_text()
    write_csv(prices(rows=100), tmp_path / "short.csv")
    head, first, *rest = good.splitlines()
    for name, close in {"text": "n/a!", "infinite": "inf", "negative": "-5.00"}.items():
        cells = rest[100].split(",")
        spoiled = [*rest[:100], ",".join([cells[0], *[close] * 4, cells[5]]), *rest[101:]]
        (tmp_path / f"{name}.csv").write_text("\n".join([head, first, *spoiled]) + "\n")
    (tmp_path / "prose.csv").write_text("Dear diary,\nnothing happened today, again.\n")
    damaged = tmp_path / "models" / "broken"
    damaged.mkdir(parents=True)
    (damaged / "champion.json").write_text("{}")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("arguments", "code", "said"), list(BAD.values()), ids=list(BAD))
def test_a_failure_says_what_and_how_to_mend_it_and_has_its_exit_code(
    arguments: list[str], code: int, said: str, capsys: Capture
) -> None:
    assert run(arguments) == code
    told = capsys.readouterr()
    assert told.out == ""
    error = [line for line in told.err.splitlines() if line.startswith("Error: ")]
    assert len(error) == 1
    assert said in error[0]
    assert any(line.startswith("Fix: ") for line in told.err.splitlines())
    assert "Traceback" not in told.err


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("arguments", "code", "said"), list(BAD.values()), ids=list(BAD))
def test_with_json_a_failure_is_one_object_on_stdout(
    arguments: list[str], code: int, said: str, capsys: Capture
) -> None:
    assert run([*arguments, "--json"]) == code
    error = json.loads(capsys.readouterr().out)["error"]
    assert said in error["message"]
    assert error["exit_code"] == code
    assert error["kind"]


def test_a_fault_of_stockcast_itself_is_one_line_and_a_file(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("stockcast.jobs.models.list_models", broken)
    assert run(["models", "list"]) == 70
    line, fix = capsys.readouterr().err.splitlines()
    crash = Path(line.rsplit(" ", 1)[1].rstrip("."))
    assert "RuntimeError" in line
    assert "boom" in crash.read_text()
    assert fix.startswith("Fix: ")
    crash.unlink()


def test_global_options_count_before_and_after_the_command(capsys: Capture) -> None:
    assert run(["--json", "models", "list"]) == 0
    before = capsys.readouterr().out
    assert run(["models", "list", "--json"]) == 0
    assert json.loads(before) == json.loads(capsys.readouterr().out) == {"models": []}


def test_an_option_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("STOCKCAST_STORE", "elsewhere")
    assert run(["predict", "ibm"]) == 66
    assert "elsewhere" in capsys.readouterr().err


def test_python_m_stockcast_is_the_same_program() -> None:
    done = subprocess.run([sys.executable, "-m", "stockcast", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("stockcast ")
    assert done.stderr == ""
