"""The settings: frozen, bounded, nameable, and the only place where a default stands.

A setting is a field here with its bounds and one line of meaning. A preset is a TOML file in `configs/` that names the
settings it changes. `RunConfig.digest()` names a whole configuration in twelve characters.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from stockcast.agreement import disagreements
from stockcast.errors import ConfigError, NotFound
from stockcast.refusal import explained, nearest

DEFAULT_PRESET = "daily"

Cell = Literal["lstm", "gru", "rnn", "peephole", "coupled", "linear", "mlp"]
CELLS: tuple[Cell, ...] = get_args(Cell)

Share = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class DataConfig(_Section):
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
    calendar: str = Field(
        "auto", description="trading calendar: auto, 24/7, weekdays, weekly, monthly, or an exchange such as XNYS"
    )


class SplitConfig(_Section):
    """How time is cut: fit | validation | calibration | test. Below 1 a share of the sessions, from 1 a count."""

    test: Share = Field(0.15, description="held-out newest part that the model is judged on")
    validation: Share = Field(0.0, description="part before calibration that stops training early; 0: fixed epochs")
    calibration: Share = Field(0.15, description="part before the test that calibrates the bands; 0: the fit part")
    until: date | None = Field(None, description="the last date that training may know; overrides split.test")
    embargo: int = Field(0, ge=0, description="sessions at the end of each part that no window's target may lie in")


class ModelConfig(_Section):
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


class FitConfig(_Section):
    """The training."""

    loss: Literal["mse", "mae", "huber", "pinball", "crossentropy"] = Field("pinball", description="what is minimised")
    optimizer: Literal["adam", "rmsprop", "sgd"] = Field("adam", description="the optimiser")
    learning_rate: float = Field(3e-3, gt=0, le=10, description="its step size at the start")
    decay: Literal["none", "cosine"] = Field("cosine", description="how the step size falls over the training")
    momentum: float = Field(0.0, ge=0, lt=1, description="of sgd: the share of the last step that is added to the next")
    clipnorm: float = Field(1.0, ge=0, description="the global gradient norm is clipped here; 0: never")
    clipvalue: float = Field(0.0, ge=0, description="each number of the gradient is clipped here; 0: never")
    l1: float = Field(0.0, ge=0, description="penalty on the absolute values of all kernels, while training")
    l2: float = Field(0.0, ge=0, description="penalty on the squares of all kernels, while training")
    prior: float = Field(
        0.0, ge=0, description="the same divided by the number of training windows: strong where evidence is scarce"
    )
    realised: float = Field(
        0.0,
        ge=0,
        description="weight of a second loss: how far the bands' width is from the volatility that came",
    )
    tbptt: int = Field(
        0, ge=0, description="windows are learned in pieces of so many sessions, the state handed on; 0: as a whole"
    )
    epochs: int = Field(8, ge=1, le=100_000, description="passes over the training windows")
    batch_size: int = Field(64, ge=1, le=65_536, description="windows a step")
    positions: Literal["last", "all"] = Field(
        "all", description="where the loss is taken: at a window's end, or at every position after fit.warmup"
    )
    warmup: int = Field(20, ge=0, description="positions at a window's start without loss")
    stride: int = Field(10, ge=1, description="sessions from one training window to the next")
    windows: int = Field(
        0, ge=0, description="most training windows an epoch: the stride is lengthened until they fit; 0: no limit"
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
    patience: int = Field(3, ge=1, description="epochs without a better validation loss before training stops")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of everything random")


class GateConfig(_Section):
    """When a challenger takes the champion's place, and when a champion is stale."""

    sessions: int = Field(20, ge=5, le=1000, description="newest sessions on which retraining judges both")
    tolerance: float = Field(0.01, ge=0, le=1, description="how much worse a challenger's pinball loss may be, a share")
    max_age: int = Field(0, ge=0, description="days after which predict calls the champion stale; 0: never")


class RunConfig(_Section):
    """All settings of a run. Unknown keys are refused; two equal configurations have equal digests."""

    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    fit: FitConfig = FitConfig()
    gate: GateConfig = GateConfig()

    @model_validator(mode="after")
    def _parts_agree(self) -> RunConfig:
        for one in disagreements(self):
            raise PydanticCustomError("disagreement", "{what}", one._asdict())
        return self

    def digest(self) -> str:
        """Twelve hexadecimal digits that name these settings."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def reseeded(config: RunConfig, seeds: int) -> list[RunConfig]:
    """The same settings with `seeds` different seeds, its own first."""
    fits = (config.fit.model_copy(update={"seed": config.fit.seed + offset}) for offset in range(seeds))
    return [config.model_copy(update={"fit": fit}) for fit in fits]


def config_folder() -> Path:
    """Where the presets are: inside an installed package, or beside it in a checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "configs"
    return packaged if packaged.is_dir() else here.parent / "configs"


def preset_names() -> tuple[str, ...]:
    """The presets that come with stockcast, in alphabetical order."""
    return tuple(sorted(path.stem for path in config_folder().glob("*.toml")))


def load_config(preset_or_file: str = DEFAULT_PRESET, settings: Iterable[str] = ()) -> RunConfig:
    """A preset's name or a TOML file's path, with `KEY=VALUE` settings laid over it.

    Raises `NotFound` for a missing file, `ConfigError` for an unknown preset, key or value.
    """
    table = _read_table(_find(preset_or_file))
    for setting in settings:
        _lay_over(table, setting)
    return from_table(table)


def config_name(preset_or_file: str) -> str:
    """What a configuration is called in reports: the preset's name or the file's stem."""
    return Path(preset_or_file).stem if preset_or_file.endswith(".toml") else preset_or_file


def from_table(table: Mapping[str, Any]) -> RunConfig:
    """Settings from nested tables, as in a TOML file or a manifest. Raises `ConfigError`."""
    try:
        return RunConfig.model_validate(table)
    except ValidationError as error:
        raise explained(error, default_settings()) from error


def _find(preset_or_file: str) -> Path:
    if preset_or_file.endswith(".toml") or "/" in preset_or_file:
        path = Path(preset_or_file)
        if not path.is_file():
            raise NotFound(f"there is no configuration file {preset_or_file}.", "give the path of a TOML file.")
        return path
    names = preset_names()
    if preset_or_file not in names:
        raise ConfigError(
            f"there is no preset {preset_or_file!r}.{nearest(preset_or_file, names)}",
            f"use one of {', '.join(names)}, or the path of a .toml file.",
        )
    return config_folder() / f"{preset_or_file}.toml"


def _read_table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.", "correct that line.") from error


def _lay_over(table: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    section, dot, name = key.strip().partition(".")
    if not (equals and dot):
        raise ConfigError(f"--set {setting!r} is not SECTION.KEY=VALUE.", "write for example --set data.lookback=40.")
    inner = table.setdefault(section, {})
    if not isinstance(inner, dict):
        raise ConfigError(f"{section} is not a section of the settings.", f"use one of {', '.join(_sections())}.")
    inner[name] = _value(text.strip())


def _value(text: str) -> Any:
    """A TOML value where it is one, else the text itself: `--set fit.loss=mse` needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _sections() -> dict[str, type[_Section]]:
    return {name: cast("type[_Section]", field.annotation) for name, field in RunConfig.model_fields.items()}


def default_settings() -> dict[str, Any]:
    """The default of every setting, each named `section.key`."""
    defaults = RunConfig().model_dump(mode="json")
    return {f"{name}.{key}": value for name, section in defaults.items() for key, value in section.items()}
