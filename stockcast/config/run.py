"""All settings of a run: presets, TOML files, and single settings laid over them.

A preset is a TOML file in `configs/` that names the settings it changes. `RunConfig.digest()` names a whole
configuration in twelve characters.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, cast

from pydantic import ValidationError, model_validator

from stockcast.config.refusal import demand_agreement, explained, nearest
from stockcast.config.rules import disagreements
from stockcast.config.sections import DataConfig, FitConfig, GateConfig, ModelConfig, Section, SplitConfig
from stockcast.errors import ConfigError, IOFailure, NotFound

DEFAULT_PRESET = "daily"


class RunConfig(Section):
    """All settings of a run. Unknown keys are refused; two equal configurations have equal digests."""

    data: DataConfig = DataConfig()
    split: SplitConfig = SplitConfig()
    model: ModelConfig = ModelConfig()
    fit: FitConfig = FitConfig()
    gate: GateConfig = GateConfig()

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        demand_agreement(disagreements(self.data, self.model, self.fit))
        return self

    def of_panel(self, series: int) -> RunConfig:
        """The settings as they are for a model of so many series."""
        return self.model_copy(update={"data": self.data.of_panel(series)})


def reseeded(config: RunConfig, seeds: int) -> list[RunConfig]:
    """The same settings with `seeds` different seeds, its own first."""
    fits = (config.fit.model_copy(update={"seed": config.fit.seed + offset}) for offset in range(seeds))
    return [config.model_copy(update={"fit": fit}) for fit in fits]


def config_folder() -> Path:
    """Where the presets are: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    packaged = package / "configs"
    return packaged if packaged.is_dir() else package.parent / "configs"


def preset_names() -> tuple[str, ...]:
    """The presets that come with stockcast, in alphabetical order."""
    return tuple(sorted(path.stem for path in config_folder().glob("*.toml")))


def preset_comments() -> dict[str, str]:
    """What each preset says of itself: the first line of its own comment."""
    firsts = {
        name: (config_folder() / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0] for name in preset_names()
    }
    return {name: first.removeprefix("#").strip().removeprefix(f"{name}:").strip() for name, first in firsts.items()}


def load_config(preset_or_file: str = DEFAULT_PRESET, settings: Iterable[str] | Mapping[str, Any] = ()) -> RunConfig:
    """A preset's name or a TOML file's path, with settings laid over it: `KEY=VALUE` texts, or values by their key.

    Raises `NotFound` for a missing file, `ConfigError` for an unknown preset, key or value.
    """
    path = _find(preset_or_file)
    table = _read_table(path)
    for key, value in (settings if isinstance(settings, Mapping) else parse_settings(settings)).items():
        _lay_over(table, key, value)
    return from_table(table, lambda: _every_setting(from_table(_read_table(path))))


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """What `--set KEY=VALUE` was given, as values by their key, such as `data.lookback`. Raises `ConfigError`."""
    settings: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (equals and "." in key):
            raise ConfigError(f"--set {text!r} is not SECTION.KEY=VALUE.", "write for example --set data.lookback=40.")
        settings[key.strip()] = _value(value.strip())
    return settings


def config_name(preset_or_file: str) -> str:
    """What a configuration is called in reports: the preset's name or the file's stem."""
    return Path(preset_or_file).stem if preset_or_file.endswith(".toml") else preset_or_file


def from_table(table: Mapping[str, Any], usual: Callable[[], dict[str, Any]] | None = None) -> RunConfig:
    """Settings from nested tables, as in a TOML file or a manifest; what is wrong is mended with the `usual` ones.

    Raises `ConfigError`.
    """
    try:
        return RunConfig.model_validate(table)
    except ValidationError as error:
        if usual is None:
            raise explained(error, default_settings()) from error
        raise explained(error, usual(), "what the configuration has") from error


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
    except OSError as error:
        raise IOFailure(f"{path} can't be read: {error.strerror}.", "check its permissions.") from error


def _lay_over(table: dict[str, Any], key: str, value: Any) -> None:
    section, _, name = key.partition(".")
    inner = table.setdefault(section, {})
    if not isinstance(inner, dict):
        raise ConfigError(f"{section} is not a section of the settings.", f"use one of {', '.join(_sections())}.")
    inner[name] = value


def _value(text: str) -> Any:
    """A TOML value where it is one, else the text itself: `--set fit.loss=mse` needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _sections() -> dict[str, type[Section]]:
    return {name: cast("type[Section]", field.annotation) for name, field in RunConfig.model_fields.items()}


def default_settings() -> dict[str, Any]:
    """The default of every setting, each named `section.key`."""
    return _every_setting(RunConfig())


def _every_setting(config: RunConfig) -> dict[str, Any]:
    table = config.model_dump(mode="json")
    return {f"{name}.{key}": value for name, section in table.items() for key, value in section.items()}
