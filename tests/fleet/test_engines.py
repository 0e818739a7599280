"""One task, three engines, the same bits; and results that nobody should believe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import IOFailure, ModelDamaged
from stockcast.fleet.engines import Here
from stockcast.fleet.tasks import Result
from stockcast.jobs.fleet import retrain_fleet
from stockcast.jobs.retrain import retrain_model
from stockcast.jobs.retraining.records import RetrainRequest
from stockcast.store.manifest import FILES
from stockcast.store.records import sha256
from stockcast.store.store import Store

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]
NAMES = ("acme", "bolt", "zinc")
TINY = ["model.units=[4]", "fit.epochs=1", "data.lookback=10", "fit.warmup=2", "data.horizon=2", "gate.tolerance=1"]

Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture(scope="module")
def template(prices: Prices, write_csv: WriteCsv, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three models, and prices of which each has learned all but the newest fifteen rows."""
    folder = tmp_path_factory.mktemp("template")
    for seed, name in enumerate(NAMES):
        csv = write_csv(prices(rows=200, seed=seed), folder / f"{name}.csv")
        settings = [part for setting in TINY for part in ("--set", setting)]
        assert run(["train", "--csv", str(csv), *settings, "--store", str(folder / "models"), "--quiet"]) == 0
        write_csv(prices(rows=215, seed=seed), csv)
    return folder


@pytest.fixture
def models(template: Path, tmp_path: Path) -> Path:
    return Path(copytree(template / "models", tmp_path / "models"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two sound workers and one of another version."""
    folder = tmp_path_factory.mktemp("cluster")
    other = folder / "other.py"
    other.write_text("import stockcast.version\nstockcast.version.__version__ = '0.0.1'\n")
    place = folder / "scheduler.json"
    quiet = ["--no-dashboard", "--scheduler-file", str(place)]
    started = [dask(folder, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show", *quiet)]
    while not (place.exists() and place.read_text().strip().endswith("}")):
        assert started[0].poll() is None
        time.sleep(0.05)
    worker = ["worker", "--nthreads", "1", "--no-nanny", "--resources", "training=1", *quiet]
    for extra in ([], [], ["--preload", str(other)]):
        started.append(dask(folder, *worker, "--local-directory", str(folder / str(len(started))), *extra))
    yield json.loads(place.read_text())["address"]
    for process in reversed(started):
        process.kill()
        process.wait()


def dask(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def files(root: Path) -> dict[str, str]:
    """A digest of each file of all champions, and of their scores."""
    bundles = {name: Store(root).load(name) for name in Store(root).names()}
    scores = {name: json.dumps(one.manifest.scores).encode() for name, one in bundles.items()}
    parts = {name: {**one.files, "scores": scores[name]} for name, one in bundles.items()}
    return {f"{name}/{file}": sha256(data)[:12] for name, files in parts.items() for file, data in files.items()}


def test_one_process_local_workers_and_a_cluster_give_the_same_bits(
    template: Path, tmp_path: Path, cluster: str
) -> None:
    roots = {engine: Path(copytree(template / "models", tmp_path / engine)) for engine in ("here", "local", "dask")}
    for name in NAMES:
        retrain_model(RetrainRequest(roots["here"], name), lambda _: None)
    for engine, on in (("local", None), ("dask", cluster)):
        result = retrain_fleet(roots[engine], (), RetrainRequest(roots[engine], ""), 2, on=on)
        assert result.counts == {"promoted": 3, "kept": 0, "nothing new": 0, "failed": 0}
    made = {engine: files(root) for engine, root in roots.items()}
    assert set(made["here"]) == {f"{name}/{file}" for name in NAMES for file in (*FILES, "scores")}
    assert made["here"] == made["local"]
    assert made["here"] == made["dask"]


def test_the_folds_of_a_backtest_are_the_same_wherever_they_are_trained(
    template: Path, tmp_path: Path, cluster: str
) -> None:
    settings = [part for setting in TINY for part in ("--set", setting)]
    command = ["backtest", "--csv", str(template / "acme.csv"), "--from", "2020-09-15", "--refit", "12", *settings]
    rows = []
    for number, where in enumerate(([], ["--jobs", "2"], ["--on", cluster])):
        out = tmp_path / f"{number}.csv"
        assert run([*command, *where, "-o", str(out), "--store", str(tmp_path / str(number)), "--quiet"]) == 0
        rows.append(out.read_bytes())
    assert rows[0] == rows[1] == rows[2]


def test_a_model_for_each_file_is_that_of_a_training_by_itself(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [part for setting in TINY for part in ("--set", setting)]
    csvs = ["--csv", str(template / "acme.csv"), "--csv", str(template / "bolt.csv")]
    where = ["--store", str(tmp_path / "each")]
    assert run(["train", *csvs, "--each", "--jobs", "2", *settings, *where]) == 0
    said = capsys.readouterr()
    assert "0.975 times EWMA's one step ahead, against 0.983 for a model each" in said.err
    assert said.out.count("serves now; trained on 215 sessions") == 2
    assert run(["train", *csvs[:2], *settings, "--store", str(tmp_path / "one"), "--quiet"]) == 0
    each, one = files(tmp_path / "each"), files(tmp_path / "one")
    assert {name: digest for name, digest in each.items() if name.startswith("acme/")} == one


def test_workers_that_would_give_other_bits_are_refused_by_name(cluster: str) -> None:
    from stockcast.fleet.cluster import connected

    with connected(cluster) as engine:
        deadline = time.monotonic() + 30
        while not engine.refused and time.monotonic() < deadline:
            assert engine.workers
            time.sleep(0.2)
        (fault,) = engine.refused.values()
        assert engine.workers == 2
    assert fault.startswith("stockcast 0.0.1 there and ")


class Tampering(Here):
    """An engine of others, whose results are changed on their way."""

    own = False

    def __init__(self, change: Callable[[Result], Result]) -> None:
        self.change = change

    def run(self, task: bytes, patience: float) -> bytes:
        return self.change(Result.decode(super().run(task, patience), "it")).encode()


def with_arrays(result: Result, change: Callable[[np.ndarray[Any, Any]], Any], *names: str) -> Result:
    return replace(result, arrays={**result.arrays, **{name: change(result.arrays[name]) for name in names}})


def other_network(result: Result) -> Result:
    """Its network's weights are half of what they were."""
    import onnx

    model = onnx.load_from_string(result.files["model.onnx"])
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values / 2, tensor.name))
    return replace(result, files={**result.files, "model.onnx": model.SerializeToString()})


ROWS = tuple(f"{who}/row" for who in ("challenger", "champion", "naive"))
CHANGES: dict[str, Callable[[Result], Result]] = {
    "its network is another": other_network,
    "its network is none": lambda told: replace(told, files={**told.files, "model.onnx": b"no network"}),
    "a file is missing": lambda told: replace(told, files={"model.onnx": told.files["model.onnx"]}),
    "its forecasts are better than its network's": lambda told: with_arrays(
        told, lambda point: point * 1.001, "challenger/quantiles"
    ),
    "the champion is worse than it is": lambda told: with_arrays(
        told, lambda prices: prices * 0.9, "champion/quantiles", "champion/point"
    ),
    "the last price is worse than it is": lambda told: with_arrays(
        told, lambda prices: prices * 0.9, "naive/quantiles", "naive/point"
    ),
    "its forecasts are none": lambda told: with_arrays(told, lambda point: point * np.nan, "challenger/point"),
    "it was judged from rows that it has learned": lambda told: with_arrays(told, lambda rows: rows - 100, *ROWS),
    "it was judged from rows to come": lambda told: with_arrays(told, lambda rows: rows + 1000, *ROWS),
    "the champion was judged from others": lambda told: with_arrays(told, lambda rows: rows[::-1], "champion/row"),
    "arrays are missing": lambda told: replace(told, arrays={}),
    "its scores are none": lambda told: replace(told, facts={**told.facts, "scores": {}}),
    "its scores are of another": lambda told: replace(
        told, facts={"scores": json.loads(json.dumps(told.facts["scores"]).replace('"pinball": 0', '"pinball": 7'))}
    ),
}


REJECTED = {"its forecasts are none": "some forecasts are not numbers"}


@pytest.mark.parametrize("what", CHANGES)
def test_a_result_that_was_tampered_with_makes_no_champion(what: str, models: Path) -> None:
    store = Store(models)
    before = store.champion("acme")
    if what in REJECTED:
        result = retrain_model(RetrainRequest(models, "acme"), lambda _: None, Tampering(CHANGES[what]))
        assert (result.promoted, result.reason) == (False, REJECTED[what])
    else:
        with pytest.raises((IOFailure, ModelDamaged)):
            retrain_model(RetrainRequest(models, "acme"), lambda _: None, Tampering(CHANGES[what]))
        assert store.log("acme")[-1]["event"] == "retrain failed"
    assert replace(store.champion("acme"), rejected=None) == before
    assert store.verify("acme") == dict.fromkeys(store.verify("acme"))
    assert retrain_model(RetrainRequest(models, "acme", force=True), lambda _: None).promoted


def test_an_interruption_ends_in_time_and_the_same_run_goes_on(models: Path) -> None:
    """After the first model has ended; its worker, which lives on, is in the second by then."""
    command = [sys.executable, "-m", "stockcast", "--store", str(models), "retrain", "--all", "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as fleet:
        assert fleet.stdout is not None
        assert fleet.stderr is not None
        first = fleet.stdout.readline()
        fleet.send_signal(signal.SIGINT)
        begin = time.monotonic()
        said = fleet.stderr.read()
    assert (fleet.returncode, time.monotonic() - begin < 5) == (130, True)
    name = first.split(":")[0]
    assert f"Promoted: {name}" in said.replace(", ", ". Promoted: ")
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Going on with the run of" in again.stderr
    assert "3 promoted." in again.stdout
    assert [line["event"] for line in Store(models).log(name)] == ["train", "retrain"]
