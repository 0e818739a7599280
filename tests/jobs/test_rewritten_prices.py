"""What `predict`, `retrain`, `train` and `check --against` make of prices whose past has changed since training."""

from __future__ import annotations

import json
import runpy
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import COLUMNS, Panel, PriceSeries
from stockcast.store.manifest import fingerprint
from stockcast.store.read_version import Bundle
from stockcast.store.store import Store
from stockcast.store.trained_prices import PRICES, prices_file

GOLDEN = Store(Path(__file__).parent / "golden" / "schema-1")
NOW = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))["NOW"]
ROWS = 220

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]
Edit = Callable[[PriceSeries], PriceSeries]


def times(factor: float, volume: float = 1.0) -> Edit:
    def edit(series: PriceSeries) -> PriceSeries:
        columns = {key: values * (volume if key == "volume" else factor) for key, values in series.columns.items()}
        return replace(series, columns=columns, decimals=6)

    return edit


def part(rows: slice) -> Edit:
    def edit(series: PriceSeries) -> PriceSeries:
        columns = {key: values[rows] for key, values in series.columns.items()}
        return replace(series, dates=series.dates[rows], columns=columns)

    return edit


def corrected(count: int) -> Edit:
    def edit(series: PriceSeries) -> PriceSeries:
        close = series.columns["close"].copy()
        close[2 : 2 + 6 * count : 6] *= 1.01
        return replace(series, columns={**series.columns, "close": close})

    return edit


def only(*columns: str) -> Edit:
    return lambda series: replace(series, columns={key: series.columns[key] for key in columns})


def average(series: PriceSeries) -> PriceSeries:
    mean = np.mean([series.columns[key] for key in ("open", "high", "low", "close")], axis=0)
    return replace(series, columns={**series.columns, "close": mean}, decimals=4)


def same(series: PriceSeries) -> PriceSeries:
    return series


@pytest.fixture
def known(prices: Prices) -> PriceSeries:
    """What the golden model `acme` was trained on."""
    return prices(rows=ROWS)


@pytest.fixture(params=["schema-1", "schema-2"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: PriceSeries) -> Store:
    """A store of the model acme, as an older version saved it, or as it is saved now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOCKCAST_STORE", str(tmp_path / "models"))
    bundle = GOLDEN.load("acme")
    manifest, files = replace(bundle.manifest, csv=(str(tmp_path / "acme.csv"),)), bundle.files
    if request.param == "schema-2":
        manifest = replace(manifest, schema=2, data=({**fingerprint(known), "columns": list(COLUMNS)},))
        files = {**files, PRICES: prices_file(Panel((known,)))}
    store = Store(tmp_path / "models")
    store.promote("acme", store.save("acme", Bundle(manifest, files), NOW), "trained", NOW)
    return store


@pytest.fixture
def download(known: PriceSeries, write_csv: WriteCsv) -> Callable[[Edit], Path]:
    """A later download of acme: fifteen sessions more, and edited."""

    def write(edit: Edit) -> Path:
        dates = np.append(known.dates, np.busday_offset(known.dates[-1], np.arange(1, 16)))
        later = {key: np.append(values, values[-15:]) for key, values in known.columns.items()}
        return write_csv(edit(PriceSeries("acme", dates, later)), Path("acme.csv"))

    return write


def told(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def flags_of(fix: str) -> list[str]:
    """The flag that a fix offers beside the files."""
    return shlex.split(fix[fix.index("--accept") :].rstrip("."))


TAKEN = [(same, "same", "taken"), (times(0.995), "rescaled", "taken"), (times(0.25, 4.0), "split", "said")]
REFUSED = [
    (part(slice(0, 215)), "stale", None),
    (part(slice(30, None)), "shrunk", "shrunk"),
    (part(slice(215, None)), "shrunk", None),
    (only("open", "high", "low", "close"), "lost_columns", "lost_columns"),
    (only("close", "volume"), "lost_columns", "lost_columns"),
    (average, "other_price", None),
]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("edit", "kind", "verdict"), TAKEN, ids=lambda one: one if isinstance(one, str) else "")
def test_what_a_dividend_or_a_split_does_is_taken(
    edit: Edit, kind: str, verdict: str, download: Callable[[Edit], Path], capsys: Capture
) -> None:
    csv = str(download(edit))
    for command in ("predict", "check"):
        flags = ["acme"] if command == "predict" else ["--csv", csv, "--against", "acme"]
        answer = told(capsys, command, *flags)
        (change,) = answer["past"] if command == "predict" else answer["files"][0]["past"]
        assert (change["kind"], change["verdict"]) == (kind, verdict)
        words = answer["warnings"] if command == "predict" else answer["files"][0]["warnings"]
        assert any("split" in str(one) for one in words) == (kind == "split" and command == "predict")


@pytest.mark.parametrize(("edit", "kind", "accept"), REFUSED, ids=lambda one: one if isinstance(one, str) else "")
def test_what_is_refused_is_refused_alike_and_its_fix_works(
    edit: Edit, kind: str, accept: str | None, store: Store, download: Callable[[Edit], Path], capsys: Capture
) -> None:
    csv = str(download(edit))
    errors = [told(capsys, command, "acme", code=65)["error"] for command in ("predict", "retrain")]
    assert errors[0] == errors[1]
    checked = told(capsys, "check", "--csv", csv, "--against", "acme", code=65)
    (change,) = checked["files"][0]["past"]
    assert (change["kind"], change["verdict"]) == (kind, "refused")
    assert errors[0]["message"].split(". ")[0] in change["message"]
    assert store.log("acme")[-1]["event"] == "retrain failed"
    if accept:
        flags = flags_of(errors[0]["fix"])
        assert flags == ["--accept", accept]
        answer = told(capsys, "predict", "acme", *flags)
        assert answer["past"][0]["verdict"] == "said"
        assert store.champion("acme").accepted == (accept,)
        assert told(capsys, "predict", "acme")["forecasts"] == answer["forecasts"]
        told(capsys, "check", "--csv", csv, "--against", "acme")
    elif kind != "shrunk":
        assert "stockcast train --csv " in errors[0]["fix"]
        assert errors[0]["fix"].endswith("--name acme-2")


@pytest.mark.usefixtures("store")
def test_the_prices_of_another_series_are_refused_with_what_the_file_says_of_them(
    prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    csv = write_csv(prices(rows=240, seed=7), Path("acme.csv"))
    head, *lines = csv.read_text().splitlines()
    csv.write_text("\n".join([f"{head},Ticker", *(f"{line},ZINC" for line in lines), ""]))
    for command in ("predict", "retrain"):
        error = told(capsys, command, "acme", "--csv", str(csv), code=65)["error"]
        assert "zinc" in error["message"].lower()


def test_a_few_corrected_sessions_are_named_and_many_refused(
    store: Store, download: Callable[[Edit], Path], capsys: Capture
) -> None:
    if store.load("acme", wanted=()).manifest.schema == 1:
        pytest.skip("an older version has kept the held-out prices alone, which are not those that were corrected")
    download(corrected(1))
    answer = told(capsys, "predict", "acme")
    assert "1 of 220 past sessions is not as" in " ".join(answer["warnings"])
    download(corrected(5))
    error = told(capsys, "retrain", "acme", code=65)["error"]
    assert "5 of 220" in error["message"]
    kept = told(capsys, "predict", "acme", *flags_of(error["fix"]))
    assert kept["past"][0]["corrected"] == [one.removeprefix("corrected:") for one in store.champion("acme").accepted]
    download(corrected(6))
    told(capsys, "predict", "acme", code=65)


def test_an_older_model_says_that_it_compares_the_newest_alone(
    store: Store, download: Callable[[Edit], Path], capsys: Capture
) -> None:
    old = store.load("acme", wanted=()).manifest.schema == 1
    csv = str(download(times(0.995)))
    message = told(capsys, "check", "--csv", csv, "--against", "acme")["files"][0]["past"][0]["message"]
    assert ("Only the newest of them were kept" in message) == old


def test_a_model_that_was_never_judged_says_that_nothing_can_be_told(
    store: Store, download: Callable[[Edit], Path], capsys: Capture
) -> None:
    bundle = store.load("acme")
    if bundle.manifest.schema > 1:
        pytest.skip("it has kept its prices")
    header = bundle.files["backtest.csv"].split(b"\n")[0] + b"\n"
    version = store.save("acme", replace(bundle, files={**bundle.files, "backtest.csv": header}), NOW)
    store.promote("acme", version, "trained", NOW)
    download(times(0.995))
    answer = told(capsys, "predict", "acme")
    assert answer["past"][0]["kind"] == "untold"
    assert any("kept none to tell how" in one for one in answer["warnings"])


def test_prices_that_are_kept_and_are_none_are_told_from_a_change(
    store: Store, download: Callable[[Edit], Path], known: PriceSeries, capsys: Capture
) -> None:
    bundle = store.load("acme")
    if bundle.manifest.schema == 1:
        pytest.skip("it has kept none")
    other = prices_file(Panel((part(slice(0, 100))(known),)))
    store.promote("acme", store.save("acme", replace(bundle, files={**bundle.files, PRICES: other}), NOW), "", NOW)
    download(times(0.995))
    assert "prices.npz is damaged" in told(capsys, "predict", "acme", code=65)["error"]["message"]


def test_a_column_that_the_model_was_trained_without_changes_no_forecast_and_is_said(
    store: Store, download: Callable[[Edit], Path], known: PriceSeries, capsys: Capture
) -> None:
    bundle = store.load("acme")
    if bundle.manifest.schema == 1:
        pytest.skip("an older version has not kept which columns it had")
    manifest = replace(bundle.manifest, data=({**fingerprint(known), "columns": ["close", "volume"]},))
    store.promote("acme", store.save("acme", Bundle(manifest, bundle.files), NOW), "trained", NOW)
    download(only("close", "volume"))
    before = told(capsys, "predict", "acme")
    csv = str(download(same))
    after = told(capsys, "predict", "acme")
    assert after["forecasts"] == before["forecasts"]
    (change,) = after["past"]
    assert (change["kind"], change["verdict"]) == ("new_columns", "said")
    assert change["new_columns"] == ["high", "low", "open"]
    said = "acme: the columns were not there when the model was trained: high, low, open."
    assert any(said in one for one in after["warnings"])
    assert said in told(capsys, "check", "--csv", csv, "--against", "acme")["files"][0]["past"][0]["message"]


@pytest.mark.usefixtures("store")
def test_check_tells_in_words(download: Callable[[Edit], Path], capsys: Capture) -> None:
    assert run(["check", "--csv", str(download(part(slice(30, None)))), "--against", "acme"]) == 65
    text = " ".join(capsys.readouterr().out.split())
    assert "was trained on: 1 shrunk." in text
    assert "refused acme: its prices begin on" in text
    assert "To take it: --accept shrunk" in text


def test_of_a_panel_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOCKCAST_STORE", "models")
    Path("pair").mkdir()
    bundle, store = GOLDEN.load("pair"), Store(Path("models"))
    manifest = replace(bundle.manifest, csv=(str(tmp_path / "pair"),))
    store.promote("pair", store.save("pair", Bundle(manifest, bundle.files), NOW), "trained", NOW)
    for name, seed in (("aa", 0), ("bb", 5)):
        write_csv(prices(rows=ROWS, seed=seed, name=name), Path("pair") / f"{name}.csv")
    answer = told(capsys, "predict", "pair")
    assert {one["series"] for one in answer["forecasts"]} == {"aa"}
    assert any("bb.csv: bb: these are not the prices" in one for one in answer["warnings"])
    assert [one["kind"] for one in answer["past"]] == ["same", "another"]
    again = told(capsys, "retrain", "pair")
    assert again["reason"] == "nothing new"
    assert any("Left out" in one and "bb" in one for one in again["warnings"])
    assert told(capsys, "check", "--csv", "pair", "--against", "pair", code=1)["against"]["missing"] == []


TINY = ["--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"]
TINY += ["--set", "data.horizon=2", "--set", "gate.tolerance=1"]


@pytest.mark.tensorflow
def test_after_a_dividend_a_model_is_trained_and_retrained_as_ever(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    download: Callable[[Edit], Path],
    capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOCKCAST_STORE", "models")
    download(part(slice(0, ROWS)))
    told(capsys, "train", "--csv", "acme.csv", *TINY)
    manifest = Store(Path("models")).load("acme").manifest
    assert manifest.data[0]["columns"] == sorted(COLUMNS)
    download(times(0.995))
    retrained = told(capsys, "retrain", "acme")
    assert retrained["promoted"] is True
    assert retrained["past"][0]["kind"] == "rescaled"
    download(times(0.990))
    assert told(capsys, "train", "--csv", "acme.csv", *TINY)["past"][0]["kind"] == "rescaled"
    download(only("open", "high", "low", "close"))
    told(capsys, "retrain", "acme", code=65)
    trained = told(capsys, "train", "--csv", "acme.csv", *TINY)
    assert trained["past"][0]["kind"] == "lost_columns"
    assert told(capsys, "predict", "acme")["past"][0]["kind"] == "same"
    download(same)
    assert told(capsys, "predict", "acme")["past"][0]["kind"] == "new_columns"
    assert told(capsys, "retrain", "acme", "--force")["past"][0]["kind"] == "new_columns"
    assert "volume" not in Store(Path("models")).load("acme").manifest.data[0]["columns"]
    told(capsys, "train", "--csv", "acme.csv", *TINY)
    assert "volume" in Store(Path("models")).load("acme").manifest.data[0]["columns"]
