"""The settings of a store: what `stockcast.toml` in its folder says, so that no command line has to."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from stockcast.config.refusal import explained
from stockcast.config.sections import Section
from stockcast.errors import ConfigError, IOFailure

STORE_SETTINGS = "stockcast.toml"


class LedgerConfig(Section):
    """The ledger."""

    record: bool = Field(False, description="predict records what it forecasts, without being told")


class FetchConfig(Section):
    """What a night brings by itself. Paths are as seen from the store's folder."""

    to: str = Field("", description="the folder for prices; empty means that nothing is fetched")
    symbols: tuple[str, ...] = Field((), description="which; empty means all that are in the folder")
    source: Literal["yahoo", "tiingo"] | None = Field(None, description="from whom; the provider that each came from")
    since: date | None = Field(None, description="the first day of whole histories; all that there is")
    events: str = Field("", description="the events file for report dates; empty means none")
    pause: float = Field(1.0, ge=1, le=3600, description="seconds between two requests")


class NightConfig(Section):
    """What `nightly` does beside forecasting. Paths are as seen from the store's folder."""

    report: str = Field("", description="the folder for the morning's pages; empty means that none are written")
    jobs: int = Field(1, ge=1, le=1024, description="models that are worked on at once")
    on: str = Field("", description="the scheduler of a cluster that trains instead; empty means this machine")
    notify_url: str = Field("", description="pinged as URL/start, then as URL or URL/fail; empty means nobody is told")
    on_failure: str = Field("", description="the command that is run if a model fails; empty means none")


class StoreConfig(Section):
    """All settings of a store; `prices` and `events` are paths by the model that they are of."""

    ledger: LedgerConfig = LedgerConfig()
    fetch: FetchConfig = FetchConfig()
    nightly: NightConfig = NightConfig()
    prices: dict[str, tuple[str, ...]] = Field(
        default={}, description="files, folders or globs of a model's prices, in place of those it was trained on"
    )
    events: dict[str, tuple[str, ...]] = Field(
        default={}, description="files or folders of a model's events, in place of those it was trained with"
    )


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
        usual = {
            f"{section}.{key}": value
            for section, values in StoreConfig().model_dump(mode="json").items()
            for key, value in values.items()
        }
        refused = explained(error, usual)
        raise ConfigError(f"{path}: {refused.message}", f"correct {path}.") from error
