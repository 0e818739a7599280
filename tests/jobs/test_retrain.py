"""Retraining through the real command line: news, the gate, fleets, hooks and locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.jobs.loaded import open_version
from stockcast.reading.reader import read_panel
from stockcast.store.store import Store

pytestmark = pytest.mark.tensorflow

TINY = [
    *("--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"),
    *("--set", "data.horizon=2", "--set", "gate.tolerance=1"),
]

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture
def model(tmp_path: Path, prices: Prices, write_csv: WriteCsv) -> Callable[..., Path]:
    """Trains a model on 200 rows of a CSV and hands back the CSV, to which `grow` adds rows."""

    def train(name: str = "acme", *settings: str) -> Path:
        path = write_csv(prices(rows=200), tmp_path / f"{name}.csv")
        store = ["--store", str(tmp_path / "models"), "--quiet"]
        assert run(["train", "--csv", str(path), *TINY, *settings, *store]) == 0
        return path

    return train


@pytest.fixture
def grow(prices: Prices, write_csv: WriteCsv) -> Callable[[Path], None]:
    def add_rows(path: Path) -> None:
        write_csv(prices(rows=215), path)

    return add_rows


SLOW = ("--set", "data.halflife_alone=500")
"""A unit that twenty wild sessions hardly widen."""


def add_wild_rows(path: Path) -> None:
    """Twenty sessions that no band of a `SLOW` model of the rows before them holds."""
    wild = [f"2020-11-{day:02d},{p},{p},{p},{p},1000\n" for day, p in zip(range(11, 31), [90, 108] * 10, strict=True)]
    path.write_text(path.read_text() + "".join(wild))


def told(capsys: Capture, tmp_path: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The JSON of a command on the store in `tmp_path`."""
    capsys.readouterr()
    assert run([*arguments, "--store", str(tmp_path / "models"), "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_without_new_rows_nothing_is_done_and_tensorflow_stays_away(
    model: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    model()
    program = (
        "import sys; from stockcast.cli import run; code = run(sys.argv[1:]); "
        "sys.exit(code or 9 * ('tensorflow' in sys.modules))"
    )
    command = [sys.executable, "-c", program, "retrain", "acme", "--store", str(tmp_path / "models")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "nothing new" in done.stdout
    assert told(capsys, tmp_path, "retrain", "acme")["promoted"] is False


def test_a_challenger_that_passes_the_gate_serves_and_the_log_says_why(
    model: Callable[..., Path], grow: Callable[[Path], None], tmp_path: Path, capsys: Capture
) -> None:
    before = model()
    old = Store(tmp_path / "models").champion("acme").version
    grow(before)
    answer = told(capsys, tmp_path, "retrain", "acme")
    store = Store(tmp_path / "models")
    champion = store.champion("acme")
    assert answer["promoted"] is True
    assert champion.version == answer["version"] != old
    assert champion.replaced == old
    assert champion.why == answer["reason"]
    assert answer["gate"]["ratio"] <= 2
    assert [line["event"] for line in store.log("acme")] == ["train", "retrain"]
    evaluated = store.load("acme").manifest.scores["cutoffs"]
    assert evaluated["first"] < evaluated["last"]
    assert store.load("acme").manifest.data[0]["rows"] == 215
    assert told(capsys, tmp_path, "predict", "acme")["version"] == champion.version


def test_a_version_that_was_trained_on_other_files_goes_on_with_these(
    model: Callable[..., Path], prices: Prices, write_csv: WriteCsv, tmp_path: Path, capsys: Capture
) -> None:
    old = model()
    (tmp_path / "new").mkdir()
    new = write_csv(prices(rows=215), tmp_path / "new" / "acme.csv")
    assert told(capsys, tmp_path, "retrain", "acme", "--csv", os.path.relpath(new))["promoted"] is True
    manifest = Store(tmp_path / "models").load("acme").manifest
    assert Path(manifest.csv[0]).resolve() == new.resolve()
    assert manifest.data[0]["last"] == str(prices(rows=215).dates[-1])
    assert told(capsys, tmp_path, "predict", "acme")["as_of"] == manifest.data[0]["last"]
    old.unlink()
    assert told(capsys, tmp_path, "retrain", "acme")["reason"] == "nothing new"


@pytest.mark.parametrize("flags", [[], ["--force"]])
def test_prices_of_another_series_are_not_called_nothing_new(
    model: Callable[..., Path], prices: Prices, write_csv: WriteCsv, tmp_path: Path, capsys: Capture, flags: list[str]
) -> None:
    model()
    other = write_csv(prices(rows=240, seed=1), tmp_path / "zinc.csv")
    error = told(capsys, tmp_path, "retrain", "acme", "--csv", str(other), *flags, code=65)["error"]
    assert "zinc" in error["message"]
    assert "acme" in error["message"]
    assert f"stockcast train --csv {other}" in error["fix"]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    model: Callable[..., Path], grow: Callable[[Path], None], tmp_path: Path, capsys: Capture
) -> None:
    grow(model())
    store = Store(tmp_path / "models")
    old = store.champion("acme")
    answer = told(capsys, tmp_path, "retrain", "acme", "--dry-run")
    assert answer["promoted"] is False
    assert answer["reason"].startswith("dry run: it would be promoted")
    assert store.champion("acme") == old
    assert store.versions("acme") == (old.version,)
    assert [line["event"] for line in store.log("acme")] == ["train"]


def test_a_challenger_whose_bands_are_absurd_is_turned_away_with_the_reason(
    model: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    path = model("acme", *SLOW)
    add_wild_rows(path)
    store = Store(tmp_path / "models")
    old = store.champion("acme")
    answer = told(capsys, tmp_path, "retrain", "acme")
    assert answer["promoted"] is False
    assert "80 % band held" in answer["reason"]
    assert store.champion("acme").version == old.version
    assert store.log("acme")[-1]["promoted"] is False
    forced = told(capsys, tmp_path, "retrain", "acme", "--force")
    assert forced["promoted"] is False


def test_a_champion_that_is_the_challenger_ties_to_the_last_digit(
    model: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    """Both follow the answers from the block's beginning; nothing that the champion learned later is held for it."""
    dates = [line.split(",")[0] for line in model().read_text().splitlines()[1:]]
    model("acme", "--set", "fit.follow=0.05", "--set", "fit.follow_own=0.2", "--until", dates[-21])
    answer = told(capsys, tmp_path, "retrain", "acme", "--force", "--dry-run")
    assert answer["gate"]["ratio"] == 1.0
    assert answer["gate"]["against_naive"] is not None


def test_a_champion_from_longer_ago_brings_what_it_had_learned_when_the_block_began(
    prices: Prices, write_csv: WriteCsv, tmp_path: Path
) -> None:
    """From where it began to serve, it is judged by the very forecasts that `predict` made.

    But for two steps ahead: `predict` begins with the answers that were known when the model was saved, and the one to
    the last forecast before that was not.
    """
    path = write_csv(prices(rows=215), tmp_path / "acme.csv")
    whole = path.read_text()
    path.write_text("".join(whole.splitlines(keepends=True)[:201]))
    follow = ["--set", "fit.follow=0.05", "--set", "fit.follow_own=0.2"]
    assert run(["train", "--csv", str(path), *TINY, *follow, "--store", str(tmp_path / "models"), "--quiet"]) == 0
    path.write_text(whole)
    served = open_version(Store(tmp_path / "models"), "acme")
    panel, rows = read_panel([str(path)]).panel, np.arange(199, 214)
    began = np.datetime64(served.manifest.scores["cutoffs"]["first"], "D")
    forecasters = (served.forecaster.restarted(began), served.forecaster)
    judged, predicted = (one.forecast(panel, [rows]) for one in forecasters)
    np.testing.assert_allclose(judged.quantiles[:, 0], predicted.quantiles[:, 0], rtol=1e-12)
    np.testing.assert_allclose(judged.quantiles[0], predicted.quantiles[0], rtol=1e-12)


def test_a_rejected_challenger_is_not_trained_again_on_the_same_prices(
    model: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    path = model("acme", *SLOW)
    add_wild_rows(path)
    store, dry = Store(tmp_path / "models"), told(capsys, tmp_path, "retrain", "acme", "--dry-run")
    assert "80 % band held" in dry["reason"]
    assert store.champion("acme").rejected is None
    first = told(capsys, tmp_path, "retrain", "acme")
    assert first["gate"] is not None
    second = told(capsys, tmp_path, "retrain", "acme")
    assert (second["gate"], second["reason"]) == (None, "nothing new since a challenger was rejected on these prices")
    assert told(capsys, tmp_path, "retrain", "acme", "--force")["gate"] is not None
    path.write_text(f"{path.read_text()}2020-12-01,99,99,99,99,1000\n")
    assert told(capsys, tmp_path, "retrain", "acme")["gate"] is not None
    assert [line["event"] for line in store.log("acme")] == ["train", *["retrain"] * 4]


def test_one_failing_model_does_not_stop_the_others(
    model: Callable[..., Path], grow: Callable[[Path], None], tmp_path: Path, capsys: Capture
) -> None:
    grow(model("acme"))
    model("gone").unlink()
    answer = told(capsys, tmp_path, "retrain", "--all", "--jobs", "2", code=1)
    by_name = {one["name"]: one for one in answer["models"]}
    assert by_name["acme"]["promoted"] is True
    assert by_name["gone"]["error"]["exit_code"] == 66
    assert run(["retrain", "--all", "--store", str(tmp_path / "models"), "--quiet"]) == 1
    quiet = capsys.readouterr()
    assert "gone: there is no file" in quiet.out
    assert quiet.err.startswith("gone: failed")


def test_a_lock_that_is_held_is_told_at_once(model: Callable[..., Path], tmp_path: Path, capsys: Capture) -> None:
    model()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "models")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        error = told(capsys, tmp_path, "retrain", "acme", code=75)["error"]
        holder.communicate(b"\n")
    assert error["kind"] == "busy"
    assert told(capsys, tmp_path, "retrain", "acme")["reason"] == "nothing new"


HOLDER = """
import sys
from pathlib import Path
from stockcast.store.store import Store
with Store(Path(sys.argv[1])).lock("acme"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_failing_hook_changes_nothing_and_a_failure_is_handed_to_the_users_command(
    model: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    path = model()
    store = ["--store", str(tmp_path / "models")]
    assert run(["retrain", "acme", *store, "--notify-url", "http://127.0.0.1:9/ping"]) == 0
    assert "ping" in capsys.readouterr().err
    path.unlink()
    note = tmp_path / "note.txt"
    command = f'printf %s "$STOCKCAST_ERROR" > {note}'
    assert run(["retrain", "acme", *store, "--quiet", "--on-failure", command]) == 66
    assert "acme.csv" in note.read_text()
    assert run(["retrain", "acme", *store, "--quiet", "--on-failure", "exit 3"]) == 66


def test_it_runs_as_cron_runs_it(model: Callable[..., Path], grow: Callable[[Path], None], tmp_path: Path) -> None:
    grow(model())
    command = [sys.executable, "-m", "stockcast", "--store", str(tmp_path / "models"), "--quiet", "retrain", "acme"]
    done = subprocess.run(
        ["/bin/sh", "-c", 'umask 077; exec "$@" <&-', "sh", *command],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("acme: ")
    assert Store(tmp_path / "models").champion("acme").replaced is not None


def test_a_champion_older_than_its_limit_is_called_stale(
    model: Callable[..., Path], tmp_path: Path, capsys: Capture
) -> None:
    model("acme", "--set", "gate.max_age=1")
    assert not any("stale" in one for one in told(capsys, tmp_path, "predict", "acme")["warnings"])
    pointer = tmp_path / "models" / "acme" / "champion.json"
    from dataclasses import replace

    champion = replace(Store(tmp_path / "models").champion("acme"), since="2020-01-01T00:00:00Z")
    pointer.write_bytes(champion.encode())
    assert any("stale" in one for one in told(capsys, tmp_path, "predict", "acme")["warnings"])
    told(capsys, tmp_path, "predict", "acme", "--strict", code=1)
    for limit, code in (("0", 0), ("2", 1)):
        assert told(capsys, tmp_path, "retrain", "acme", "--max-age", limit)["reason"] == "nothing new"
        told(capsys, tmp_path, "predict", "acme", "--strict", code=code)
