"""Small slips of a tired user, each answered with a fix that works when it is typed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.config.run import RunConfig, load_config
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import ConfigError
from stockcast.jobs.new_version import sessions_of
from stockcast.store.manifest import fingerprint
from stockcast.store.store import Store

GOLDEN = Path(__file__).parent / "golden" / "schema-1"

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN, "models")


def told(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def changed(store: Store, **manifest: Any) -> None:
    """Let acme serve a version with another manifest."""
    bundle, now = store.load("acme"), datetime.now(UTC)
    altered = replace(bundle, manifest=replace(bundle.manifest, **manifest))
    store.promote("acme", store.save("acme", altered, now), "changed", now)


def test_training_on_another_series_names_a_free_name(prices: Prices, write_csv: WriteCsv, capsys: Capture) -> None:
    changed(Store(Path("models")), data=(fingerprint(prices(rows=220)),))
    write_csv(prices(rows=220, name="other"), Path("other.csv"))
    fix = told(capsys, "train", "--csv", "other.csv", "--name", "acme", code=65)["error"]["fix"]
    assert fix == "give the new model another name: stockcast train --csv other.csv --name acme-2"


@pytest.mark.parametrize(
    ("preset", "key"), [("tutorial-google", "data.lookback"), ("daily", "fit.epochs"), ("mine.toml", "fit.seed")]
)
def test_a_fix_names_the_value_of_the_configuration_that_is_used(preset: str, key: str) -> None:
    Path("mine.toml").write_text("[fit]\nseed = 77\n")
    section, name = key.split(".")
    own = load_config(preset).model_dump()[section][name]
    with pytest.raises(ConfigError) as raised:
        load_config(preset, {key: -5})
    assert str(raised.value.fix).startswith(f"--set {key}={own} is what the configuration has")
    assert load_config(preset, [f"{key}={own}"]) == load_config(preset)


@pytest.mark.parametrize("calendar", ["NYSE2", "XTAE"])
def test_a_calendar_that_cannot_be_drawn_up_is_refused_before_the_training(
    calendar: str, prices: Prices, write_csv: WriteCsv, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    if calendar == "XTAE":
        with suppress(ValueError):
            import_module("exchange_calendars").get_calendar(calendar, start="2022-01-01", end="2027-01-01")
            pytest.skip("this exchange_calendars can draw it up")
    monkeypatch.setattr("stockcast.jobs.common.learned.learn", lambda *_: pytest.fail("it was trained"))
    write_csv(prices(rows=300, name="new", start="2022-01-03"), Path("new.csv"))
    error = told(capsys, "train", "--csv", "new.csv", "--set", f"data.calendar={calendar}", code=2)["error"]
    assert error["kind"] == "config"
    assert calendar in error["message"]


EMPTY = (
    *(["train", "--csv", ""], ["predict", "acme", "--csv", ""], ["train", "--csv", "a.csv", "--test-csv", " "]),
    *(["check", "--csv", "a.csv", "--csv", ""], ["train", "--csv", "a.csv", "--name", ""]),
    *(["models", "list", "--store", ""], ["retrain", "acme", "--csv", ""]),
)


@pytest.mark.parametrize("arguments", EMPTY, ids=map(" ".join, EMPTY))
def test_what_is_empty_is_refused(arguments: list[str], prices: Prices, write_csv: WriteCsv, capsys: Capture) -> None:
    """As `--csv "$PRICES"` is where that is not set: every CSV file of the folder was read before."""
    write_csv(prices(rows=220), Path("a.csv"))
    error = told(capsys, *arguments, code=2)["error"]
    assert "it is empty" in error["message"]


@pytest.mark.parametrize("calendar", ["XNYS", "weekdays", "24/7", "sun-mon-tue-wed-thu"])
def test_the_calendar_goes_on_past_the_list(
    calendar: str, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    csv = str(write_csv(prices(rows=225), Path("acme.csv")))
    listed = Store(Path("models")).load("acme").manifest.next_sessions[:30]
    changed(Store(Path("models")), next_sessions=listed, calendar=calendar)
    answer = told(capsys, "predict", "acme", "--csv", csv, "--days", "250")
    dates = [one["date"] for one in answer["forecasts"]]
    assert len(dates) == 250
    assert dates == sorted(set(dates))
    assert any(f"up to {listed[-1]}" in one and calendar in one for one in answer["warnings"])
    within = told(capsys, "predict", "acme", "--csv", csv, "--days", "2")
    assert not any("lists sessions" in one for one in within["warnings"])


def test_the_end_of_time_calls_no_manifest_damaged(prices: Prices) -> None:
    series = prices(rows=60)
    dates = np.datetime64("9999-12-30") - np.arange(59, -1, -1)
    late = PriceSeries("late", dates, series.columns)
    calendar, sessions, _ = sessions_of(Panel((late,)), load_config("daily", {"data.calendar": "24/7"}))
    assert (calendar, sessions[-1], len(sessions)) == ("24/7", "9999-12-31", 21)
    store = Store(Path("models"))
    changed(store, next_sessions=sessions, data=(fingerprint(late),))
    assert store.load("acme").manifest.next_sessions == sessions


UNREADABLE = (
    *(["check"], ["train"], ["predict", "acme"], ["retrain", "acme"], ["plot", "acme"], ["audit"]),
    ["backtest", "--from", "2020-06-01"],
)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no file here that nobody can read")
@pytest.mark.parametrize("command", UNREADABLE, ids=map(" ".join, UNREADABLE))
def test_a_csv_that_cannot_be_read_has_one_exit_code(command: list[str], capsys: Capture) -> None:
    told(capsys, *command, "--csv", "/proc/self/mem", code=74)


QUIET = (
    *(["models", "list"], ["models", "verify"], ["models", "show", "acme"], ["check", "--csv", "acme.csv"]),
    *(["predict", "acme", "--csv", "acme.csv"], ["config", "list"], ["retrain", "acme", "--csv", "acme.csv"]),
    *(["schedule", "acme"], ["export", "acme", "-o", "acme.onnx"], ["plot", "acme", "--csv", "acme.csv"]),
)


@pytest.mark.parametrize("command", QUIET, ids=map(" ".join, QUIET))
def test_quiet_prints_the_result_and_nothing_else(
    command: list[str], prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    write_csv(prices(rows=220), Path("acme.csv"))
    assert run(command) == 0
    loud = capsys.readouterr().out
    assert run([*command, "--quiet"]) == 0
    assert capsys.readouterr() == (loud, "")
    assert loud


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "acme", "--max-age"),
        ("predict", "acme", "--days"),
        ("retrain", "acme", "--max-age"),
        ("retrain", "--all", "--jobs"),
        ("report", "--all", "--jobs"),
        ("backtest", "--csv", "acme.csv", "--start", "2020-06-01", "--window"),
    ],
    ids=" ".join,
)
def test_a_number_beyond_all_reason_is_a_slip_of_the_line(
    words: tuple[str, ...], prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    write_csv(prices(rows=220), Path("acme.csv"))
    assert told(capsys, *words, "1" + "0" * 20, code=2)["error"]["kind"] == "usage"


def test_every_whole_number_of_the_settings_ends_somewhere() -> None:
    for section in RunConfig.model_fields.values():
        for name, field in getattr(section.annotation, "model_fields", {}).items():
            ends = [mark for mark in field.metadata if getattr(mark, "le", None) or getattr(mark, "lt", None)]
            assert field.annotation is not int or ends, name
