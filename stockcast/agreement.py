"""Settings that must agree with each other: the rules that no single setting's bounds can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockcast.config import FitConfig, RunConfig

FLAT_CELLS = ("linear", "mlp")
"""Cells that read the window as a whole: they have one output a window, not one at every position."""

LOSSES = {
    "point": ("mse", "mae", "huber"),
    "scale": ("pinball",),
    "quantiles": ("pinball",),
    "classes": ("crossentropy",),
}
"""What each head can be trained with."""


def disagreements(config: RunConfig) -> Iterator[str]:
    """A sentence on each pair of settings that can't go together: the keys, what they are, and what is needed."""
    yield from _of_the_cell(config)
    yield from _of_the_fit(config.fit)
    yield from _of_the_task(config)
    yield from _of_the_padding(config)
    yield from _of_the_state(config)
    if config.model.multistep == "recursive" and not _feeds_itself(config):
        yield (
            f"model.multistep 'recursive' needs data.features [{config.data.price!r}], data.target 'level' and "
            "model.head 'point': what is forecast must be all that the network sees"
        )
    if config.fit.positions == "all" and config.fit.warmup >= config.data.lookback:
        yield f"fit.warmup {config.fit.warmup} must be below data.lookback {config.data.lookback}"
    losses = LOSSES[config.model.head]
    if config.fit.loss not in losses:
        needed = " or ".join(repr(loss) for loss in losses)
        yield f"fit.loss {config.fit.loss!r} doesn't go with model.head {config.model.head!r}, which needs {needed}"


def _of_the_task(config: RunConfig) -> Iterator[str]:
    data, head = config.data, config.model.head
    if list(data.thresholds) != sorted(set(data.thresholds)):
        yield f"data.thresholds {list(data.thresholds)} must rise: the end of down before the beginning of up"
    if (data.task == "direction") != (head == "classes"):
        yield f"data.task {data.task!r} doesn't go with model.head {head!r}; 'direction' and 'classes' need each other"
    if data.task == "direction" and data.target != "return":
        yield f"data.task 'direction' needs data.target 'return'; it is {data.target!r}"


def _of_the_padding(config: RunConfig) -> Iterator[str]:
    data = config.data
    if data.padding == "none" and data.truncating == "post":
        yield "data.truncating 'post' needs data.padding 'pre' or 'post'; it is 'none'"
    if data.padding != "none" and config.fit.positions == "all":
        yield f"data.padding {data.padding!r} needs fit.positions 'last': no loss is taken where there is no session"
    if data.padding == "post" and config.model.highway:
        yield "data.padding 'post' doesn't go with model.highway, which reads the window's end"


def _of_the_state(config: RunConfig) -> Iterator[str]:
    model, fit, lookback = config.model, config.fit, config.data.lookback
    if fit.tbptt > lookback or (fit.tbptt and lookback % fit.tbptt):
        yield f"fit.tbptt {fit.tbptt} must divide data.lookback {lookback}, and so be at most as long"
    which = "model.stateful" if model.stateful else f"fit.tbptt {fit.tbptt}"
    if not (model.stateful or fit.tbptt):
        return
    if model.cell in FLAT_CELLS or model.bidirectional:
        yield f"{which} needs a recurrent cell in one direction; model.cell is {model.cell!r}"
    if config.data.padding != "none":
        yield f"{which} doesn't go with data.padding {config.data.padding!r}"
    if model.stateful and (fit.stride != lookback or fit.windows):
        yield f"model.stateful needs fit.stride {lookback}, the lookback, and fit.windows 0, so that windows touch"


def _feeds_itself(config: RunConfig) -> bool:
    """Whether a forecast is all that the next step needs."""
    data = config.data
    alone = data.features == (data.price,) and not data.calendar_features and data.padding == "none"
    return alone and data.target == "level" and config.model.head == "point"


def _of_the_cell(config: RunConfig) -> Iterator[str]:
    model, flat = config.model, config.model.cell in FLAT_CELLS
    if flat and model.bidirectional:
        yield f"model.bidirectional needs a recurrent cell; model.cell is {model.cell!r}"
    if config.fit.positions == "all" and (flat or model.bidirectional):
        which = f"model.cell {model.cell!r}" if flat else "model.bidirectional"
        yield f"{which} reads the window to its end: it needs fit.positions 'last'"


def _of_the_fit(fit: FitConfig) -> Iterator[str]:
    if fit.momentum and fit.optimizer != "sgd":
        yield f"fit.momentum {fit.momentum:g} needs fit.optimizer 'sgd'; it is {fit.optimizer!r}"
    if fit.clipnorm and fit.clipvalue:
        yield f"fit.clipvalue {fit.clipvalue:g} doesn't go with fit.clipnorm {fit.clipnorm:g}: one of them must be 0"
