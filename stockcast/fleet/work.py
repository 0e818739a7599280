"""What a worker does with a task: all of it a function of the task's bytes, wherever it runs.

Every training computes with one thread. So the same task gives the same bytes in this process, in a worker beside it
and on a cluster of like processors, however many of them run at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from stockcast import learn as recipe
from stockcast.data.series import Panel
from stockcast.errors import StockcastError, UsageError, foreseen
from stockcast.evaluate.walk_forward import Fold
from stockcast.fleet.tasks import Result, Task, differing, failed, forecast_arrays
from stockcast.model.forecaster import WindowForecaster
from stockcast.model.threads import one_thread
from stockcast.model.training_run import TrainingRun
from stockcast.store.model_files import from_files, to_files

PART = "part/"
"""What the names of fitted parts begin with, among the files of a result."""


def work(data: bytes) -> bytes:
    """The result of the task in `data`, as it travels back; an error that stockcast foresees is a result, too."""
    try:
        task = Task.decode(data)
        _demand_same_versions(task.versions)
        with one_thread():
            return KINDS[task.kind](task).encode()
    except StockcastError as error:
        return failed(error)


def answer(data: bytes) -> bytes:
    """The same, where a fault that nobody foresaw must not travel as an exception: its traceback stays on this machine.

    An exception is pickled, and one that can't be is never heard of.
    """
    with ThreadPoolExecutor(max_workers=1) as apart:
        done = apart.submit(work, data)
    error = done.exception()
    return done.result() if error is None else failed(foreseen(error))


def learn_one(task: Task) -> Result:
    """Train a model and judge it, as `stockcast train` does."""
    return _learned(recipe.learn(task.panel, TrainingRun(task.config, task.config_name)))


def challenge_one(task: Task) -> Result:
    """Train a challenger, and forecast beside it, from the same origins, with the champion and the last price."""
    config, panel = task.config, task.panel
    learned = recipe.learn(panel, TrainingRun(config, task.config_name), must_be_judged=True)
    evaluated = learned.assessment.evaluated
    theirs = recipe.evaluate_on(champion_of(task), panel, evaluated, config.data.price)
    made = {
        "challenger": evaluated.forecast,
        "champion": theirs.forecast,
        "naive": learned.assessment.baselines["naive"].forecast,
    }
    arrays = {key: one for name, forecast in made.items() for key, one in forecast_arrays(forecast, f"{name}/").items()}
    return replace(_learned(learned), arrays=arrays)


def champion_of(task: Task) -> WindowForecaster:
    """The champion of a task's files, with its bands as they were on the date `champion_since`.

    They follow the answers since then, as the challenger's do. What it has saved of them knows answers from inside the
    block that it is judged on; the challenger's don't.
    """
    since = np.datetime64(task.facts["champion_since"], "D")
    return from_files(task.files, task.config_name, task.config.data).restarted(since)


def _learned(learned: recipe.Learned) -> Result:
    facts = {
        "scores": learned.scores,
        "epochs": len(learned.history),
        "training_windows": learned.training_windows,
    }
    return Result(facts, files=trained_files(learned))


def trained_files(learned: recipe.Learned) -> dict[str, bytes]:
    """The files of a version that a training gives."""
    evaluated = learned.held_out.evaluated if learned.held_out else None
    return to_files(learned.serving, learned.onnx, learned.weights, learned.history, evaluated)


def forecast_fold(task: Task) -> Result:
    """Train on one fold of a backtest, and forecast from its origins."""
    fold, panel = fold_of(task), task.panel
    fitted = recipe.fit_to_cutoff(fold.training(panel), TrainingRun(task.config, task.config_name))[1]
    return Result({}, forecast_arrays(fitted.forecaster.forecast(panel, fold.origins)))


def fit_one(task: Task) -> Result:
    """Train up to the cutoff that the settings name: the forecaster that would serve, and each part that was fitted."""
    cuts, fitted = recipe.fit_to_cutoff(task.panel, TrainingRun(task.config, task.config_name))
    forecaster, trained = fitted.forecaster, fitted.trained
    onnx = trained.onnx(fitted.train.take(slice(recipe.COMPARED)).x)
    calibration = forecaster.calibration.to_dict() if forecaster.calibration else None
    parts = {
        "the scaler": json.dumps(forecaster.scalers.to_dict()).encode(),
        "the network": b"".join(np.ascontiguousarray(one).tobytes() for one in trained.arrays),
        "early stopping": f"{trained.best} of {len(trained.history)}".encode(),
        "the calibration": json.dumps(calibration).encode(),
    }
    files = to_files(forecaster, onnx, trained.weights, trained.history, None)
    named = {f"{PART}{name}": content for name, content in parts.items()}
    return Result({"trained_until": str(cuts.calibration)}, files={**files, **named})


def fold_task(panel: Panel, fold: Fold, run: TrainingRun) -> Task:
    """The task of one fold."""
    origins = {f"origins/{number}": np.asarray(rows, np.int64) for number, rows in enumerate(fold.origins)}
    facts = {"first": str(fold.first), "cutoff": str(fold.cutoff)}
    return Task("fold", f"the fold of {fold.cutoff}", panel, run.config, run.name, facts, origins)


def fold_of(task: Task) -> Fold:
    """The inverse of `fold_task`."""
    first, cutoff = (np.datetime64(task.facts[key], "D") for key in ("first", "cutoff"))
    return Fold(first, cutoff, [task.arrays[f"origins/{number}"] for number in range(len(task.panel))])


def _demand_same_versions(asked: Mapping[str, str]) -> None:
    """Raise `UsageError` on a worker whose libraries are others than the client's: it would give other bits."""
    if words := differing(asked):
        raise UsageError(f"client and worker differ: {words} on the worker.", "install the same on both, or end it.")


KINDS: Mapping[str, Callable[[Task], Result]] = {
    "learn": learn_one,
    "challenge": challenge_one,
    "fold": forecast_fold,
    "fit": fit_one,
}
"""What can be asked of a worker, by its name."""
