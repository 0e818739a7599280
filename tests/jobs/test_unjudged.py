"""A model that is trained on every price can't be judged: it serves, and each command says so or does without."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.store.store import Store

pytestmark = pytest.mark.tensorflow

TINY = [
    *("--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"),
    *("--set", "data.horizon=3", "--set", "gate.sessions=10", "--set", "gate.tolerance=1"),
]

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, prices: Prices, write_csv: WriteCsv) -> Path:
    """A folder with acme.csv, 200 sessions, and a store with a model that was trained on all of them."""
    folder = tmp_path_factory.mktemp("unjudged")
    csv = write_csv(prices(rows=200), folder / "acme.csv")
    arguments = ["train", "--csv", str(csv), *TINY, "--set", "split.test=0", "--store", str(folder / "models")]
    assert run(arguments) == 0
    return folder


def told(place: Path, capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON of a command on the store in `place`."""
    capsys.readouterr()
    assert run([*arguments, "--store", str(place / "models"), "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


NO_TEST = {
    "no test part": ["--set", "split.test=0"],
    "until the last date": ["--until", "2020-10-06"],
    "until a later date": ["--until", "2031-01-01"],
    "a test part of less than a session": ["--set", "split.test=0.001"],
    "an embargo as long as the test part": ["--set", "split.test=20", "--set", "split.embargo=20"],
}


@pytest.mark.parametrize("flags", NO_TEST.values(), ids=NO_TEST)
def test_it_is_trained_and_said_to_be_unjudged(place: Path, flags: list[str], tmp_path: Path, capsys: Capture) -> None:
    csv = str(place / "acme.csv")
    assert run(["train", "--csv", csv, *TINY, *flags, "--store", str(tmp_path / "models")]) == 0
    assert "Not judged" in capsys.readouterr().out
    answer = told(tmp_path, capsys, "train", "--csv", csv, *TINY, *flags, "--seed", "1")
    assert answer["scores"]["verdict"] is None
    assert answer["scores"]["models"] == {}
    warnings = told(tmp_path, capsys, "predict", "acme")["warnings"]
    assert any("never judged" in one for one in warnings)


def test_it_is_trained_on_the_newest_prices(place: Path) -> None:
    manifest = Store(place / "models").load("acme").manifest
    assert manifest.scores["cutoffs"]["first"] == manifest.data[0]["last"] == "2020-10-06"


def test_several_seeds_can_not_be_compared_and_nothing_is_trained(place: Path, capsys: Capture) -> None:
    arguments = ["train", "--csv", str(place / "acme.csv"), *TINY, "--name", "seeds"]
    for flags in NO_TEST.values():
        error = told(place, capsys, *arguments, *flags, "--seeds", "2", code=65)["error"]
        assert "2020-10-06" in error["message"]
    assert Store(place / "models").names() == ("acme",)
    fix = told(place, capsys, *arguments, *NO_TEST["no test part"], "--seeds", "2", code=65)["error"]["fix"]
    mended = next(word for word in fix.split() if word.startswith("split.")).rstrip(".,")
    told(place, capsys, *arguments, "--set", "split.test=0", "--set", mended, "--seeds", "2")


@pytest.mark.parametrize("kind", ["backtest", "calibration", "parts"])
def test_there_is_no_picture_of_what_was_never_judged(place: Path, kind: str, capsys: Capture) -> None:
    error = told(place, capsys, "plot", "acme", "--kind", kind, "-o", str(place / "x.png"), code=65)["error"]
    assert "never judged" in error["message"]
    assert "split.test" in error["fix"]
    assert not (place / "x.png").exists()


def test_other_pictures_and_reports_do_without(place: Path, capsys: Capture) -> None:
    for kind in ("forecast", "history"):
        told(place, capsys, "plot", "acme", "--kind", kind, "-o", str(place / f"{kind}.png"))
    capsys.readouterr()
    assert run(["models", "show", "acme", "--store", str(place / "models")]) == 0
    assert "never: no price was held back" in capsys.readouterr().out
    told(place, capsys, "models", "verify", "acme")
    told(place, capsys, "export", "acme", "--format", "onnx", "-o", str(place / "acme.onnx"))


def test_an_audit_without_later_prices_is_refused_at_once(place: Path, capsys: Capture) -> None:
    error = told(place, capsys, "audit", "--csv", str(place / "acme.csv"), "--set", "split.test=0", *TINY, code=65)
    assert "--set split.test=0.15" in error["error"]["fix"]


def test_its_gate_waits_for_prices_that_it_has_not_learned_and_then_opens(
    prices: Prices, write_csv: WriteCsv, tmp_path: Path, capsys: Capture
) -> None:
    csv = write_csv(prices(rows=200), tmp_path / "acme.csv")
    told(tmp_path, capsys, "train", "--csv", str(csv), *TINY, "--set", "split.test=0")
    write_csv(prices(rows=205), csv)
    early = told(tmp_path, capsys, "retrain", "acme")
    assert early["promoted"] is False
    assert early["reason"].endswith("the gate waits for 10 later sessions")
    write_csv(prices(rows=212), csv)
    later = told(tmp_path, capsys, "retrain", "acme")
    assert later["gate"]["ratio"] > 0
    assert later["promoted"] is True
    assert not any("never judged" in one for one in told(tmp_path, capsys, "predict", "acme")["warnings"])
