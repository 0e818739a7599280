"""Control-C: what was done by then is said, and nothing that isn't so."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.errors import NotFound
from stockcast.jobs import fleet
from stockcast.jobs.retraining.records import Retrained, RetrainRequest
from stockcast.store import atomic
from stockcast.store.store import Store

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle, NOW = sample["make_bundle"], sample["NOW"]

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch

SLOW = """
import os, signal, sys, time
from pathlib import Path
if "stockcast.fleet.worker" in sys.orig_argv:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Path({begun!r}).write_text(str(os.getpid()))
    time.sleep(600)
"""
"""What has the worker of a fleet hang, and heed no interruption."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of five models whose prices are gone; the first has three versions."""
    store = Store(tmp_path / "models")
    for name, seeds in {"acme": (1, 2, 3), "lead": (1,), "tin": (1,), "zinc": (1,)}.items():
        for seed in seeds:
            store.promote(name, store.save(name, make_bundle(seed), NOW), "trained", NOW)
    return store.root


def interrupted(capsys: Capture, root: Path, *arguments: str) -> str:
    """The last line of what an interrupted command says, which must end with 130."""
    capsys.readouterr()
    assert run([*arguments, "--store", str(root)]) == 130
    return capsys.readouterr().err.splitlines()[-1]


def stops(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("signals", [1, 3])
def test_a_fleet_tells_what_became_of_each_model(
    signals: int, root: Path, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    begun = tmp_path / "begun"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SLOW.format(begun=str(begun)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    trained(monkeypatch, {"lead": lambda engine: slowly_ended(engine, 0.05 * signals), "acme": lambda _: missing()})

    def interrupt() -> None:
        while not (begun.exists() and begun.read_text()):
            time.sleep(0.02)
        for _ in range(signals):  # as an impatient user does
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    thread = threading.Thread(target=interrupt)
    thread.start()
    line = interrupted(capsys, root, "retrain", "acme", "lead", "tin", "zinc")
    thread.join()
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
    assert line == "Interrupted. Failed: acme. Broken off, and served as before: lead, tin. Not reached: zinc."


def trained(monkeypatch: Patch, what: dict[str, Callable[[Any], Any]]) -> None:
    """Have the fleet do this for a model, with its engine; of others it asks a worker for something."""

    def one(request: RetrainRequest, _: object, engine: Any) -> Any:
        return what.get(request.name, lambda engine: engine.run(b"a task", 600))(engine)

    monkeypatch.setattr(fleet, "retrain_model", one)


def slowly_ended(engine: Any, seconds: float) -> None:
    """A model whose thread has something to do yet when its worker is gone, as one has that is being saved."""
    try:
        engine.run(b"a task", 600)
    finally:
        time.sleep(seconds)


def missing() -> None:
    raise NotFound("its prices are gone.")


def test_a_fleet_names_what_was_promoted_and_what_was_kept(root: Path, monkeypatch: Patch, capsys: Capture) -> None:
    def answer(name: str, promoted: bool) -> Retrained:
        return Retrained(name, promoted, "so", Store(root).champion(name).version, None, 0.0, ())

    def promoted_and_interrupted(_: object) -> Retrained:
        store = Store(root)
        store.promote("tin", store.save("tin", make_bundle(9), NOW), "trained", NOW)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
        raise KeyboardInterrupt

    answers = {"acme": lambda _: answer("acme", True), "lead": lambda _: answer("lead", False)}
    trained(monkeypatch, {**answers, "tin": promoted_and_interrupted})
    line = interrupted(capsys, root, "retrain", "--all")
    assert line.startswith("Interrupted. Promoted: acme, tin. Kept: lead. ")
    assert line.endswith(": zinc.")


def test_with_json_an_interruption_is_one_object(monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.setattr("stockcast.jobs.models.list_models", stops)
    assert run(["models", "list", "--json"]) == 130
    out, err = capsys.readouterr()
    error: dict[str, Any] = json.loads(out)["error"]
    assert (error["kind"], error["exit_code"]) == ("interrupted", 130)
    assert error["message"] == err.strip() == "Interrupted; no model was changed."


@pytest.mark.parametrize("promoted", [False, True])
def test_a_retraining_says_which_version_serves(
    promoted: bool, root: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    store = Store(root)
    before = store.champion("acme").version

    def read(*_: object) -> None:
        if promoted:
            store.promote("acme", store.save("acme", make_bundle(4), NOW), "better", NOW)
        raise KeyboardInterrupt

    monkeypatch.setattr("stockcast.jobs.retraining.new_rows.read_new_rows", read)
    line = interrupted(capsys, root, "retrain", "acme")
    now = store.champion("acme").version
    assert (now != before) is promoted
    expected = f"acme is served by {now} from now on" if promoted else f"acme is served by {now} as before"
    assert line == f"Interrupted. {expected}."


def test_a_rollback_says_which_version_serves(root: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.setattr("stockcast.store.atomic.replace_file", stops)
    assert "acme is served by" in interrupted(capsys, root, "models", "rollback", "acme")


def test_a_pruning_names_what_is_gone(root: Path, monkeypatch: Patch, capsys: Capture) -> None:
    store = Store(root)
    store.promote("acme", store.save("acme", make_bundle(4), NOW), "trained", NOW)
    oldest = store.versions("acme")[0]
    take_away = atomic.take_away
    calls: list[Path] = []

    def second_stops(path: Path, temporary: Path) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        take_away(path, temporary)

    monkeypatch.setattr(atomic, "take_away", second_stops)
    line = interrupted(capsys, root, "models", "prune", "acme", "--keep", "0")
    assert line == f"Interrupted. 1 version of acme is deleted: {oldest}."
    assert oldest not in store.versions("acme")


@pytest.mark.parametrize("after", [0, 1])
def test_a_removal_says_how_far_it_has_come(after: int, root: Path, monkeypatch: Patch, capsys: Capture) -> None:
    take_away = atomic.take_away
    calls: list[Path] = []

    def stops_after(path: Path, temporary: Path) -> None:
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(path)
        take_away(path, temporary)

    monkeypatch.setattr(atomic, "take_away", stops_after)
    line = interrupted(capsys, root, "models", "remove", "acme")
    if after:
        assert line == "Interrupted. acme serves no more, but some of it is left: stockcast models remove acme"
        monkeypatch.setattr(atomic, "take_away", take_away)
        assert run(["models", "remove", "acme", "--store", str(root)]) == 0
    else:
        assert line == "Interrupted. acme is as it was."
    assert ("acme" in Store(root).names()) is not bool(after)


@pytest.mark.tensorflow
def test_a_backtest_says_how_much_of_it_is_kept(
    tmp_path: Path, prices: Callable[..., Any], write_csv: Callable[..., Path], monkeypatch: Patch, capsys: Capture
) -> None:
    tiny = ["--set", "model.units=[4]", "--set", "fit.epochs=1", "--set", "data.lookback=10", "--set", "fit.warmup=2"]
    csv = write_csv(prices(rows=220), tmp_path / "acme.csv")
    command = ["backtest", "--csv", str(csv), "--from", "2020-09-01", "--refit", "20", *tiny, "--set", "data.horizon=2"]
    from stockcast.learn import fit_to_cutoff

    calls: list[Any] = []

    def second_stops(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fit_to_cutoff(*arguments)

    monkeypatch.setattr("stockcast.learn.fit_to_cutoff", second_stops)
    line = interrupted(capsys, tmp_path / "models", *command)
    assert line == "Interrupted. 1 of 3 trainings is done and kept: the same command goes on from there."
    del calls[:]
    assert interrupted(capsys, tmp_path / "models", *command).startswith("Interrupted. 2 of 3 trainings are done")


@pytest.mark.tensorflow
def test_a_training_says_how_to_go_on_with_it(
    tmp_path: Path, prices: Callable[..., Any], write_csv: Callable[..., Path]
) -> None:
    csv = write_csv(prices(rows=200), tmp_path / "acme.csv")
    command = [sys.executable, "-m", "stockcast", "train", "--csv", str(csv), "--config", "tutorial-google", "-vv"]
    command += ["--set", "model.units=[3]", "--set", "fit.epochs=100000", "--store", str(tmp_path / "models")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("epoch 3/"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.splitlines()[-1] == (
        "Interrupted. acme was not saved, and serves no forecasts yet; the finished epochs are kept: "
        "the same command with --resume goes on from there."
    )
