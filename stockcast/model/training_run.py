"""One training: its settings, its name, who hears of each epoch, and where its progress is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from numpy.typing import NDArray

from stockcast.config.run import RunConfig


@dataclass(frozen=True)
class Epoch:
    """One pass: its number from 1, the mean training loss, and the validation loss where there is a validation part."""

    number: int
    loss: float
    validation_loss: float | None


OnEpoch = Callable[[Epoch], None]


class Checkpoints(Protocol):
    """Where the progress of a training is kept, by the name of its part: arrays of float32 or float64."""

    def last(self, part: str) -> Mapping[str, NDArray[Any]]:
        """What was kept last of this part; nothing if it has not begun."""

    def keep(self, part: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep this, in place of what was kept before."""


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
