"""A saved model brought back to life, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.run import RunConfig, from_table
from stockcast.errors import ConfigError, ModelDamaged
from stockcast.model.forecaster import WindowForecaster
from stockcast.store.manifest import Manifest
from stockcast.store.model_files import FORECASTER_FILES, from_files
from stockcast.store.read_version import Bundle
from stockcast.store.store import Store

CALENDAR_DOUBT = "calendar"
"""The kind of finding that says that coming sessions are guessed."""

LAST_DAY = np.datetime64("9999-12-31")
"""After it a date has more letters than ISO gives it."""


@dataclass(frozen=True)
class LoadedModel:
    """The model that serves under a name, `since` when (UTC): its forecaster, settings and manifest.

    After `max_age` days it is stale; 0: never. `accepted` are the faults of its prices that were taken since training.
    """

    name: str
    forecaster: WindowForecaster
    config: RunConfig
    manifest: Manifest
    bundle: Bundle
    since: str
    max_age: int
    accepted: tuple[str, ...]

    @property
    def judged(self) -> bool:
        """Whether any forecast was held against a later price when the model was trained."""
        return self.manifest.scores.get("verdict") is not None

    def facts(self) -> dict[str, Any]:
        """What every report about this model says of it."""
        return {"name": self.name, "config": self.manifest.config_name, "version": self.manifest.version}


def recorded_config(manifest: Manifest) -> RunConfig:
    """The settings that a model was trained with. Raises `ModelDamaged` for any that this stockcast doesn't know."""
    try:
        return from_table(manifest.config)
    except ConfigError as error:
        raise ModelDamaged(
            f"{manifest.name}, version {manifest.version}: {error.message}",
            "use the stockcast that wrote it, or train the model again.",
        ) from error


def open_model(store: Path, name: str | None, also: Sequence[str] = ()) -> LoadedModel:
    """The champion of `name`, or of the store's only model, checked against its manifest, with the files `also`.

    Raises `NotFound` naming the models there are, `ModelDamaged` naming the file.
    """
    models = Store(store)
    return open_version(models, models.find(name), also=also)


def open_version(models: Store, name: str, version: str | None = None, also: Sequence[str] = ()) -> LoadedModel:
    """A version of model `name`, or its champion. Raises as `open_model`."""
    champion = models.champion(name)
    bundle = models.load(name, version, wanted=(*FORECASTER_FILES, *also))
    manifest = bundle.manifest
    config = recorded_config(manifest)
    forecaster = from_files(bundle.files, manifest.config_name, config.data)
    max_age = config.gate.max_age if champion.max_age is None else champion.max_age
    return LoadedModel(name, forecaster, config, manifest, bundle, champion.since, max_age, champion.accepted)
