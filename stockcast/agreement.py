"""Settings that must agree with each other: the rules that no single setting's bounds can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

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


class Disagreement(NamedTuple):
    """Settings that can't go together: the keys, what they are and what is needed; then the flags that mend it."""

    what: str
    fix: str


def disagreements(config: RunConfig) -> Iterator[Disagreement]:
    """Each pair of settings that can't go together."""
    yield from _of_the_cell(config)
    yield from _of_the_fit(config.fit)
    yield from _of_the_task(config)
    yield from _of_the_scaling(config)
    yield from _of_the_padding(config)
    yield from _of_the_state(config)
    if config.model.multistep == "recursive" and not _feeds_itself(config):
        yield Disagreement(
            f"model.multistep 'recursive' needs data.features [{config.data.price!r}], data.target 'level' and "
            "model.head 'point': what is forecast must be all that the network sees",
            f"""--set 'data.features=["{config.data.price}"]' --set data.target=level --set model.head=point """
            "--set fit.loss=mse --set fit.realised=0 --set data.calendar_features=[] --set data.padding=none",
        )
    lookback = config.data.lookback
    if config.fit.positions == "all" and config.fit.warmup >= lookback:
        yield Disagreement(
            f"fit.warmup {config.fit.warmup} must be below data.lookback {lookback}", f"--set fit.warmup={lookback - 1}"
        )
    losses = LOSSES[config.model.head]
    if config.fit.loss not in losses:
        needed = " or ".join(repr(loss) for loss in losses)
        yield Disagreement(
            f"fit.loss {config.fit.loss!r} doesn't go with model.head {config.model.head!r}, which needs {needed}",
            f"--set fit.loss={losses[0]}",
        )
    yield from _of_the_second_loss(config)


def _of_the_second_loss(config: RunConfig) -> Iterator[Disagreement]:
    if config.fit.realised and (config.fit.loss != "pinball" or config.data.target != "return"):
        yield Disagreement(
            f"fit.realised {config.fit.realised:g} needs fit.loss 'pinball' and data.target 'return'",
            "--set fit.realised=0",
        )


def _of_the_task(config: RunConfig) -> Iterator[Disagreement]:
    data, head = config.data, config.model.head
    rising = sorted(set(data.thresholds))
    if list(data.thresholds) != rising:
        yield Disagreement(
            f"data.thresholds {list(data.thresholds)} must rise: the end of down before the beginning of up",
            f"--set 'data.thresholds={rising}'",
        )
    if (data.task == "direction") != (head == "classes"):
        yield Disagreement(
            f"data.task {data.task!r} doesn't go with model.head {head!r}; 'direction' and 'classes' need each other",
            "--set data.task=direction --set model.head=classes --set fit.loss=crossentropy --set fit.realised=0",
        )
    if data.task == "direction" and data.target != "return":
        yield Disagreement(
            f"data.task 'direction' needs data.target 'return'; it is {data.target!r}", "--set data.target=return"
        )


def _of_the_scaling(config: RunConfig) -> Iterator[Disagreement]:
    low, high = config.data.range_low, config.data.range_high
    if low >= high:
        yield Disagreement(
            f"data.range_low {low} must lie below data.range_high {high}", f"--set data.range_high={low + 1}"
        )


def _of_the_padding(config: RunConfig) -> Iterator[Disagreement]:
    data = config.data
    if data.padding == "none" and data.truncating == "post":
        yield Disagreement(
            "data.truncating 'post' needs data.padding 'pre' or 'post'; it is 'none'", "--set data.truncating=pre"
        )
    if data.padding != "none" and config.fit.positions == "all":
        yield Disagreement(
            f"data.padding {data.padding!r} needs fit.positions 'last': no loss is taken where there is no session",
            "--set fit.positions=last",
        )
    if data.padding == "post" and config.model.highway:
        yield Disagreement(
            "data.padding 'post' doesn't go with model.highway, which reads the window's end", "--set data.padding=pre"
        )


def _of_the_state(config: RunConfig) -> Iterator[Disagreement]:
    model, fit, lookback = config.model, config.fit, config.data.lookback
    if fit.tbptt > lookback or (fit.tbptt and lookback % fit.tbptt):
        fitting = max(piece for piece in range(1, min(fit.tbptt, lookback) + 1) if lookback % piece == 0)
        yield Disagreement(
            f"fit.tbptt {fit.tbptt} must divide data.lookback {lookback}, and so be at most as long",
            f"--set fit.tbptt={fitting}",
        )
    which = "model.stateful" if model.stateful else f"fit.tbptt {fit.tbptt}"
    if not (model.stateful or fit.tbptt):
        return
    if model.cell in FLAT_CELLS or model.bidirectional:
        yield Disagreement(
            f"{which} needs a recurrent cell in one direction; model.cell is {model.cell!r}",
            "--set model.cell=lstm --set model.bidirectional=false",
        )
    if config.data.padding != "none":
        yield Disagreement(f"{which} doesn't go with data.padding {config.data.padding!r}", "--set data.padding=none")
    if model.stateful and (fit.stride != lookback or fit.windows):
        yield Disagreement(
            f"model.stateful needs fit.stride {lookback}, the lookback, and fit.windows 0, so that windows touch",
            f"--set fit.stride={lookback} --set fit.windows=0",
        )


def _feeds_itself(config: RunConfig) -> bool:
    """Whether a forecast is all that the next step needs."""
    data = config.data
    alone = data.features == (data.price,) and not data.calendar_features and data.padding == "none"
    return alone and data.target == "level" and config.model.head == "point"


def _of_the_cell(config: RunConfig) -> Iterator[Disagreement]:
    model, flat = config.model, config.model.cell in FLAT_CELLS
    if flat and model.bidirectional:
        yield Disagreement(
            f"model.bidirectional needs a recurrent cell; model.cell is {model.cell!r}",
            "--set model.bidirectional=false",
        )
    if config.fit.positions == "all" and (flat or model.bidirectional):
        which = f"model.cell {model.cell!r}" if flat else "model.bidirectional"
        yield Disagreement(
            f"{which} reads the window to its end: it needs fit.positions 'last'", "--set fit.positions=last"
        )


def _of_the_fit(fit: FitConfig) -> Iterator[Disagreement]:
    if fit.momentum and fit.optimizer != "sgd":
        yield Disagreement(
            f"fit.momentum {fit.momentum:g} needs fit.optimizer 'sgd'; it is {fit.optimizer!r}",
            "--set fit.optimizer=sgd",
        )
    if fit.clipnorm and fit.clipvalue:
        yield Disagreement(
            f"fit.clipvalue {fit.clipvalue:g} doesn't go with fit.clipnorm {fit.clipnorm:g}: one of them must be 0",
            "--set fit.clipnorm=0",
        )
