"""What a setting is: its default, its bounds and one line of meaning. What a preset changes stands in `configs/`.

What settings of one section demand of each other is that section's validator; across sections, see `rules`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stockcast.config.refusal import Disagreement, demand_agreement

Cell = Literal["lstm", "gru", "rnn", "peephole", "coupled", "linear", "mlp"]
CELLS: tuple[Cell, ...] = get_args(Cell)

FLAT_CELLS = ("linear", "mlp")
"""Cells that read the window as a whole: they have one output a window, not one at every position."""

FAR, WIDE = 1e3, 1e12
"""The farthest that thresholds may lie, in volatilities, and that inputs may be scaled to."""

USUAL_RANGE = "--set data.range_low=0 --set data.range_high=1"

Share = Annotated[float, Field(ge=0)]

MANY = 1_000_000_000
"""More sessions, windows or epochs than there are; numbers have to end somewhere."""


class Section(BaseModel):
    """One table of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        demand_agreement(self._disagreements())
        return self

    def digest(self) -> str:
        """Twelve hexadecimal digits that name these settings."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def _disagreements(self) -> Iterable[Disagreement]:
        """Each pair of its own settings that can't go together."""
        return ()


class DataConfig(Section):
    """What goes into the network and what it must say."""

    price: str = Field("close", description="the column that is forecast")
    features: tuple[str, ...] = Field(
        (), description="the network's inputs; empty means every daily feature that the file's columns allow"
    )
    target: Literal["level", "return"] = Field(
        "return", description="what is learned: the scaled price, or the log return in units of its volatility"
    )
    lookback: int = Field(60, ge=1, le=2000, description="sessions that the network looks back on")
    horizon: int = Field(5, ge=1, le=250, description="sessions that are forecast")
    calendar_features: tuple[Literal["weekday", "month", "ticker"], ...] = Field(
        (), description="what else the network sees of a session: its weekday, its month, which series it is of"
    )
    calendar_codes: Literal["integer", "onehot"] = Field("onehot", description="how these categories are written")
    padding: Literal["none", "pre", "post"] = Field(
        "none", description="where a window that begins before its series is filled up, and masked; none: left out"
    )
    truncating: Literal["pre", "post"] = Field(
        "pre", description="which end of a longer history is cut off, with data.padding: a forecast wants the new one"
    )
    scaler: Literal["minmax", "standard"] = Field("minmax", description="how inputs are scaled")
    range_low: float = Field(0.0, description="lower end of MinMax scaling")
    range_high: float = Field(1.0, description="upper end of MinMax scaling")
    trim: float = Field(
        0.0, ge=0, lt=0.5, description="share of each input's values that is left out of that range on either side"
    )
    clip: bool = Field(False, description="inputs beyond the range that the scaler was fitted on are put on its edge")
    scale_by: Literal["series", "panel"] = Field(
        "series", description="fit the scaler on each series by itself, or once on all series together"
    )
    task: Literal["price", "direction"] = Field(
        "price",
        description="what is forecast: the price, or the probabilities that it goes down, stays flat or goes up",
    )
    thresholds: tuple[float, ...] = Field(
        (-0.3, 0.3),
        min_length=1,
        max_length=2,
        description="where down ends and up begins, in volatilities; one number alone parts down from up",
    )
    halflife: float = Field(20.0, gt=0, le=500, description="half-life of the EWMA volatility, in sessions")
    halflife_alone: float = Field(
        0.0, ge=0, le=500, description="the same where a model is trained on one series alone; 0: no other"
    )
    calendar: str = Field(
        "auto", description="trading calendar: auto, 24/7, weekdays, weekly, monthly, or an exchange such as XNYS"
    )

    def of_panel(self, series: int) -> DataConfig:
        """The settings as they are for a model of so many series."""
        if series > 1 or not self.halflife_alone:
            return self
        return self.model_copy(update={"halflife": self.halflife_alone})

    def _disagreements(self) -> Iterator[Disagreement]:
        rising = sorted(set(self.thresholds))
        if list(self.thresholds) != rising:
            yield Disagreement(
                f"data.thresholds {list(self.thresholds)} must rise: the end of down before the beginning of up",
                f"--set 'data.thresholds={rising}'",
            )
        if max(map(abs, self.thresholds)) > FAR:
            yield Disagreement(
                f"data.thresholds {list(self.thresholds)} are volatilities: they must lie within -{FAR:g} and {FAR:g}",
                "--set 'data.thresholds=[-0.3,0.3]'",
            )
        if self.task == "direction" and self.target != "return":
            yield Disagreement(
                f"data.task 'direction' needs data.target 'return'; it is {self.target!r}", "--set data.target=return"
            )
        if self.range_low >= self.range_high:
            yield Disagreement(
                f"data.range_low {self.range_low} must lie below data.range_high {self.range_high}",
                f"--set data.range_high={self.range_low + 1}" if abs(self.range_low) < WIDE else USUAL_RANGE,
            )
        if max(abs(self.range_low), abs(self.range_high)) > WIDE:
            yield Disagreement(
                f"data.range_low {self.range_low} and data.range_high {self.range_high} must lie within -{WIDE:g} and "
                f"{WIDE:g}, so that the inputs keep their digits",
                USUAL_RANGE,
            )
        if self.padding == "none" and self.truncating == "post":
            yield Disagreement(
                "data.truncating 'post' needs data.padding 'pre' or 'post'; it is 'none'", "--set data.truncating=pre"
            )


class SplitConfig(Section):
    """How time is cut: fit | validation | calibration | test. Below 1 a share of the sessions, from 1 a count."""

    test: Share = Field(
        0.15, description="held-out newest part that the model is judged on; 0: none, and it is not judged"
    )
    validation: Share = Field(0.0, description="part before calibration that stops training early; 0: fixed epochs")
    calibration: Share = Field(0.15, description="part before the test that calibrates the bands; 0: the fit part")
    until: date | None = Field(None, description="the last date that training may know; overrides split.test")
    embargo: int = Field(
        0, ge=0, le=MANY, description="sessions at the end of each part that no window's target may lie in"
    )


class ModelConfig(Section):
    """The network."""

    cell: Cell = Field("lstm", description="the recurrent cell, or what reads the window as a whole: linear or mlp")
    units: tuple[Annotated[int, Field(ge=1, le=2048)], ...] = Field(
        (32, 32), min_length=1, max_length=8, description="units of each recurrent layer, bottom to top"
    )
    bidirectional: bool = Field(False, description="recurrent layers read the window in both directions")
    stateful: bool = Field(False, description="training carries the state from each window to the one that follows")
    hidden: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(
        (32,), min_length=1, max_length=8, description="units of each layer of the mlp, bottom to top"
    )
    activation: Literal["sigmoid", "tanh", "relu", "leaky_relu"] = Field("relu", description="of the mlp's layers")
    initializer: Literal["glorot", "he", "orthogonal", "zeros"] = Field(
        "glorot", description="how the kernels below the head begin; zeros makes all units of a layer alike"
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout after each layer below the head")
    highway: bool = Field(False, description="the newest inputs go straight to the head too, past the recurrent layers")
    multistep: Literal["direct", "recursive"] = Field(
        "direct", description="one output a step, or one step ahead that is fed back as the next input"
    )
    head: Literal["point", "scale", "quantiles", "classes"] = Field(
        "scale",
        description="the output a step: one number; a scale times learned constants; free quantiles; or probabilities",
    )

    def _disagreements(self) -> Iterator[Disagreement]:
        if self.cell in FLAT_CELLS and self.bidirectional:
            yield Disagreement(
                f"model.bidirectional needs a recurrent cell; model.cell is {self.cell!r}",
                "--set model.bidirectional=false",
            )


class FitConfig(Section):
    """The training."""

    loss: Literal["mse", "mae", "huber", "pinball", "crossentropy"] = Field("pinball", description="what is minimised")
    optimizer: Literal["adam", "rmsprop", "sgd"] = Field("adam", description="the optimiser")
    learning_rate: float = Field(3e-3, gt=0, le=10, description="its step size at the start")
    decay: Literal["none", "cosine"] = Field("cosine", description="how the step size falls over the training")
    momentum: float = Field(0.0, ge=0, lt=1, description="of sgd: the share of the last step that is added to the next")
    clipnorm: float = Field(1.0, ge=0, le=1e6, description="the global gradient norm is clipped here; 0: never")
    clipvalue: float = Field(0.0, ge=0, le=1e6, description="each number of the gradient is clipped here; 0: never")
    l1: float = Field(0.0, ge=0, le=1e6, description="penalty on the absolute values of all kernels, while training")
    l2: float = Field(0.0, ge=0, le=1e6, description="penalty on the squares of all kernels, while training")
    prior: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="the same divided by the number of training windows: strong where evidence is scarce",
    )
    realised: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="weight of a second loss: how far the bands' width is from the volatility that came",
    )
    tbptt: int = Field(
        0,
        ge=0,
        le=MANY,
        description="windows are learned in pieces of so many sessions, the state handed on; 0: as a whole",
    )
    epochs: int = Field(8, ge=1, le=100_000, description="passes over the training windows")
    batch_size: int = Field(64, ge=1, le=65_536, description="windows a step")
    positions: Literal["last", "all"] = Field(
        "all", description="where the loss is taken: at a window's end, or at every position after fit.warmup"
    )
    warmup: int = Field(20, ge=0, le=MANY, description="positions at a window's start without loss")
    stride: int = Field(10, ge=1, le=MANY, description="sessions from one training window to the next")
    windows: int = Field(
        0,
        ge=0,
        le=MANY,
        description="most training windows an epoch: the stride is lengthened until they fit; 0: no limit",
    )
    refit: bool = Field(
        False, description="after calibration, train anew on all the prices up to the test, for as many epochs"
    )
    follow: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="how fast the bands follow the answers that came since training (adaptive conformal); 0: never",
    )
    follow_own: float = Field(
        0.0, ge=0, le=0.5, description="how fast those of each series widen and narrow with its own answers; 0: never"
    )
    patience: int = Field(3, ge=1, le=MANY, description="epochs without a better validation loss before training stops")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of everything random")

    def _disagreements(self) -> Iterator[Disagreement]:
        if self.momentum and self.optimizer != "sgd":
            yield Disagreement(
                f"fit.momentum {self.momentum:g} needs fit.optimizer 'sgd'; it is {self.optimizer!r}",
                "--set fit.optimizer=sgd",
            )
        if self.clipnorm and self.clipvalue:
            yield Disagreement(
                f"fit.clipvalue {self.clipvalue:g} doesn't go with fit.clipnorm {self.clipnorm:g}: "
                "one of them must be 0",
                "--set fit.clipnorm=0",
            )


class GateConfig(Section):
    """When a challenger takes the champion's place, and when a champion is stale."""

    sessions: int = Field(20, ge=5, le=1000, description="newest sessions on which retraining judges both")
    tolerance: float = Field(0.01, ge=0, le=1, description="how much worse a challenger's pinball loss may be, a share")
    max_age: int = Field(0, ge=0, le=100_000, description="days after which predict calls the champion stale; 0: never")
