"""`predict` of several models and with --record, and `score`, through the real commands on models saved long ago."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import Panel, PriceSeries
from stockcast.jobs.common import workers
from stockcast.jobs.live.champion import champion_record
from stockcast.ledger import clock
from stockcast.store.store import Store

ROWS = 220
"""The golden models were trained on so many sessions, of which the last is 2020-11-03."""

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


pytestmark = pytest.mark.usefixtures("clock_put_right")


def at(moment: str) -> None:
    """Let it be that moment, UTC."""
    clock.utc_now = lambda: datetime.fromisoformat(f"{moment}+00:00")


def told(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def printed(capsys: Capture, *arguments: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert run(arguments) == code
    return capsys.readouterr()


def days(prices: Prices) -> list[str]:
    """The sessions of the golden models and thirty more."""
    return [str(day) for day in prices(rows=ROWS + 30).dates]


def replay(folder: Path, prices: Prices, write_csv: WriteCsv, sessions: int, skip: tuple[int, ...] = ()) -> PriceSeries:
    """Record acme's forecasts of so many sessions, one after another, and leave its file at the last."""
    whole = prices(rows=ROWS + sessions)
    for number in range(sessions + 1):
        now = part(whole, ROWS + number)
        write_csv(now, folder / "acme.csv")
        at(f"{now.dates[-1]}T22:30:00")
        if number not in skip:
            assert run(["predict", "acme", "--record", "--quiet", "-o", "said.txt"]) == 0
    return whole


def part(series: PriceSeries, rows: int) -> PriceSeries:
    columns = {key: values[:rows] for key, values in series.columns.items()}
    return replace(series, dates=series.dates[:rows], columns=columns)


def test_a_recorded_forecast_is_the_same_and_has_a_receipt(folder: Path, capsys: Capture) -> None:
    at("2020-11-03T22:30:00")
    plain = told(capsys, "predict", "acme")
    recorded = told(capsys, "predict", "acme", "--record")
    issue = recorded.pop("issue")
    assert recorded == plain
    horizon = len(plain["forecasts"])
    assert issue == {
        "issue": 1,
        "issued_at": "2020-11-03T22:30:00Z",
        "forecasts": horizon,
        "live": horizon,
        "late": 0,
        "superseded": 0,
    }
    text, _ = printed(capsys, "predict", "acme")
    again, said = printed(capsys, "predict", "acme", "--record")
    assert again == text
    assert "the first counts" in said
    assert (folder / "models" / "ledger.sqlite").exists()


def test_without_record_the_ledger_is_not_even_imported(folder: Path) -> None:
    program = (
        "import sys; from stockcast.cli import run; code = run(['predict', 'acme']); "
        "print(*(one for one in sys.modules if 'sqlite' in one or 'ledger' in one or 'live' in one), file=sys.stderr); "
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == ""
    assert not (folder / "models" / "ledger.sqlite").exists()


@pytest.mark.usefixtures("folder")
def test_several_models_are_one_table_one_object_and_one_csv(capsys: Capture) -> None:
    alone = {name: told(capsys, "predict", name) for name in ("acme", "pair")}
    for words in (("--all",), ("acme", "pair"), ("acme", "pair", "acme")):
        answer = told(capsys, "predict", *words)
        assert answer["models"] == [alone["acme"], alone["pair"]]
        assert "issue" not in answer
    out, _ = printed(capsys, "predict", "--all", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0])[:5] == ["model", "series", "date", "step", "forecast"]
    assert [(row["model"], row["series"]) for row in rows[:: len(rows) // 3]] == [
        *(("acme", "acme"), ("pair", "aa"), ("pair", "bb")),
    ]
    table, _ = printed(capsys, "predict", "--all")
    assert len(table.splitlines()) == 2 + len(rows)
    assert all(row["model"] in table and row["date"] in table for row in rows)


@pytest.mark.trial
@pytest.mark.usefixtures("folder")
def test_many_models_are_forecast_and_scored_by_processes_as_they_are_by_one(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(capsys, "predict", "--all", "--record")
    here = [told(capsys, command, "--all") for command in ("predict", "score")]
    monkeypatch.setattr(workers, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert [told(capsys, command, "--all") for command in ("predict", "score")] == here


def test_a_model_that_fails_is_named_in_its_place(folder: Path, capsys: Capture) -> None:
    at("2020-11-03T22:30:00")
    (folder / "acme.csv").unlink()
    answer = told(capsys, "predict", "--all", "--record", code=1)
    failed, made = answer["models"]
    assert failed["name"] == "acme"
    assert failed["error"]["exit_code"] == 66
    assert made["name"] == "pair"
    assert answer["issue"]["live"] == len(made["forecasts"])
    table, _ = printed(capsys, "predict", "--all", code=1)
    assert table.splitlines()[2].startswith("acme: failed: ")
    (folder / "pair" / "aa.csv").unlink()
    (folder / "pair" / "bb.csv").unlink()
    answer = told(capsys, "predict", "--all", "--record", code=1)
    assert answer["issue"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--all", "acme"), "both given"),
        (("acme", "pair", "--csv", "acme.csv"), "--csv goes with one model"),
        (("--all", "--series", "aa"), "--series goes with one model"),
        ((), "holds 2 models"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_can_not_be_meant_is_refused(capsys: Capture, words: tuple[str, ...], said: str) -> None:
    error = told(capsys, "predict", *words, code=2)["error"]
    assert said in error["message"]


def test_a_store_may_record_without_being_told(folder: Path, capsys: Capture) -> None:
    at("2020-11-03T22:30:00")
    (folder / "models" / "stockcast.toml").write_text("[ledger]\nrecord = true\n")
    assert told(capsys, "predict", "acme")["issue"]["issue"] == 1
    assert "issue" not in told(capsys, "predict", "acme", "--no-record")
    assert told(capsys, "predict", "--all")["issue"]["issue"] == 2
    (folder / "models" / "stockcast.toml").write_text("[ledger]\nrecrod = true\n")
    error = told(capsys, "predict", "acme", code=2)["error"]
    assert "stockcast.toml" in error["message"]
    assert "did you mean 'ledger.record'" in error["message"].lower()


def test_a_forecast_that_can_not_be_kept_is_printed_all_the_same(folder: Path, capsys: Capture) -> None:
    (folder / "models" / "ledger.sqlite").write_text("a shopping list" * 1000)
    plain = told(capsys, "predict", "acme")
    answer = told(capsys, "predict", "acme", "--record", code=65)
    assert answer["forecasts"] == plain["forecasts"]
    assert answer["issue"] is None
    (warning,) = set(answer["warnings"]) - set(plain["warnings"])
    assert "nothing of this was recorded" in warning
    assert "ledger.sqlite is damaged" in warning


@pytest.mark.usefixtures("folder")
def test_days_beyond_the_horizon_are_recorded_as_they_were_said(capsys: Capture) -> None:
    at("2020-11-03T22:30:00")
    answer = told(capsys, "predict", "acme", "--days", "7", "--record")
    assert answer["issue"]["live"] == 7


def test_scores_wait_for_prices_and_then_say_what_a_backtest_would(
    folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    replay(folder, prices, write_csv, 0)
    before = told(capsys, "score")["models"][0]
    assert before["counts"]["scored"] == 0
    assert before["counts"]["waiting"] > 0
    assert "models" not in before
    assert "no forecast could be judged yet" in printed(capsys, "score", "acme")[0]

    whole = replay(folder, prices, write_csv, 24, skip=(0, 7))
    scored = told(capsys, "score", "acme", "-o", "rows.csv")["models"][0]
    counts = scored["counts"]
    assert counts["skipped"] == 1
    steps = scored["models"]["model"]
    assert [one["n"] for one in steps] == [24 - step - (step <= 7) for step in range(len(steps))]
    assert counts["scored"] == sum(one["n"] for one in steps)
    assert {one["opponent"] for one in scored["against"]} >= {"naive", "ewma"}
    with (folder / "rows.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "acme"]
    assert len(rows) == counts["scored"]
    closes = dict(zip(whole.dates.astype(str).tolist(), whole.columns["close"].tolist(), strict=True))
    for row in rows:
        assert float(row["last"]) == closes[row["cutoff"]]
        assert float(row["actual"]) == pytest.approx(closes[row["date"]], rel=1e-12)
    inside = np.mean(
        [float(row["q0.1"]) <= float(row["actual"]) <= float(row["q0.9"]) for row in rows if row["step"] == "1"]
    )
    assert steps[0]["bands"][1]["coverage"] == pytest.approx(inside)
    text, _ = printed(capsys, "score", "acme")
    assert "Too few days to tell: 23 of 200" in text
    assert "1 session passed without a forecast" in text


def test_late_and_repeated_forecasts_are_counted_and_not_scored(
    folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    replay(folder, prices, write_csv, 8)
    horizon = len(told(capsys, "predict", "acme")["forecasts"])
    write_csv(part(prices(rows=ROWS + 8), ROWS + 3), folder / "acme.csv")
    at("2030-01-01T00:00:00")
    assert told(capsys, "predict", "acme", "--record")["issue"]["late"] == horizon
    write_csv(part(prices(rows=ROWS + 8), ROWS + 8), folder / "acme.csv")
    at(f"{prices(rows=ROWS + 8).dates[-1]}T22:45:00")
    assert told(capsys, "predict", "acme", "--record")["issue"]["superseded"] == horizon
    write_csv(prices(rows=ROWS + 30), folder / "acme.csv")
    scored = told(capsys, "score", "acme")["models"][0]
    assert [one["n"] for one in scored["models"]["model"]] == [9] * horizon
    assert scored["counts"]["late"] == scored["counts"]["superseded"] == horizon
    assert f"{horizon} issued too late, {horizon} issued again" in printed(capsys, "score", "acme")[0]


def test_since_and_by_take_parts_of_the_record(
    folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    replay(folder, prices, write_csv, 24)
    whole = told(capsys, "score", "acme", "--by", "month")["models"][0]
    parts = whole["by"]
    assert list(parts) == ["2020-11", "2020-12"]
    first = [each["model"][0]["n"] for each in parts.values()]
    assert sum(first) == whole["models"]["model"][0]["n"] == 24
    since = told(capsys, "score", "acme", "--since", "2020-12-01")["models"][0]
    assert since["models"]["model"][0]["n"] == first[1]
    assert since["cutoffs"]["first"] == "2020-12-01"
    error = told(capsys, "score", "acme", "--since", "2021-06-01", code=66)["error"]
    assert "since 2021-06-01" in error["message"]
    for by in ("model", "series", "step", "month"):
        assert printed(capsys, "score", "acme", "--by", by)[0]


def test_the_long_form_holds_every_quantile_of_what_counts(
    folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    replay(folder, prices, write_csv, 3)
    scored = told(capsys, "score", "acme", "--format", "hubverse", "-o", "hub.csv")["models"][0]
    with (folder / "hub.csv").open() as file:
        rows = list(csv.DictReader(file))
    counts = scored["counts"]
    assert len(rows) == 9 * (counts["scored"] + counts["waiting"])
    first = rows[0]
    assert list(first)[-3:] == ["output_type", "output_type_id", "value"]
    assert (first["model_id"], first["location"], first["target"], first["horizon"]) == ("acme", "acme", "close", "1")
    assert (first["origin_date"], first["target_end_date"]) == ("2020-11-03", "2020-11-04")
    assert (first["output_type"], first["output_type_id"]) == ("quantile", "0.025")


def test_all_models_have_a_line_and_one_that_is_gone_is_named(
    folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    at("2020-11-03T22:30:00")
    assert run(["predict", "--all", "--record", "--quiet", "-o", "said.txt"]) == 0
    write_csv(prices(rows=ROWS + 5), folder / "acme.csv")
    for seed, name in enumerate(("aa", "bb")):
        write_csv(prices(rows=ROWS + 5, seed=seed), folder / "pair" / f"{name}.csv")
    at("2020-11-10T22:30:00")
    lines = printed(capsys, "score", "--all")[0].splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["acme", "pair"]
    assert [one["name"] for one in told(capsys, "score", "--all")["models"]] == ["acme", "pair"]
    pair = told(capsys, "score", "pair", "--by", "series")["models"][0]
    assert list(pair["by"]) == ["aa", "bb"]
    error = told(capsys, "score", code=2)["error"]
    assert "acme, pair" in error["message"]

    Store(folder / "models").remove("acme")
    answer = told(capsys, "score", "--all", code=1)
    assert answer["models"][0]["error"]["exit_code"] == 66
    assert "--csv" in answer["models"][0]["error"]["fix"]
    assert told(capsys, "score", "acme", "--csv", "acme.csv")["models"][0]["counts"]["scored"] > 0


def test_a_retraining_says_how_the_champion_did_live(folder: Path, prices: Prices, write_csv: WriteCsv) -> None:
    version = Store(folder / "models").champion("acme").version
    panel = Panel((replay(folder, prices, write_csv, 12),))
    (line,) = champion_record(folder / "models", "acme", version, panel)
    assert line.startswith(f"acme: {version} has been live for 12 judged days: the 80 % band held ")
    assert "of the last price's" in line
    assert champion_record(folder / "models", "acme", "20990101T000000Z-00000000", panel) == []
    assert champion_record(folder / "nowhere", "acme", version, panel) == []
    (folder / "models" / "ledger.sqlite").write_text("no ledger" * 1000)
    (line,) = champion_record(folder / "models", "acme", version, panel)
    assert "not known" in line


def test_verify_checks_the_chain_and_the_versions(folder: Path, capsys: Capture) -> None:
    at("2020-11-03T22:30:00")
    assert run(["predict", "--all", "--record", "--quiet", "-o", "said.txt"]) == 0
    sound = told(capsys, "score", "--verify")
    assert (sound["issues"], sound["versions"], sound["gone"], sound["faults"]) == (1, 2, 0, [])
    Store(folder / "models").remove("acme")
    assert told(capsys, "score", "--verify")["gone"] == 1
    version = Store(folder / "models").champion("pair").version
    manifest = folder / "models" / "pair" / "versions" / version / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    (fault,) = told(capsys, "score", "--verify", code=1)["faults"]
    assert fault.startswith("pair ")
    text, _ = printed(capsys, "score", "--verify", code=1)
    assert "DAMAGED" in text


@pytest.mark.usefixtures("folder")
def test_without_a_ledger_score_says_how_to_begin_one(capsys: Capture) -> None:
    error = told(capsys, "score", "acme", code=66)["error"]
    assert "no forecast was recorded" in error["message"]
    assert "--record" in error["fix"]
