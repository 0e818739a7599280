"""What commands print with --json is what its schema says, and nothing more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import schemas

from stockcast.cli import run
from stockcast.data.series import PriceSeries

GOLDEN = Path(__file__).parent.parent / "jobs" / "golden" / "schema-1"

Asked = Callable[..., Any]
Made = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture
def asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    prices: Made,
    write_csv: WriteCsv,
) -> Asked:
    """Runs a command in a folder with prices and a store of another version, and holds its output to a schema."""
    shutil.copytree(GOLDEN, tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("acme", "aa", "bb")):
        write_csv(prices(rows=240, seed=seed, name=name), tmp_path / f"{name}.csv")

    def ask(name: str, *arguments: str) -> Any:
        capsys.readouterr()
        run([*arguments, "--json"])
        answer = json.loads(capsys.readouterr().out)
        assert schemas.faults(name, answer) == []
        return answer

    return ask


def test_schemas_are_schemas() -> None:
    from jsonschema import Draft202012Validator

    for name in (*schemas.names(), schemas.PARTS):
        Draft202012Validator.check_schema(schemas.schema(name))
        assert schemas.schema(name)["$id"] == f"{name}.json"
    assert schemas.faults("plot", {"plot": "a.png", "more": 1}) != []
    assert schemas.faults("plot", {}) != []


def test_forecasts_and_pictures(asked: Asked) -> None:
    one = asked("predict", "predict", "acme", "--csv", "acme.csv")
    assert one["name"] == "acme"
    asked("predict", "predict", "acme", "--csv", "acme.csv", "--record")
    failed = asked("predict", "predict", "--all")
    assert all("error" in model for model in failed["models"])
    asked("score", "score", "acme", "--csv", "acme.csv")
    asked("score-verify", "score", "--verify")
    asked("report", "report", "acme", "--csv", "acme.csv", "-o", "page.html")
    asked("report", "report", "--all", "-o", "site")
    asked("nightly", "nightly", "--all", "--report", "site")
    asked("plot", "plot", "acme", "--kind", "history", "-o", "a.png")
    asked("export", "export", "acme")


def test_files(asked: Asked, tmp_path: Path) -> None:
    asked("check", "check", "--csv", "acme.csv")
    (tmp_path / "odd.csv").write_text("Date,Close\n03/04/2020,1\n04/05/2020,1.1\n05/06/2020,1.2\n")
    (tmp_path / "none.csv").write_text("Date,Close\n2020-01-01,x\n")
    (tmp_path / "events.csv").write_text("date,series,kind\n2020-05-04,acme,report\n")
    answer = asked("check", "check", "--csv", ".", "--events", "events.csv")
    assert {"events"} < set(answer)


def test_the_store(asked: Asked) -> None:
    asked("models-list", "models", "list")
    asked("models-show", "models", "show", "acme")
    asked("models-verify", "models", "verify")
    asked("models-prune", "models", "prune", "acme")
    asked("error", "models", "rollback", "acme")
    asked("models-remove", "models", "remove", "level")
    asked("schedule", "schedule", "acme")
    asked("config-list", "config", "list")
    asked("config-show", "config", "show")
    asked("config-show", "config", "show", "--store", "models")
    asked("error", "predict", "nobody")
    asked("error", "train", "--cvs", "x")


@pytest.mark.tensorflow
def test_trainings(asked: Asked, write_csv: WriteCsv, prices: Made) -> None:
    tiny = ["--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"]
    tiny += ["--set", "data.horizon=2"]
    asked("train", "train", "--csv", "acme.csv", "--name", "mine", *tiny)
    asked("train", "train", "--csv", "aa.csv", "--csv", "bb.csv", "--name", "two", *tiny, "--seeds", "2")
    asked("train", "train", "--csv", "acme.csv", "--name", "all", *tiny, "--set", "split.test=0")
    asked("train", "train", "--csv", ".", "--each", *tiny)
    asked("predict", "predict", "mine", "two", "--record")
    asked("retrain", "retrain", "mine")
    write_csv(prices(rows=280), Path("acme.csv"))
    asked("retrain", "retrain", "mine", "--force")
    asked("retrain", "retrain", "mine", "two", "all")
    asked("score", "score", "--all")
    asked("models-rollback", "models", "rollback", "mine")
    rows = ["-o", "rows.csv", "--from", "2020-10-01", *tiny]
    asked("backtest", "backtest", "--csv", "acme.csv", *rows, "--against", "har,ewma", "--seeds", "2")
    asked("judge", "judge", "rows.csv")
    asked("judge", "judge", "rows.csv", "--csv", "acme.csv")
    asked("backtest", "backtest", "--csv", "aa.csv", "--csv", "bb.csv", "--from", "2020-10-01", *tiny)
    asked("audit", "audit", "--csv", "acme.csv", *tiny, "--repeats", "2")
