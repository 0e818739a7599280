"""One failure of every class that `errors.py` draws: its exit code, its line, and its JSON object."""

from __future__ import annotations

import fcntl
import json
import os
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import StockcastError
from stockcast.store.store import Store

TESTS = Path(__file__).parents[1]
sample = runpy.run_path(str(TESTS / "faults" / "sample.py"))
make_bundle, NOW = sample["make_bundle"], sample["NOW"]

Capture = pytest.CaptureFixture[str]

AMBIGUOUS = str(TESTS / "reading" / "cases" / "ambiguous_dates.csv")
SETTINGS = {
    "data.target": "level",
    "model.head": "point",
    "fit.loss": "mse",
    "fit.realised": "0",
    "fit.optimizer": "sgd",
    "fit.learning_rate": "10",
    "fit.clipnorm": "0",
    "fit.epochs": "40",
}
EXPLODING = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]

FAILURES: dict[str, tuple[int, list[str]]] = {
    "internal": (70, ["models", "list"]),
    "usage": (2, ["retrain", "acme", "--all"]),
    "config": (2, ["train", "--csv", "good.csv", "--set", "fit.epochs=0"]),
    "data": (65, ["train", "--csv", "short.csv"]),
    "ambiguous": (65, ["train", "--csv", AMBIGUOUS]),
    "diverged": (65, ["train", "--csv", "good.csv", *EXPLODING]),
    "damaged": (65, ["retrain", "broken"]),
    "not_found": (66, ["retrain", "ibm"]),
    "cannot_create": (73, ["train", "--csv", "good.csv", "--store", "good.csv/models"]),
    "io": (74, ["models", "list", "--store", "good.csv"]),
    "busy": (75, ["retrain", "held"]),
    "died": (75, ["retrain", "acme", "--on", "tcp://127.0.0.1:1"]),
}

CASES = [
    pytest.param(kind, code, arguments, marks=[pytest.mark.tensorflow] if kind == "diverged" else [], id=kind)
    for kind, (code, arguments) in FAILURES.items()
]


@pytest.fixture(autouse=True)
def _place(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """A folder with prices and models, one of them damaged and one whose lock is held."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    write_csv(prices(rows=300), tmp_path / "good.csv")
    write_csv(prices(rows=98), tmp_path / "short.csv")
    store = Store(Path("models"))
    for name in ("acme", "broken", "held"):
        store.promote(name, store.save(name, make_bundle(1), NOW), "trained", NOW)
    Path("models/broken/champion.json").write_text("{}")
    if request.node.name.endswith("[internal]"):
        monkeypatch.setattr("stockcast.jobs.models.list_models", lambda _: 1 / 0)
    held = os.open("models/held/lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    yield
    os.close(held)


def test_every_class_of_failure_is_in_the_table() -> None:
    def below(kind: type[StockcastError]) -> Iterator[type[StockcastError]]:
        yield kind
        for one in kind.__subclasses__():
            yield from below(one)

    assert {one.kind: one.exit_code for one in below(StockcastError)} == {
        key: code for key, (code, _) in FAILURES.items()
    }


@pytest.mark.parametrize(("kind", "code", "arguments"), CASES)
def test_a_failure_is_an_exit_code_and_a_line_and_with_json_one_object(
    kind: str, code: int, arguments: list[str], capsys: Capture
) -> None:
    assert run([*arguments, "--quiet"]) == code
    out, err = capsys.readouterr()
    error, *fix = err.splitlines()
    assert out == ""
    assert error.startswith("Error: ")
    assert [line[:5] for line in fix] == ["Fix: "]

    assert run([*arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    told = answer.pop("error")
    assert answer == {}
    assert (told.pop("kind"), told.pop("exit_code")) == (kind, code)
    assert told.keys() == {"message", "fix"}
    # A crash's message names a file, another one each time.
    assert kind == "internal" or f"Error: {told['message']}" == error


@pytest.mark.parametrize(("arguments", "failed"), [(["models", "verify"], 1), (["retrain", "--all"], 3)])
def test_where_a_part_failed_the_rest_is_told_and_the_code_is_1(
    arguments: list[str], failed: int, capsys: Capture
) -> None:
    assert run([*arguments, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert "error" not in answer
    assert len(answer["models"]) == 3

    assert run([*arguments, "--quiet"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == failed


@pytest.mark.parametrize("arguments", [["models", "list"], ["models", "verify", "acme"], ["schedule", "acme"]])
def test_what_is_done_is_0_and_says_nothing_else(arguments: list[str], capsys: Capture) -> None:
    assert run([*arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert isinstance(json.loads(out), dict)
    assert err == ""

    assert run([*arguments, "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out
    assert err == ""


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[2J", "\udcff"])
def test_a_name_can_not_break_the_line(name: str, capsys: Capture) -> None:
    assert run(["models", "verify", "--store", name]) == 66
    error, fix = capsys.readouterr().err.split("\n")[:-1]
    assert error.startswith("Error: ")
    assert fix.startswith("Fix: ")
    assert (error + fix).isprintable()
