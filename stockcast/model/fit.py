"""Training: epoch after epoch, stopped early where a validation part says so, and taken up again after a break."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from stockcast.config.run import RunConfig
from stockcast.config.sections import FitConfig, GateConfig, SplitConfig
from stockcast.data.rows import Floats32
from stockcast.data.windows import Windows
from stockcast.errors import TrainingDiverged
from stockcast.model.network import build_carried, build_network, build_served, shape_of
from stockcast.model.onnx_files.served import ServedNetwork
from stockcast.model.traced_steps import Learner
from stockcast.model.training_run import Epoch, TrainingRun, calmer, demand_numbers

_TURN = Lock()


@dataclass(frozen=True)
class Trained:
    """The weights of the best epoch, in the network that serves, and the course of the training."""

    served: ServedNetwork
    arrays: list[NDArray[np.float32]]
    history: tuple[Epoch, ...]
    best: int

    def infer(self) -> Callable[[Floats32], Floats32]:
        """The network as a function of windows, (B, L, F) to (B, H, K)."""
        return lambda windows: self.served.answers(self.arrays, windows)

    def onnx(self, examples: Floats32) -> bytes:
        """The network as an ONNX file that was compared with Keras on `examples`. Raises as `export_onnx`."""
        from stockcast.model.export import export_onnx

        return export_onnx(self.served, self.arrays, examples)

    @property
    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Every weight by its path in the network."""
        return self.served.by_path(self.arrays)


def fit_network(train: Windows, validation: Windows | None, run: TrainingRun, part: str = "fit") -> Trained:
    """Train on `train`; stop early on `validation`, and keep its best epoch, where it is given.

    The same seed, data and machine give bit-equal weights, whether or not the training was resumed after some epoch.

    One training runs at a time, since what was traced for it serves the next one: that of another thread waits.

    Raises `TrainingDiverged` when the loss is not a number.
    """
    with _TURN:
        return _fitted(train, validation, run, part)


def _fitted(train: Windows, validation: Windows | None, run: TrainingRun, part: str) -> Trained:
    config, checkpoints = run.config, run.checkpoints
    part = f"{part} with seed {config.fit.seed}"
    kind, features = _kind(config), train.rows.inputs.shape[1]
    learner = _learner(kind, features)
    learner.begin(_untrained_values(kind, features, config.fit.seed), train, config)
    course = _Course([], 0, learner.network.get_weights())
    course.take_up(learner, checkpoints.last(part) if checkpoints else {})
    while len(course.history) < config.fit.epochs and not course.stopped(config.fit):
        number = len(course.history) + 1
        loss = learner.epoch(number)
        epoch = Epoch(number, loss, learner.loss(validation) if validation is not None else None)
        run.on_epoch(epoch)
        _demand_finite(epoch, config)
        course.add(epoch, learner)
        if checkpoints:
            checkpoints.keep(part, course.arrays(learner))
    learner.end()
    demand_numbers("the network's weights", course.weights, config)
    return Trained(_served(kind, features), course.weights, tuple(course.history), course.best)


def _untrained(kind: RunConfig, features: int, seed: int) -> keras.Model:
    shape, every = shape_of(kind, features), kind.fit.positions == "all"
    if kind.model.stateful or kind.fit.tbptt:
        return build_carried(kind.model, shape, every, seed)
    return build_network(kind.model, shape, shape.lookback - kind.fit.warmup if every else 0, seed=seed)


@lru_cache(maxsize=1)
def _untrained_values(kind: RunConfig, features: int, seed: int) -> list[NDArray[Any]]:
    """What the variables of a network begin with, once for all trainings of a seed: to build one takes long."""
    return [np.asarray(variable) for variable in _untrained(kind, features, seed).variables]


@lru_cache(maxsize=1)
def _learner(kind: RunConfig, features: int) -> Learner:
    """One learner for all trainings of a kind, since tracing it takes as long as learning a short series."""
    return Learner(_untrained(kind, features, seed=0), kind)


@lru_cache(maxsize=1)
def _served(kind: RunConfig, features: int) -> ServedNetwork:
    """One network for all trainings of a kind, since tracing and converting it takes as long, too."""
    return ServedNetwork(build_served(kind, features))


def _kind(config: RunConfig) -> RunConfig:
    """The settings without what may differ from one training to the next of the same learner."""
    defaults = FitConfig()
    alike = {key: getattr(defaults, key) for key in ("seed", "epochs", "patience", "prior", "refit")}
    fit = config.fit.model_copy(update=alike | {"l2": float(config.fit.l2 > 0)})
    return config.model_copy(update={"fit": fit, "split": SplitConfig(), "gate": GateConfig()})


def refit_network(trained: Trained, train: Windows, run: TrainingRun) -> Trained:
    """A network trained anew on `train` for as many epochs as served `trained` best; the history stays the first's."""
    return replace(trained, arrays=fit_network(train, None, run.with_fit(epochs=trained.best), "refit").arrays)


@dataclass
class _Course:
    """How far a training has come: its epochs, the best of them, and the weights at that one."""

    history: list[Epoch]
    best: int
    weights: list[NDArray[np.float32]]

    def add(self, epoch: Epoch, learner: Learner) -> None:
        """One more epoch has been learned."""
        if self.best == 0 or epoch.validation_loss is None or epoch.validation_loss < self._best_loss():
            self.best, self.weights = epoch.number, learner.network.get_weights()
        self.history.append(epoch)

    def stopped(self, config: FitConfig) -> bool:
        """Whether the validation loss has not become better for long enough."""
        return len(self.history) - self.best >= config.patience

    def _best_loss(self) -> float:
        best = self.history[self.best - 1].validation_loss
        return math.inf if best is None else best

    def arrays(self, learner: Learner) -> dict[str, NDArray[Any]]:
        """All that is needed to go on from here."""
        history = [[epoch.loss, *_given(epoch.validation_loss)] for epoch in self.history]
        numbered = {f"now/{number}": _exact(variable) for number, variable in enumerate(learner.variables)}
        numbered |= {f"best/{number}": weight for number, weight in enumerate(self.weights)}
        return {"history": np.array(history), "best": np.array([float(self.best)]), **numbered}

    def take_up(self, learner: Learner, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from where `arrays` were made, if there are any."""
        if not arrays:
            return
        for number, variable in enumerate(learner.variables):
            variable.assign(arrays[f"now/{number}"].astype(variable.dtype))
        self.weights = [arrays[f"best/{number}"] for number in range(len(self.weights))]
        self.best = int(arrays["best"][0])
        for number, (loss, *held_out) in enumerate(arrays["history"].tolist(), start=1):
            self.history.append(Epoch(number, loss, held_out[0] if held_out else None))


def _given(loss: float | None) -> list[float]:
    return [] if loss is None else [loss]


def _exact(variable: Any) -> NDArray[Any]:
    """A variable as floats that hold all its digits: whole numbers as float64."""
    values = np.asarray(variable)
    return values if values.dtype == np.float32 else values.astype(np.float64)


def _demand_finite(epoch: Epoch, config: RunConfig) -> None:
    if not math.isfinite(epoch.loss):
        raise TrainingDiverged(
            f"the loss is {epoch.loss} in epoch {epoch.number}; nothing was saved. "
            f"The likely cause is too large a step size ({config.fit.learning_rate:g}).",
            calmer(config),
        )
