"""Rows that can't be right stop `retrain` and `predict`, unless the user takes them; and then only those rows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import CannotCreate
from stockcast.store.store import Store

GOLDEN = Path(__file__).parent / "golden" / "schema-1"

Capture = pytest.CaptureFixture[str]
Rows = Callable[..., str]


@pytest.fixture
def rows(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
) -> Rows:
    """A folder with the store `models`; called, writes so many rows of its model acme's prices, and some lines more."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN, "models")

    def write(count: int = 220, *lines: str, halved: tuple[int, ...] = ()) -> str:
        series = prices(rows=count)
        factor = np.ones(count)
        for row in halved:
            factor[row:] /= 2
        columns = {key: values * (1 if key == "volume" else factor) for key, values in series.columns.items()}
        path = write_csv(replace(series, columns=columns), tmp_path / "acme.csv")
        path.write_text("\n".join([path.read_text().rstrip(), *lines]) + "\n")
        return str(path)

    return write


def told(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


WRONG = {
    "a row in the future": ("2028-01-03,100,101,99,100,1000", "2028-01-03", "future"),
    "a newest close ten times its high": ("2020-11-04,100,101,99,1000,1000", "2020-11-04", "stray_close"),
    "a newest close a tenth of its low": ("2020-11-04,100,101,99,10,1000", "2020-11-04", "stray_close"),
    "a newest close in cents": ("2020-11-04,100,101,99,10000,1000", "2020-11-04", "stray_close"),
}


@pytest.mark.parametrize(("line", "when", "kind"), list(WRONG.values()), ids=list(WRONG))
@pytest.mark.parametrize("command", ["predict", "retrain", "plot", "train", "check"])
def test_a_row_that_cannot_be_right_is_refused_with_its_date(
    rows: Rows, command: str, line: str, when: str, kind: str, capsys: Capture
) -> None:
    csv = rows(220, line)
    name = [] if command in ("train", "check") else ["acme"]
    answer = told(capsys, command, *name, "--csv", csv, code=65)
    if command == "check":
        (warning,) = [one for one in answer["files"][0]["warnings"] if one["verdict"] == "refused"]
        assert (warning["kind"], warning["first"]) == (kind, when)
    else:
        assert when in answer["error"]["message"]
        assert f"--accept {kind}" in answer["error"]["fix"]
    assert not any(one["event"] == "retrain" for one in Store(Path("models")).log("acme"))


def test_a_close_that_is_off_in_all_rows_is_no_stray_one(rows: Rows, capsys: Capture) -> None:
    csv = Path(rows())
    head, *lines = csv.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    csv.write_text("\n".join([head, *(",".join([*row[:4], f"{10 * float(row[4]):.2f}", row[5]]) for row in cells)]))
    kinds = [one["kind"] for one in told(capsys, "check", "--csv", str(csv))["files"][0]["warnings"]]
    assert "close_outside" in kinds
    assert "stray_close" not in kinds


def test_a_fleet_refuses_such_a_row_too(rows: Rows, capsys: Capture) -> None:
    csv = rows(220, WRONG["a row in the future"][0])
    record(csv)
    models = {one["name"]: one for one in told(capsys, "retrain", "--all", code=1)["models"]}
    assert models["acme"]["exit_code"] == 65
    assert "2028-01-03" in models["acme"]["error"]["message"]


def record(csv: str, last: str | None = None, **hints: Any) -> str:
    """Let acme serve a new version that was trained on the prices in `csv`, perhaps up to another `last` date.

    It has learned from so many of them that the gate waits for others: nothing is trained here.
    """
    store, now = Store(Path("models")), datetime.now(UTC)
    bundle = store.load("acme")
    data = ({**bundle.manifest.data[0], "last": last or "2020-11-03"},)
    scores = {"cutoffs": {"first": "2020-11-03"}}
    manifest = replace(bundle.manifest, csv=(csv,), data=data, hints=hints, scores=scores)
    version = store.save("acme", replace(bundle, manifest=manifest), now)
    store.promote("acme", version, "trained", now)
    return version


@pytest.mark.parametrize("command", ["predict", "retrain", "plot"])
def test_a_model_that_learned_from_the_future_is_told_how_to_get_out(rows: Rows, command: str, capsys: Capture) -> None:
    csv = rows(221)
    sound = record(csv)
    record(csv, "2028-01-03")
    record(csv, "2028-01-03")
    error = told(capsys, command, "acme", code=65)["error"]
    assert "2028-01-03" in error["message"]
    assert error["fix"] == f"let an earlier version serve: stockcast models rollback acme {sound}"
    told(capsys, "models", "rollback", "acme", sound)
    told(capsys, "predict", "acme")
    assert told(capsys, "retrain", "acme")["promoted"] is False


def test_where_no_version_is_sound_it_is_dropped(rows: Rows, capsys: Capture) -> None:
    csv = rows(220)
    record(csv, "2028-01-03")
    store = Store(Path("models"))
    shutil.rmtree(Path("models/acme/versions") / store.versions("acme")[0])
    fix = told(capsys, "retrain", "acme", code=65)["error"]["fix"]
    assert fix == f"drop it and train it again: stockcast models remove acme; stockcast train --csv {csv} --name acme"


def test_a_genuine_leap_is_taken_for_its_row_alone(rows: Rows, capsys: Capture) -> None:
    record(rows(220))
    rows(221, halved=(220,))
    for command in ("retrain", "predict", "plot"):
        error = told(capsys, command, "acme", code=65)["error"]
        assert "2 for 1 on 2020-11-04" in error["message"]
        assert "--accept splits" in error["fix"]
    told(capsys, "retrain", "acme", "--accept", "splits", "--dry-run")
    told(capsys, "retrain", "acme", code=65)

    told(capsys, "retrain", "acme", "--accept", "splits")
    assert Store(Path("models")).champion("acme").accepted == ("splits:2020-11-04",)
    rows(225, halved=(220,))
    told(capsys, "retrain", "acme")
    assert told(capsys, "predict", "acme")["as_of"] == "2020-11-10"
    told(capsys, "plot", "acme")

    rows(225, halved=(220, 224))
    for command in ("retrain", "predict"):
        assert "not taken yet: 2020-11-10" in told(capsys, command, "acme", code=65)["error"]["message"]
    told(capsys, "predict", "acme", "--accept", "splits:2020-11-10")
    told(capsys, "predict", "acme")
    assert Store(Path("models")).champion("acme").accepted == ("splits:2020-11-04", "splits:2020-11-10")
    record(str(Path("acme.csv").resolve()))
    told(capsys, "predict", "acme")


def test_what_predict_takes_it_takes_without_the_right_to_write_too(
    rows: Rows, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(rows(221, halved=(220,)))

    def refused(*_: object, **__: object) -> None:
        raise CannotCreate("models can't be written: permission denied.")

    monkeypatch.setattr(Store, "amend", refused)
    answer = told(capsys, "predict", "acme", "--accept", "splits")
    assert any("permission denied" in one and "for this time" in one for one in answer["warnings"])


def test_what_the_user_says_of_a_file_is_laid_over_what_was_said_at_training(rows: Rows, capsys: Capture) -> None:
    """`--accept` alone used to forget the columns that were named when the model was trained."""
    csv = Path(rows(221, halved=(220,)))
    csv.write_text(csv.read_text().replace("Close", "Fixing"))
    record(str(csv), columns={"close": "Fixing"})
    told(capsys, "predict", "acme", "--accept", "splits")


def test_an_old_model_that_took_a_kind_takes_all_of_it(rows: Rows, capsys: Capture) -> None:
    record(rows(221, halved=(220,)), accept=["splits"])
    told(capsys, "predict", "acme")


@pytest.mark.parametrize("text", ["split", "weekend_rows", "splits:yesterday", "splits:", ":2020-01-01"])
def test_what_cannot_be_taken_is_wrong_usage(rows: Rows, text: str, capsys: Capture) -> None:
    rows()
    for command in ("retrain", "predict", "plot"):
        assert told(capsys, command, "acme", "--accept", text, code=2)["error"]["kind"] == "usage"


def test_a_fault_is_taken_of_one_model_at_a_time(rows: Rows, capsys: Capture) -> None:
    rows()
    error = told(capsys, "retrain", "--all", "--accept", "splits", code=2)["error"]
    assert "one model" in error["message"]
