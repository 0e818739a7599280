"""Whose prices a saved model goes on with: its own series', its test file's, and nobody else's."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.store.read_version import Bundle
from stockcast.store.store import Store

NOW = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))["NOW"]
GOLDEN = Store(Path(__file__).parent / "golden" / "schema-1")

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture
def files(tmp_path: Path, prices: Prices, write_csv: WriteCsv) -> Path:
    """Folders with an acme.csv each: `whole` with all of 220 sessions, `early` with 200, and `late` with the others."""
    every = prices(rows=220)
    for folder, rows in {"whole": slice(None), "early": slice(200), "late": slice(200, None)}.items():
        (tmp_path / folder).mkdir()
        columns = {key: values[rows] for key, values in every.columns.items()}
        write_csv(replace(every, dates=every.dates[rows], columns=columns), tmp_path / folder / "acme.csv")
    return tmp_path


def saved(root: Path, name: str, csv: list[str], **manifest: Any) -> None:
    """The old model `name`, trained on acme's 220 sessions, that serves in the store `root` with prices from `csv`."""
    store, bundle = Store(root / "models"), GOLDEN.load(name)
    paths = tuple(str(root / path) for path in csv)
    changed = replace(bundle.manifest, csv=paths, **manifest)
    store.promote(name, store.save(name, Bundle(changed, bundle.files), NOW), "trained", NOW)


def forecast(root: Path, capsys: Capture, name: str = "acme") -> tuple[list[str], float, list[str]]:
    """Which series are forecast, from which price, and what is warned of."""
    capsys.readouterr()
    assert run(["predict", name, "--store", str(root / "models"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    return sorted({one["series"] for one in answer["forecasts"]}), answer["last"], answer["warnings"]


@pytest.mark.parametrize("known", [{}, {"test_csv": ""}], ids=["written before", "written now"])
@pytest.mark.parametrize("model", ["acme", "level"])
def test_a_second_file_in_the_folder_is_left_out_by_its_name(
    known: dict[str, str], model: str, files: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    saved(files, model, ["whole"], **known)
    alone = forecast(files, capsys, model)
    later = replace(prices(rows=120, seed=5, name="zinc", start="2021-01-01"))
    write_csv(later, files / "whole" / "zinc.csv")
    series, last, warnings = forecast(files, capsys, model)
    assert (series, last) == alone[:2]
    (told,) = (one for one in warnings if "zinc" in one)
    assert "left out" in told
    assert "trained on acme alone" in told

    assert run(["retrain", model, "--store", str(files / "models")]) == 0
    out, err = capsys.readouterr()
    assert "nothing new" in out
    assert "zinc" in err
    assert "trained on acme alone" in err


@pytest.mark.parametrize("known", [{}, {"test_csv": "late/acme.csv"}], ids=["written before", "written now"])
def test_a_test_file_follows_the_training_prices(known: dict[str, str], files: Path, capsys: Capture) -> None:
    saved(files, "acme", ["whole"])
    whole = forecast(files, capsys)
    saved(files, "acme", ["early/acme.csv", "late/acme.csv"], **{key: str(files / one) for key, one in known.items()})
    assert forecast(files, capsys)[:2] == whole[:2]


def test_a_file_that_was_no_test_file_is_not_taken_for_one_when_it_can_be_read_again(
    files: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    """An older version wrote both paths, and did not say that the second could not be read."""
    saved(files, "acme", ["whole/acme.csv", "zinc.csv"])
    write_csv(prices(rows=120, seed=5, name="zinc", start="2021-01-01"), files / "zinc.csv")
    series, _, warnings = forecast(files, capsys)
    assert series == ["acme"]
    assert any("zinc" in one and "left out" in one for one in warnings)


def grown_panel(files: Path, prices: Prices, write_csv: WriteCsv) -> None:
    """In the folder `whole` the two series of the golden panel, and one that it has not seen."""
    for seed, name in enumerate(("aa", "bb", "cc")):
        write_csv(prices(rows=220, seed=seed, name=name), files / "whole" / f"{name}.csv")
    (files / "whole" / "acme.csv").unlink()


def test_a_panel_takes_a_new_series_as_it_did(
    files: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    grown_panel(files, prices, write_csv)
    saved(files, "pair", ["whole"], test_csv="")
    assert forecast(files, capsys, "pair")[0] == ["aa", "bb", "cc"]


def test_a_panel_that_scales_each_series_by_itself_leaves_a_new_one_out(
    files: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    grown_panel(files, prices, write_csv)
    config = GOLDEN.load("pair", wanted=()).manifest.config
    saved(files, "pair", ["whole"], test_csv="", config={**config, "data": {**config["data"], "scale_by": "series"}})
    series, _, warnings = forecast(files, capsys, "pair")
    assert series == ["aa", "bb"]
    assert any("cc is left out: the model was trained on aa, bb alone" in one for one in warnings)


@pytest.mark.tensorflow
def test_a_training_writes_down_which_file_it_was_tested_on(files: Path, capsys: Capture) -> None:
    tiny = ["--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"]
    tested = ["--test-csv", str(files / "late" / "acme.csv")]
    store = files / "models"
    assert run(["train", "--csv", str(files / "early"), *tested, *tiny, "--name", "acme", "--store", str(store)]) == 0
    manifest = Store(store).load("acme").manifest
    assert manifest.test_csv == manifest.csv[-1] == str(files / "late" / "acme.csv")
    assert manifest.data[0]["rows"] == 220
    assert forecast(files, capsys)[1] == prices_of(files / "whole" / "acme.csv")[-1]


def prices_of(path: Path) -> list[float]:
    """The closes of a file."""
    return [float(line.split(",")[4]) for line in path.read_text().splitlines()[1:]]
