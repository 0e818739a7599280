"""`stockcast.train` and `backtest`: what the command line gives, bit for bit, and a caller who is left alone."""

from __future__ import annotations

import doctest
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import stockcast
from stockcast.api import frames, judging, model
from stockcast.api import prices as reading
from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import Busy, ConfigError, DataError
from stockcast.store.store import Store

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).resolve().parents[2]
TINY: dict[str, Any] = {"model.units": [4], "fit.epochs": 1, "data.lookback": 10, "fit.warmup": 2, "data.horizon": 3}
FLAGS = [part for key, value in TINY.items() for part in ("--set", f"{key}={value}")]

Made = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]
Capture = pytest.CaptureFixture[str]


def frame_of(series: PriceSeries) -> pd.DataFrame:
    return pd.DataFrame(dict(series.columns), pd.DatetimeIndex(series.dates, name="Date"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, prices: Made, write_csv: WriteCsv) -> Path:
    """A folder with acme.csv and a store with the model that the command line trained on it."""
    folder = tmp_path_factory.mktemp("trained")
    path = write_csv(prices(rows=220), folder / "acme.csv")
    assert run(["train", "--csv", str(path), *FLAGS, "--store", str(folder / "models"), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def made(prices: Made) -> stockcast.Model:
    """The same model, trained from a frame."""
    return stockcast.train(frame_of(prices(rows=220)), settings=TINY, name="acme")


def digests(store: Path) -> dict[str, str]:
    """What identifies each file of the model that serves; the names inside an ONNX file count its process' networks."""
    files = Store(store).load("acme", wanted=()).manifest.files
    return {name: str(one["sha256"]) for name, one in files.items() if name != "model.onnx"}


def test_the_model_is_that_of_the_command_line_bit_for_bit(
    trained: Path, made: stockcast.Model, prices: Made, tmp_path: Path
) -> None:
    """From a frame whose series is called as the file is; from the file, too."""
    named = stockcast.train(stockcast.Prices.from_frame(frame_of(prices(rows=220)), name="acme"), settings=TINY)
    named.save(store=tmp_path / "frame")
    stockcast.train(stockcast.read(trained / "acme.csv"), settings=TINY).save(store=tmp_path / "file")
    told = digests(trained / "models")
    assert set(told) >= {"scaler.json", "weights.npz", "history.csv", "backtest.csv"}
    assert digests(tmp_path / "frame") == told
    assert digests(tmp_path / "file") == told
    assert Store(tmp_path / "file").load("acme").manifest.csv == (str(trained / "acme.csv"),)
    assert made.scores.equals(named.scores)


def test_a_model_that_was_saved_is_the_same_when_it_is_opened(trained: Path) -> None:
    opened = stockcast.open("acme", store=trained / "models")
    again = stockcast.train(stockcast.read(trained / "acme.csv"), settings=TINY)
    pd.testing.assert_frame_equal(opened.scores, again.scores)
    pd.testing.assert_frame_equal(opened.predict(), again.predict())
    assert opened.verdict == again.verdict
    assert opened.verdict
    assert (opened.version, again.version) == (Store(trained / "models").champion("acme").version, "")
    for kind in ("forecast", "backtest", "calibration", "history"):
        assert opened.plot(kind).axes


def test_a_model_of_a_frame_asks_for_a_file(
    made: stockcast.Model, trained: Path, tmp_path: Path, capsys: Capture
) -> None:
    store = tmp_path / "models"
    version = made.save("acme", store=store)
    assert Store(store).champion("acme").version == version
    asked = [*("--store", str(store)), "--json"]
    for command in ("predict", "retrain"):
        capsys.readouterr()
        assert run([command, "acme", *asked]) == 66
        error = json.loads(capsys.readouterr().out)["error"]
        assert "was trained in Python on prices that were in no file" in error["message"]
        assert error["fix"] == "name a file that holds them: --csv PATH"
        assert run([command, "acme", "--csv", str(trained / "acme.csv"), *asked]) in (0, 65)
    capsys.readouterr()
    assert run(["models", "show", "acme", "--store", str(store)]) == 0
    assert "<frame>" in capsys.readouterr().out


def test_another_series_is_not_saved_over_a_model(made: stockcast.Model, tmp_path: Path, prices: Made) -> None:
    made.save("acme", store=tmp_path)
    for name in ("acme", "other"):
        other = stockcast.train(frame_of(prices(rows=200, seed=9)), settings=TINY, name=name)
        with pytest.raises(DataError) as caught:
            other.save("acme", store=tmp_path)
        assert "--name acme-2" in str(caught.value.fix)
    with Store(tmp_path).lock("acme"), ThreadPoolExecutor(1) as another:
        refused = another.submit(made.save, "acme", store=tmp_path)
        assert isinstance(refused.exception(), Busy)


def test_two_threads_train_at_once_as_one_after_the_other(prices: Made) -> None:
    """Of two kinds and of one: the networks that are traced for one training serve no other at the same time."""
    frame = frame_of(prices(rows=160))
    wanted = [TINY, {**TINY, "fit.seed": 7}, {**TINY, "model.cell": "gru"}, {**TINY, "fit.epochs": 2}]
    alone = [stockcast.train(frame, settings=one).predict() for one in wanted]
    with ThreadPoolExecutor(len(wanted)) as pool:
        together = list(pool.map(lambda one: stockcast.train(frame, settings=one).predict(), wanted))
    for one, expected in zip(together, alone, strict=True):
        pd.testing.assert_frame_equal(one, expected)
    assert not alone[0].equals(alone[1])


ALONE = """
import logging, os, random, signal, sys, warnings
import numpy as np
import rich.style  # which Keras imports, and which draws a number when it is imported
random.seed(1); np.random.seed(1)
drawn, noise = random.getstate(), np.random.get_state()[1].tolist()
kept = (sys.stderr, signal.getsignal(signal.SIGINT))

def forbidden(*arguments, **named):
    raise AssertionError("a library left its caller's process alone")

os.dup2 = sys.exit = forbidden
import pandas as pd, stockcast
from stockcast.model.quiet import tensorflow_silenced
with tensorflow_silenced():
    import tensorflow
assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ  # tf2onnx sets it later, for all who import that
days = pd.bdate_range("2020-01-01", periods=160)
frame = pd.DataFrame({"Close": np.exp(np.cumsum(0.01 * np.random.default_rng(0).standard_normal(160)))}, days)
epochs = []
trained = stockcast.train(frame, settings=SETTINGS, on_epoch=lambda epoch, of: epochs.append((epoch.number, of)))
trained.predict()
stockcast.backtest(frame, start="2020-07-01", settings=SETTINGS, against=["ewma"])
assert set(epochs) == {(1, 1)}, epochs
assert random.getstate() == drawn
assert np.random.get_state()[1].tolist() == noise
assert (sys.stderr, signal.getsignal(signal.SIGINT)) == kept
assert logging.getLogger("stockcast").handlers == []
assert logging.getLogger("tensorflow").level != logging.ERROR
assert not os.listdir("."), os.listdir(".")
print("left alone")
"""


def test_a_caller_is_left_alone(tmp_path: Path) -> None:
    """Global generators, file descriptors, loggers, TensorFlow's log level, signals and the folder are as they were."""
    program = ALONE.replace("SETTINGS", repr(TINY))
    environment = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert (done.returncode, done.stdout) == (0, "left alone\n"), done.stderr


def test_networks_draw_nothing_from_the_global_generator(prices: Made) -> None:
    """Also those with dropout, in both directions, and of every kind of head."""
    frame = frame_of(prices(rows=160))
    random.seed(5)
    before = random.getstate()
    for settings in (
        {**TINY, "model.dropout": 0.2, "model.bidirectional": True, "fit.positions": "last"},
        {**TINY, "model.cell": "mlp", "model.dropout": 0.2, "fit.positions": "last"},
        {**TINY, "model.cell": "peephole", "model.head": "point", "fit.loss": "mse", "fit.realised": 0},
    ):
        stockcast.train(frame, settings=settings)
        assert random.getstate() == before


def test_a_backtest_is_that_of_the_command_line(trained: Path, prices: Made, tmp_path: Path, capsys: Capture) -> None:
    rows, start = tmp_path / "rows.csv", str(prices(rows=220).dates[170])
    asked = ["--csv", str(trained / "acme.csv"), "--from", start, "--against", "har,ewma", "-o", str(rows), *FLAGS]
    capsys.readouterr()
    assert run(["backtest", *asked, "--store", str(tmp_path / "models"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    fits: list[tuple[int, int]] = []
    result = stockcast.backtest(
        stockcast.read(trained / "acme.csv"),
        start=start,
        settings=TINY,
        against=["har", "ewma"],
        on_fit=lambda done, every: fits.append((done, every)),
    )
    assert fits == [(1, 1)]
    assert result.verdict.splitlines()[0] == told["verdict"]["sentences"][0]
    for one in told["models"]["har"]:
        mine = result.scores.query("model == 'har' and step == @one['step']").iloc[0]
        assert (mine.rmse, mine.pinball, mine.crps) == (one["rmse"], one["pinball"], one["crps"])
    written = pd.read_csv(rows, parse_dates=["cutoff", "date"])
    pd.testing.assert_frame_equal(result.rows, written, check_dtype=False, rtol=1e-9)
    assert stockcast.judge(result.rows, against=["naive"]).scores.query("model == 'har'").shape[0] == 3


def test_events_come_from_a_frame_or_a_file(prices: Made, tmp_path: Path) -> None:
    series = prices(rows=300)
    days = pd.DatetimeIndex(series.dates)[20::60]
    events = pd.DataFrame({"date": days, "series": "acme", "kind": "report", "when": "before"})
    path = tmp_path / "events.csv"
    events.to_csv(path, index=False)
    given = stockcast.Prices.from_frame(frame_of(series), name="acme")
    of_frame, of_file = (stockcast.train(given, settings=TINY, events=one) for one in (events, path))
    pd.testing.assert_frame_equal(of_frame.predict(), of_file.predict())
    pd.testing.assert_frame_equal(of_frame.predict(prices=given), of_frame.predict(events=path))
    assert not of_frame.predict().equals(stockcast.train(given, settings=TINY).predict())
    with pytest.raises(DataError, match="none of the events is about acme"):
        stockcast.train(given, settings=TINY, events=events.assign(series="other"))
    with pytest.raises(DataError, match="the events, line 2"):
        stockcast.train(given, settings=TINY, events=events.assign(when="noon"))


def test_settings_are_refused_as_by_the_command_line(prices: Made) -> None:
    with pytest.raises(ConfigError) as caught:
        stockcast.train(frame_of(prices(rows=160)), settings={"fit.epoch": 1})
    assert "fit.epochs" in caught.value.message
    with pytest.raises(DataError):
        stockcast.train(frame_of(prices(rows=20)), settings=TINY)


@pytest.mark.parametrize("module", [frames, judging, model, reading], ids=lambda module: str(module.__name__))
def test_the_examples_of_the_docstrings_run(
    module: Any, made: stockcast.Model, prices: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    known = {"stockcast": stockcast, "pandas": pd, "np": np, "model": made}
    known["prices"] = stockcast.Prices.from_frame(frame_of(prices(rows=220)), name="acme")
    failed, tried = doctest.testmod(module, extraglobs=known, optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert tried or module is frames
