"""Train, predict, plot, backtest and audit through the real command line, on tiny models."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.config.run import load_config
from stockcast.data.series import Panel, PriceSeries
from stockcast.jobs.loaded import open_model
from stockcast.model.baselines import build

pytestmark = pytest.mark.tensorflow

TINY = [
    *("--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"),
    *("--set", "data.horizon=3"),
]
LEVELS = ["0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.975", "0.99"]

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, prices: Prices, write_csv: WriteCsv) -> Path:
    """A folder with acme.csv, a panel of two series, and a store with a model of each."""
    folder = tmp_path_factory.mktemp("trained")
    write_csv(prices(rows=220), folder / "acme.csv")
    (folder / "us").mkdir()
    for rows, name in ((220, "aa"), (212, "bb"), (150, "ended")):
        write_csv(prices(rows=rows, seed=rows, name=name), folder / "us" / f"{name}.csv")
    store = ["--store", str(folder / "models"), "--quiet"]
    assert run(["train", "--csv", str(folder / "acme.csv"), *TINY, *store]) == 0
    assert run(["train", "--csv", str(folder / "us"), *TINY, *store]) == 0
    return folder


def asked(capsys: Capture, *arguments: str) -> dict[str, object]:
    """The JSON object that a successful command prints."""
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def in_new_process(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """A command in an interpreter of its own that reports on stderr which heavy libraries it loaded."""
    program = (
        "import sys; from stockcast.cli import run; code = run(sys.argv[1:]); "
        "heavy = ('tensorflow', 'keras', 'sklearn', 'matplotlib', 'scipy', 'exchange_calendars'); "
        "print('loaded:', *(one for one in heavy if one in sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def test_a_model_serves_with_the_settings_of_as_many_series_as_it_was_trained_on(trained: Path) -> None:
    """Even where a single series of a panel is forecast."""
    halflives = {name: open_model(trained / "models", name).forecaster.data.halflife for name in ("acme", "us")}
    assert halflives == {"acme": 10, "us": 40}


def test_predict_json_is_what_the_design_promises(trained: Path, capsys: Capture, prices: Prices) -> None:
    answer = asked(capsys, "predict", "acme", "--store", str(trained / "models"))
    assert set(answer) == {
        *("name", "config", "version", "as_of", "last", "target", "calendar", "forecasts", "warnings", "past"),
    }
    last = prices(rows=220)
    assert answer["name"] == "acme"
    assert answer["config"] == "daily"
    assert answer["as_of"] == str(last.dates[-1])
    assert answer["last"] == last.columns["close"][-1]
    assert answer["target"] == "close"
    forecasts = answer["forecasts"]
    assert isinstance(forecasts, list)
    assert [one["step"] for one in forecasts] == [1, 2, 3]
    assert all(one["series"] == "acme" for one in forecasts)
    dates = [one["date"] for one in forecasts]
    assert dates == sorted(dates)
    assert dates[0] > str(answer["as_of"])
    for one in forecasts:
        assert list(one["quantiles"]) == LEVELS
        values = list(one["quantiles"].values())
        assert values == sorted(values)
        assert one["forecast"] == one["quantiles"]["0.5"]
        assert 50 < one["forecast"] < 200
        risk = one["risk"]
        assert risk["level"] == 0.01
        assert risk["value_at_risk"] == pytest.approx(
            1 - one["quantiles"]["0.01"] / last.columns["close"][-1], abs=1e-5
        )
        assert 0 < risk["value_at_risk"] < risk["expected_shortfall"] < 0.5


def test_predict_says_the_same_in_every_form_and_place(trained: Path, capsys: Capture, tmp_path: Path) -> None:
    store = ("--store", str(trained / "models"))
    answer = asked(capsys, "predict", "acme", *store)
    assert run(["predict", "acme", *store, "--format", "csv", "-o", str(tmp_path / "out.csv")]) == 0
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    forecasts = answer["forecasts"]
    assert isinstance(forecasts, list)
    assert [float(row["forecast"]) for row in rows] == [one["forecast"] for one in forecasts]
    assert [float(row["q0.975"]) for row in rows] == [one["quantiles"]["0.975"] for one in forecasts]
    capsys.readouterr()
    assert run(["predict", "acme", *store]) == 0
    table = capsys.readouterr().out
    assert all(row["date"] in table and f"{float(row['forecast']):.2f}" in table for row in rows)


def test_days_beyond_the_horizon_widen_and_are_said_to_be_guesses(trained: Path, capsys: Capture) -> None:
    answer = asked(capsys, "predict", "acme", "--days", "12", "--store", str(trained / "models"))
    forecasts = answer["forecasts"]
    assert isinstance(forecasts, list)
    assert len(forecasts) == 12
    width = [one["quantiles"]["0.9"] / one["quantiles"]["0.1"] for one in forecasts]
    assert np.log(width[11]) == pytest.approx(np.log(width[2]) * 2, rel=1e-3)  # sqrt(12 / 3)
    assert "3 sessions" in str(answer["warnings"])


def test_a_panel_forecasts_each_series_and_a_series_it_never_saw(
    trained: Path, capsys: Capture, prices: Prices, write_csv: WriteCsv, tmp_path: Path
) -> None:
    store = ("--store", str(trained / "models"))
    answer = asked(capsys, "predict", "us", *store)
    every = answer["forecasts"]
    assert isinstance(every, list)
    assert {one["series"] for one in every} == {"aa", "bb"}
    assert "ended is left out" in str(answer["warnings"])
    one = asked(capsys, "predict", "us", "--series", "bb", *store)["forecasts"]
    assert one == [entry for entry in every if entry["series"] == "bb"]
    new = write_csv(prices(rows=120, seed=9, name="new", start="2020-06-01"), tmp_path / "new.csv")
    unseen = asked(capsys, "predict", "us", "--csv", str(new), *store)["forecasts"]
    assert isinstance(unseen, list)
    assert {entry["series"] for entry in unseen} == {"new"}
    assert run(["predict", "us", "--series", "cc", *store]) == 66


def test_predicting_loads_nothing_heavy(trained: Path) -> None:
    done = in_new_process(trained, "predict", "acme", "--json")
    assert done.stderr.splitlines()[-1] == "loaded:"
    assert json.loads(done.stdout)["name"] == "acme"


@pytest.mark.parametrize("kind", ["forecast", "backtest", "history", "calibration"])
@pytest.mark.parametrize(("suffix", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_every_picture_can_be_drawn(trained: Path, tmp_path: Path, kind: str, suffix: str, magic: bytes) -> None:
    picture = tmp_path / f"{kind}.{suffix}"
    arguments = ["plot", "acme", "--kind", kind, "-o", str(picture), "--store", str(trained / "models"), "--quiet"]
    assert run(arguments) == 0
    assert picture.read_bytes().startswith(magic)


@pytest.mark.parametrize("form", ["keras", "onnx"])
def test_an_exported_network_answers_as_the_one_that_serves(
    trained: Path, capsys: Capture, tmp_path: Path, form: str
) -> None:
    import keras

    from stockcast.model.serve import Runner

    file = tmp_path / f"acme.{form}"
    told = asked(capsys, "export", "acme", "--format", form, "-o", str(file), "--store", str(trained / "models"))
    inputs = told["inputs"]
    assert isinstance(inputs, list)
    windows = np.random.default_rng(0).random((5, 10, len(inputs))).astype(np.float32)
    (network,) = (trained / "models" / "acme").glob(f"versions/{told['version']}/model.onnx")
    expected = Runner(network.read_bytes())(windows)
    assert expected.shape == (5, 3, 9)
    said = Runner(file.read_bytes())(windows) if form == "onnx" else keras.saving.load_model(file)(windows)
    np.testing.assert_allclose(np.asarray(said), expected, rtol=1e-4, atol=1e-5)


def test_longer_prices_become_a_new_version_and_other_prices_a_question(
    capsys: Capture, prices: Prices, write_csv: WriteCsv, tmp_path: Path
) -> None:
    store = ["--store", str(tmp_path / "models"), "--quiet"]
    csv_file = write_csv(prices(rows=220), tmp_path / "acme.csv")
    assert run(["train", "--csv", str(csv_file), *TINY, *store]) == 0
    before = asked(capsys, "predict", "acme", *store[:2])
    write_csv(prices(rows=220, seed=5), csv_file)
    assert run(["train", "--csv", str(csv_file), *TINY, *store]) == 65
    assert "--name" in capsys.readouterr().err
    longer = write_csv(prices(rows=220), csv_file)
    last = longer.read_text().splitlines()[-1].split(",")
    longer.write_text(longer.read_text() + ",".join(["2021-01-04", *last[1:]]) + "\n")
    assert run(["train", "--csv", str(csv_file), *TINY, *store]) == 0
    after = asked(capsys, "predict", "acme", *store[:2])
    assert after["version"] != before["version"]
    assert len(list((tmp_path / "models" / "acme" / "versions").iterdir())) == 2


@pytest.mark.parametrize("file", ["model.onnx", "scaler.json", "manifest.json"])
def test_a_damaged_model_is_refused_by_the_name_of_its_file(
    trained: Path, capsys: Capture, tmp_path: Path, file: str
) -> None:

    shutil.copytree(trained / "models", tmp_path / "models")
    (damaged,) = (tmp_path / "models" / "acme" / "versions").glob(f"*/{file}")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    assert run(["predict", "acme", "--store", str(tmp_path / "models")]) == 65
    assert file in capsys.readouterr().err


def test_a_diverging_training_saves_nothing_and_names_the_setting(
    trained: Path, capsys: Capture, tmp_path: Path
) -> None:
    settings = [*TINY, "--set", "fit.learning_rate=10", "--set", "fit.optimizer=sgd", "--set", "fit.epochs=60"]
    settings += ["--set", "fit.clipnorm=0", "--set", "model.head=point", "--set", "fit.loss=mse"]
    settings += ["--set", "fit.realised=0"]
    store = tmp_path / "models"
    assert run(["train", "--csv", str(trained / "acme.csv"), *settings, "--store", str(store), "--quiet"]) == 65
    assert "fit.learning_rate" in capsys.readouterr().err
    assert not list(store.glob("acme/versions/*"))


def test_control_c_while_training_leaves_the_store_as_it_was(trained: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stockcast", "train", "--csv", str(trained / "acme.csv"), "-vv"]
    command += [*TINY, "--set", "fit.epochs=100000", "--store", str(tmp_path / "models")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 3/"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.splitlines()[-1].startswith("Interrupted")
    assert not list(tmp_path.glob("models/acme/versions/*"))
    assert not list(tmp_path.glob("models/acme/champion.json"))


def test_a_test_file_is_judged_and_the_last_price_stands_beside_it(
    capsys: Capture, prices: Prices, write_csv: WriteCsv, tmp_path: Path
) -> None:
    every = prices(rows=200)
    lines = write_csv(every, tmp_path / "train.csv").read_text().splitlines()
    (tmp_path / "train.csv").write_text("\n".join(lines[:181]) + "\n")
    (tmp_path / "test.csv").write_text("\n".join([lines[0], *lines[181:]]) + "\n")
    answer = asked(
        capsys,
        *("train", "--csv", str(tmp_path / "train.csv"), "--test-csv", str(tmp_path / "test.csv")),
        *("--config", "tutorial-google", "--set", "model.units=[3]", "--set", "fit.epochs=1"),
        *("--store", str(tmp_path / "models")),
    )
    scores = answer["scores"]
    assert isinstance(scores, dict)
    opens = every.columns["open"]
    expected = float(np.sqrt(np.mean((opens[180:] - opens[179:-1]) ** 2)))
    assert scores["models"]["naive"][0]["rmse"] == pytest.approx(expected)
    assert scores["models"]["model"][0]["n"] == 20


def test_a_backtest_writes_the_rows_that_its_scores_come_from_and_goes_on_after_a_break(
    trained: Path, capsys: Capture, tmp_path: Path
) -> None:
    arguments = [
        *("backtest", "--csv", str(trained / "acme.csv"), "--from", "2020-09-01", "--refit", "20", *TINY),
        *("--against", "naive,drift,ewma", "--store", str(tmp_path / "models")),
    ]
    answer = asked(capsys, *arguments, "-o", str(tmp_path / "rows.csv"))
    with (tmp_path / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {"daily", "naive", "drift", "ewma"}
    assert all(row["date"] > row["cutoff"] >= "2020-09-01" for row in rows)
    first = [row for row in rows if row["model"] == "naive" and row["step"] == "1"]
    errors = [float(row["actual"]) - float(row["last"]) for row in first]
    models = answer["models"]
    assert isinstance(models, dict)
    assert models["naive"][0]["rmse"] == pytest.approx(float(np.sqrt(np.mean(np.square(errors)))), rel=1e-6)
    cutoffs = {name: [row["cutoff"] for row in rows if row["model"] == name] for name in ("daily", "naive")}
    assert cutoffs["daily"] == cutoffs["naive"]
    judged = asked(capsys, "judge", str(tmp_path / "rows.csv"))
    assert judged["verdict"]["sentences"] == answer["verdict"]["sentences"]  # type: ignore[index]  # the JSON's own shape
    # Not the PIT: a price that equals the median but for its last bits falls on either side of it, by ten digits.
    for name, steps in models.items():
        for mine, theirs in zip(judged["models"][name], steps, strict=True):  # type: ignore[index]  # the JSON's own shape
            for key in ("n", "rmse", "mae_percent", "pinball", "crps", "direction"):
                assert mine[key] == pytest.approx(theirs[key], abs=1e-8), (name, key)


def test_a_baseline_s_bands_follow_from_each_fold_s_cutoff_on(
    trained: Path, capsys: Capture, tmp_path: Path, prices: Prices
) -> None:
    arguments = ["backtest", "--csv", str(trained / "acme.csv"), "--from", "2020-09-01", "--refit", "20", *TINY]
    asked(capsys, *arguments, "-o", str(tmp_path / "rows.csv"), "--store", str(tmp_path / "models"))
    with (tmp_path / "rows.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["model"], row["step"]) == ("har", "1")]
    cutoffs = np.array([row["cutoff"] for row in rows], dtype="datetime64[D]")
    panel, fit = Panel((prices(rows=220),)), load_config("daily").fit
    for start in (0, 20):
        origins = np.searchsorted(panel.series[0].dates, cutoffs[start : start + 20])
        known = panel.upto(panel.series[0].dates[origins[0] - 1])  # a fold trains up to the session before
        forecaster = build("har", known, "close", 3, fit.follow, fit.follow_own)
        expected = forecaster.forecast(panel, [origins]).quantiles[:, 0, LEVELS.index("0.9")]
        np.testing.assert_allclose([float(row["q0.9"]) for row in rows[start : start + 20]], expected)


def test_an_audit_passes_the_default_recipe(trained: Path, capsys: Capture) -> None:
    answer = asked(capsys, "audit", "--csv", str(trained / "acme.csv"), *TINY, "--repeats", "2")
    assert answer["passed"] is True


def test_several_seeds_tell_their_spread_and_the_first_is_saved(trained: Path, capsys: Capture, tmp_path: Path) -> None:
    csv_file = str(trained / "acme.csv")
    answer = asked(capsys, "train", "--csv", csv_file, *TINY, "--seeds", "2", "--store", str(tmp_path / "two"))
    spread, scores = answer["seeds"], answer["scores"]
    assert isinstance(spread, dict)
    assert isinstance(scores, dict)
    each = [
        asked(
            capsys,
            *("train", "--csv", csv_file, *TINY, "--seed", seed, "--store", str(tmp_path / f"seed-{seed}")),
        )["scores"]
        for seed in ("0", "1")
    ]
    ratios = [
        one["models"]["model"][0]["pinball"] / one["models"]["naive"][0]["pinball"]
        for one in each
        if isinstance(one, dict)
    ]
    assert scores["models"] == each[0]["models"]  # type: ignore[index]  # the JSON's own shape
    assert spread["pinball"][0] == pytest.approx(np.mean(ratios))
    assert spread["pinball_spread"][0] == pytest.approx(np.std(ratios, ddof=1))


def test_broken_files_of_a_panel_are_named_and_the_rest_is_trained(
    trained: Path, capsys: Capture, tmp_path: Path
) -> None:
    folder = tmp_path / "panel"
    shutil.copytree(trained / "us", folder)
    (folder / "broken.csv").write_text("Dear diary,\nnothing happened.\n")
    arguments = ["train", "--csv", str(folder), *TINY, "--store", str(tmp_path / "models"), "--json"]
    capsys.readouterr()
    assert run(arguments) == 1
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert answer["series"] == 3
    assert [Path(failure.split(":")[0]).name for failure in answer["failures"]] == ["broken.csv"]
    assert "broken.csv" in told.err


def test_the_rows_of_a_backtest_can_be_drawn_and_a_panel_is_scored_by_series(
    trained: Path, capsys: Capture, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    arguments = ["backtest", "--csv", str(trained / "us"), "--from", "2020-09-01", *TINY, "-o", str(rows)]
    answer = asked(capsys, *arguments, "--store", str(tmp_path / "models"))
    series = answer["series"]
    assert isinstance(series, dict)
    assert {"aa", "bb"} <= set(series)
    for kind in ("backtest", "calibration"):
        picture = tmp_path / f"{kind}.png"
        assert run(["plot", "--kind", kind, "--rows", str(rows), "-o", str(picture), "--quiet"]) == 0
        assert picture.read_bytes().startswith(b"\x89PNG")
