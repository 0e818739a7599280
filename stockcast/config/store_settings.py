"""The settings of a store: what `stockcast.toml` in its folder says, so that no command line has to."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import Field, ValidationError

from stockcast.config.refusal import explained
from stockcast.config.sections import Section
from stockcast.errors import ConfigError, IOFailure

STORE_SETTINGS = "stockcast.toml"


class LedgerConfig(Section):
    """The ledger."""

    record: bool = Field(False, description="predict records what it forecasts, without being told")


class StoreConfig(Section):
    """All settings of a store."""

    ledger: LedgerConfig = LedgerConfig()


def load_store_config(store: Path) -> StoreConfig:
    """The settings of the store in this folder, the defaults where it has no file of them.

    Raises `ConfigError` for a file that is not TOML, an unknown key or a wrong value.
    """
    path = store / STORE_SETTINGS
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return StoreConfig()
    except (OSError, UnicodeDecodeError) as error:
        raise IOFailure(f"{path} can't be read: {error}.", "check its permissions.") from error
    try:
        return StoreConfig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}.", "correct that line.") from error
    except ValidationError as error:
        refused = explained(error, {"ledger.record": False})
        raise ConfigError(f"{path}: {refused.message}", f"correct {path}.") from error
