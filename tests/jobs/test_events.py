"""Events through the real command line: what is learned of them, what is said, and what they may not change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.events.records import events_of
from stockcast.data.series import Panel, PriceSeries
from stockcast.jobs.loaded import open_model
from stockcast.reading.events import read_events
from stockcast.store.store import Store

pytestmark = pytest.mark.tensorflow

TINY = [
    *("--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"),
    *("--set", "data.horizon=3", "--set", "gate.tolerance=1"),
]
ROWS, EVERY = 420, 63
"""Sessions of the prices, and from one report to the next."""

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


def reporting(one: PriceSeries) -> PriceSeries:
    """Prices of a company that reports each quarter, and moves by a tenth then."""
    jumps = np.where(np.arange(len(one)) % EVERY == 40, 0.1, 0.0) * np.where(np.arange(len(one)) // EVERY % 2, 1, -1)
    level = np.exp(np.cumsum(jumps))
    return replace(one, columns={key: v if key == "volume" else v * level for key, v in one.columns.items()})


def dates_of(one: PriceSeries, more: int = 0) -> list[np.datetime64]:
    """The dates of its reports, and of some more to come."""
    rows = np.arange(40, len(one) + more * EVERY, EVERY)
    return list(np.busday_offset(one.dates[0], rows, roll="forward"))


def write_events(path: Path, dates: list[np.datetime64], series: str = "ACME") -> Path:
    path.write_text("date,series,kind\n" + "".join(f"{day},{series},report\n" for day in dates), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(prices: Prices) -> PriceSeries:
    return reporting(prices(rows=ROWS))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, whole: PriceSeries, write_csv: WriteCsv) -> Path:
    """A folder with acme.csv, events.csv, and a store with a model of both."""
    folder = tmp_path_factory.mktemp("events")
    write_csv(whole, folder / "acme.csv")
    write_events(folder / "events.csv", dates_of(whole, more=2))
    arguments = ["--csv", str(folder / "acme.csv"), "--events", str(folder / "events.csv")]
    assert run(["train", *arguments, *TINY, "--store", str(folder / "models"), "--quiet"]) == 0
    return folder


def asked(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON object that a command prints."""
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def width(answer: dict[str, Any], step: int = 0) -> float:
    quantiles = answer["forecasts"][step]["quantiles"]
    return float(np.log(quantiles["0.9"] / quantiles["0.1"]))


def test_the_forecast_of_a_row_is_that_of_the_file_cut_there(trained: Path, whole: PriceSeries) -> None:
    """Coming sessions are those of the calendar: no later row is needed to know when a report comes."""
    loaded = open_model(trained / "models", "acme").forecaster
    events = read_events([str(trained / "events.csv")])
    report = int(np.flatnonzero(np.arange(ROWS) % EVERY == 40)[-1])
    for row in (report - 4, report - 3, report - 1, report, report + 1, ROWS - 2):
        cut = whole.upto(whole.dates[row])
        assert cut is not None
        one, other = (loaded.forecast(Panel((each,)).with_events(events), [np.array([row])]) for each in (whole, cut))
        np.testing.assert_array_equal(one.quantiles, other.quantiles)
        np.testing.assert_array_equal(one.last, other.last)


def test_a_report_that_is_known_to_come_widens_its_bands(
    trained: Path, whole: PriceSeries, capsys: Capture, tmp_path: Path
) -> None:
    store = ("predict", "acme", "--store", str(trained / "models"))
    quiet = asked(capsys, *store)
    soon = np.busday_offset(whole.dates[-1], 2)
    told = write_events(tmp_path / "events.csv", [*dates_of(whole), soon])
    announced = asked(capsys, *store, "--events", str(told))
    assert width(announced, 1) > 1.3 * width(quiet, 1)
    assert width(announced, 2) > 1.3 * width(quiet, 2)
    assert width(announced, 0) < 1.1 * width(quiet, 0)


def test_the_model_remembers_where_its_events_are(trained: Path, capsys: Capture) -> None:
    shown = asked(capsys, "models", "show", "acme", "--store", str(trained / "models"))
    assert shown["manifest"]["events"] == [str(trained / "events.csv")]


def test_a_file_that_has_ended_is_said_and_the_guess_takes_over(
    trained: Path, whole: PriceSeries, capsys: Capture, tmp_path: Path
) -> None:
    store = ("predict", "acme", "--store", str(trained / "models"))
    last = dates_of(whole)[-4]
    ended = write_events(tmp_path / "ended.csv", dates_of(whole)[:-3])
    warnings = asked(capsys, *store, "--events", str(ended))["warnings"]
    assert f"acme: the report dates given end on {last}; the next one is guessed from past quarters." in warnings
    assert not [line for line in asked(capsys, *store)["warnings"] if "guessed" in line]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (None, 66, "there is no file"),
        ("date,series,kind\n2024-05-02,ACME\n", 65, "line 2: 2 cells"),
    ],
)
def test_events_that_cannot_be_used_are_refused(
    trained: Path, capsys: Capture, tmp_path: Path, text: str | None, code: int, message: str
) -> None:
    path = tmp_path / "events.csv"
    if text:
        path.write_text(text, encoding="utf-8")
    given = ("--csv", str(trained / "acme.csv"), "--events", str(path))
    for command in (["train", *given, *TINY], ["predict", "acme", *given]):
        error = asked(capsys, *command, "--store", str(trained / "models"), code=code)["error"]
        assert message in error["message"]
        assert error["fix"]


def test_a_model_is_not_trained_with_events_of_others_but_may_be_asked_with_them(
    trained: Path, capsys: Capture, tmp_path: Path
) -> None:
    others = write_events(tmp_path / "others.csv", [np.datetime64("2021-08-12")], "OTHER")
    given = ("--csv", str(trained / "acme.csv"), "--events", str(others), "--store", str(trained / "models"))
    error = asked(capsys, "train", *given, *TINY, code=65)["error"]
    assert "none of the events is about acme" in error["message"]
    warnings = asked(capsys, "predict", "acme", *given)["warnings"]
    assert "acme: no report is given; the next one is guessed from past quarters." in warnings


def test_a_model_without_events_is_given_none(trained: Path, capsys: Capture, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "models"))
    assert run(["train", "--csv", str(trained / "acme.csv"), *TINY, *store, "--quiet"]) == 0
    (manifest,) = (tmp_path / "models").glob("acme/versions/*/manifest.json")
    assert "events" not in json.loads(manifest.read_bytes())
    error = asked(capsys, "predict", "acme", "--events", str(trained / "events.csv"), *store, code=2)["error"]
    assert "was trained without events" in error["message"]


def test_what_nobody_knew_by_the_cutoff_is_said_not_to_be_learned(
    trained: Path, capsys: Capture, tmp_path: Path, whole: PriceSeries
) -> None:
    path = write_events(tmp_path / "late.csv", [whole.dates[-1] + np.timedelta64(20, "D")])
    given = ("--csv", str(trained / "acme.csv"), "--events", str(path), "--store", str(tmp_path / "models"))
    assert run(["train", *given, *TINY]) == 0
    assert "Nothing was learned of report: no such event was known by" in capsys.readouterr().err


def test_a_challenger_knows_the_events_too(
    capsys: Capture, tmp_path: Path, prices: Prices, write_csv: WriteCsv
) -> None:
    write_csv(reporting(prices(rows=ROWS)), tmp_path / "acme.csv")
    longer = reporting(prices(rows=ROWS + 20))
    write_events(tmp_path / "events.csv", dates_of(longer, more=1))
    store = ("--store", str(tmp_path / "models"))
    given = ("--csv", str(tmp_path / "acme.csv"), "--events", str(tmp_path / "events.csv"))
    assert run(["train", *given, *TINY, *store, "--quiet"]) == 0
    write_csv(longer, tmp_path / "acme.csv")
    assert asked(capsys, "retrain", "acme", "--force", *store)["promoted"]
    loaded = open_model(tmp_path / "models", "acme")
    assert loaded.manifest.events == (str(tmp_path / "events.csv"),)
    assert "report ahead 1" in loaded.forecaster.features
    assert len(Store(tmp_path / "models").versions("acme")) == 2


def test_a_backtest_and_an_audit_read_them(trained: Path, capsys: Capture, tmp_path: Path, whole: PriceSeries) -> None:
    given = ("--csv", str(trained / "acme.csv"), "--events", str(trained / "events.csv"))
    scores = []
    for some in (given, given[:2]):
        start = ("--from", str(whole.dates[300]), "--against", "naive", "--store", str(tmp_path / "models"))
        answer = asked(capsys, "backtest", *some, *start, *TINY)
        scores.append(np.mean([one["pinball"] for one in answer["models"]["model"]]))
    assert scores[0] < scores[1]
    checks = asked(capsys, "audit", *given, *TINY, "--repeats", "2")
    assert checks["passed"]
    assert {one["name"] for one in checks["checks"]} >= {
        "forecasts ignore events not known yet",
        "training ignores events not known by the cutoff",
    }


def test_events_that_are_not_known_yet_change_no_training(whole: PriceSeries) -> None:
    from stockcast.config.run import load_config
    from stockcast.learn import fit_to_cutoff
    from stockcast.model.training_run import TrainingRun

    config = load_config("daily", [part for part in TINY if part != "--set"])
    days = dates_of(whole, more=2)
    weights: list[dict[str, np.ndarray]] = []
    for lead in (30, 30, 29):
        events = [(day, "", "report", "", day - (30 if day < whole.dates[300] else lead)) for day in days]
        made_up = [(whole.dates[-1], "", "other", "", whole.dates[-1])]
        panel = Panel((whole,)).with_events(events_of(events + made_up[: len(weights)]))
        weights.append(fit_to_cutoff(panel, TrainingRun(config, "daily"))[1].trained.weights)
    for other in weights[1:]:
        for key, values in weights[0].items():
            np.testing.assert_array_equal(values, other[key])
