"""What settings of different sections demand of each other."""

from __future__ import annotations

from collections.abc import Iterator

from stockcast.config.refusal import Disagreement
from stockcast.config.sections import FLAT_CELLS, DataConfig, FitConfig, ModelConfig

LOSSES = {
    "point": ("mse", "mae", "huber"),
    "scale": ("pinball",),
    "quantiles": ("pinball",),
    "classes": ("crossentropy",),
}
"""What each head can be trained with."""


def lookback_flags(lookback: int, model: ModelConfig, fit: FitConfig) -> str:
    """The flags that set `data.lookback`, and with it whatever must go with it."""
    flags = [f"--set data.lookback={lookback}"]
    if fit.positions == "all" and fit.warmup >= lookback:
        flags.append(f"--set fit.warmup={lookback // 3}")
    if fit.tbptt and lookback % fit.tbptt:
        flags.append(f"--set fit.tbptt={_divisor(lookback, fit.tbptt)}")
    if model.stateful:
        flags.append(f"--set fit.stride={lookback}")
    return " ".join(flags)


def _divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is at most `most`."""
    return max(piece for piece in range(1, min(most, number) + 1) if number % piece == 0)


def disagreements(data: DataConfig, model: ModelConfig, fit: FitConfig) -> Iterator[Disagreement]:
    """Each pair of settings that can't go together, those that concern the cell first."""
    yield from _of_the_cell(model, fit)
    yield from _of_the_task(data, model)
    yield from _of_the_padding(data, model, fit)
    yield from _of_the_state(data, model, fit)
    yield from _of_the_steps(data, model)
    yield from _of_the_warmup(data, fit)
    yield from _of_the_loss(data, model, fit)


def _of_the_cell(model: ModelConfig, fit: FitConfig) -> Iterator[Disagreement]:
    flat = model.cell in FLAT_CELLS
    if fit.positions == "all" and (flat or model.bidirectional):
        which = f"model.cell {model.cell!r}" if flat else "model.bidirectional"
        yield Disagreement(
            f"{which} reads the window to its end: it needs fit.positions 'last'", "--set fit.positions=last"
        )


def _of_the_task(data: DataConfig, model: ModelConfig) -> Iterator[Disagreement]:
    if (data.task == "direction") != (model.head == "classes"):
        yield Disagreement(
            f"data.task {data.task!r} doesn't go with model.head {model.head!r}; 'direction' and 'classes' need "
            "each other",
            "--set data.task=direction --set model.head=classes --set fit.loss=crossentropy --set fit.realised=0",
        )


def _of_the_padding(data: DataConfig, model: ModelConfig, fit: FitConfig) -> Iterator[Disagreement]:
    if data.padding != "none" and fit.positions == "all":
        yield Disagreement(
            f"data.padding {data.padding!r} needs fit.positions 'last': no loss is taken where there is no session",
            "--set fit.positions=last",
        )
    if data.padding == "post" and model.highway:
        yield Disagreement(
            "data.padding 'post' doesn't go with model.highway, which reads the window's end", "--set data.padding=pre"
        )


def _of_the_state(data: DataConfig, model: ModelConfig, fit: FitConfig) -> Iterator[Disagreement]:
    lookback = data.lookback
    if fit.tbptt > lookback or (fit.tbptt and lookback % fit.tbptt):
        fitting = _divisor(lookback, fit.tbptt)
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
    if data.padding != "none":
        yield Disagreement(f"{which} doesn't go with data.padding {data.padding!r}", "--set data.padding=none")
    if model.stateful and (fit.stride != lookback or fit.windows):
        yield Disagreement(
            f"model.stateful needs fit.stride {lookback}, the lookback, and fit.windows 0, so that windows touch",
            f"--set fit.stride={lookback} --set fit.windows=0",
        )


def _of_the_steps(data: DataConfig, model: ModelConfig) -> Iterator[Disagreement]:
    alone = data.features == (data.price,) and not data.calendar_features and data.padding == "none"
    feeds_itself = alone and data.target == "level" and model.head == "point"
    if model.multistep == "recursive" and not feeds_itself:
        yield Disagreement(
            f"model.multistep 'recursive' needs data.features [{data.price!r}], data.target 'level' and "
            "model.head 'point': what is forecast must be all that the network sees",
            f"""--set 'data.features=["{data.price}"]' --set data.target=level --set model.head=point """
            "--set fit.loss=mse --set fit.realised=0 --set data.calendar_features=[] --set data.padding=none",
        )


def _of_the_warmup(data: DataConfig, fit: FitConfig) -> Iterator[Disagreement]:
    if fit.positions == "all" and fit.warmup >= data.lookback:
        yield Disagreement(
            f"fit.warmup {fit.warmup} must be below data.lookback {data.lookback}",
            f"--set fit.warmup={data.lookback - 1}",
        )


def _of_the_loss(data: DataConfig, model: ModelConfig, fit: FitConfig) -> Iterator[Disagreement]:
    losses = LOSSES[model.head]
    if fit.loss not in losses:
        needed = " or ".join(repr(loss) for loss in losses)
        yield Disagreement(
            f"fit.loss {fit.loss!r} doesn't go with model.head {model.head!r}, which needs {needed}",
            f"--set fit.loss={losses[0]}",
        )
    if fit.realised and (fit.loss != "pinball" or data.target != "return"):
        yield Disagreement(
            f"fit.realised {fit.realised:g} needs fit.loss 'pinball' and data.target 'return'",
            "--set fit.realised=0",
        )
