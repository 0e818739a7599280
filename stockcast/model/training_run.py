"""One training: its settings, its name, who hears of each epoch, and where its progress is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stockcast.config.run import RunConfig
from stockcast.errors import TrainingDiverged


@dataclass(frozen=True)
class Epoch:
    """One pass: its number from 1, the mean training loss, and the validation loss where there is a validation part."""

    number: int
    loss: float
    validation_loss: float | None


EXTREME, STEP = 10.0, 0.01
"""Beyond these, scaled inputs and gradient norms, and step sizes, are unusual."""

OnEpoch = Callable[[Epoch], None]


class Checkpoints(Protocol):
    """Where the progress of a training is kept, by the name of its part: arrays of float32 or float64."""

    def last(self, part: str) -> Mapping[str, NDArray[Any]]:
        """What was kept last of this part; nothing if it has not begun."""

    def keep(self, part: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep this, in place of what was kept before."""


def calmer(config: RunConfig) -> str:
    """The flags with which a training that led to no numbers may lead to some: what is extreme, at its usual value."""
    fit, data = config.fit, config.data
    flags = {
        "data.range_low=0 --set data.range_high=1": max(abs(data.range_low), abs(data.range_high)) > EXTREME,
        f"fit.learning_rate={fit.learning_rate / 10:g}": fit.learning_rate > STEP,
        "fit.clipnorm=1": not fit.clipvalue and not 0 < fit.clipnorm <= EXTREME,
        "fit.clipvalue=1": fit.clipvalue > EXTREME,
        "fit.momentum=0.9": fit.momentum > 0.9,
        **{f"fit.{key}=0": getattr(fit, key) > 1 for key in ("l1", "l2", "prior", "realised")},
    }
    likely = [flag for flag, extreme in flags.items() if extreme] or [f"fit.learning_rate={fit.learning_rate / 10:g}"]
    return " ".join(f"--set {flag}" for flag in likely)


def demand_numbers(what: str, arrays: Iterable[NDArray[Any]], config: RunConfig) -> None:
    """Raise `TrainingDiverged` unless all values of `what` a training gave are finite."""
    if not all(np.isfinite(one).all() for one in arrays):
        raise TrainingDiverged(
            f"{what} are no numbers any more; nothing was saved. The likely cause is too large a step "
            f"({config.fit.learning_rate:g}), penalty or range of the inputs.",
            calmer(config),
        )


def _nobody(_: Epoch) -> None:
    """Nobody wants to hear."""


@dataclass(frozen=True)
class TrainingRun:
    """A training with `config`, called `name` in reports. It goes on from what `checkpoints` hold, if there are any."""

    config: RunConfig
    name: str = "model"
    on_epoch: OnEpoch = _nobody
    checkpoints: Checkpoints | None = None

    def with_fit(self, **changed: Any) -> TrainingRun:
        """The same run with some settings of the section fit changed, and not checked again."""
        fit = self.config.fit.model_copy(update=changed)
        return replace(self, config=self.config.model_copy(update={"fit": fit}))
