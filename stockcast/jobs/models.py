"""`stockcast models`: what the store holds, whether it is sound, and the changes a person makes to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stockcast.errors import IOFailure, ModelDamaged, StockcastError
from stockcast.store.champion import CHAMPION, Champion
from stockcast.store.interruption import noted, who_serves
from stockcast.store.manifest import Manifest
from stockcast.store.store import Store
from stockcast.view.text import some


@dataclass(frozen=True)
class ModelRow:
    """One model of `models list`; where `fault` says that it is damaged, what is not known is None."""

    name: str
    versions: int | None = None
    version: str | None = None
    since: str | None = None
    config: str | None = None
    series: int | None = None
    last: str | None = None
    fault: str | None = None


@dataclass(frozen=True)
class ModelList:
    """All models of a store, in alphabetical order."""

    models: tuple[ModelRow, ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"models": [asdict(row) for row in self.models]}


def list_models(store: Path) -> ModelList:
    """Every model with its champion. A damaged one is listed with its fault."""
    models = Store(store)
    return ModelList(tuple(_row(models, name) for name in models.names()))


def _row(models: Store, name: str) -> ModelRow:
    versions = None
    try:
        versions = len(models.versions(name))
        champion = models.champion(name)
        manifest = models.load(name, wanted=()).manifest
    except StockcastError as error:
        return ModelRow(name, versions, fault=error.message)
    last = max(one["last"] for one in manifest.data)
    return ModelRow(name, versions, champion.version, champion.since, manifest.config_name, len(manifest.data), last)


@dataclass(frozen=True)
class ModelDetail:
    """One model: its champion, the champion's manifest, all versions (oldest first) and the log."""

    champion: Champion
    manifest: Manifest
    versions: tuple[str, ...]
    log: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "name": self.manifest.name,
            "champion": asdict(self.champion),
            "manifest": asdict(self.manifest),
            "versions": list(self.versions),
            "log": list(self.log),
        }


def show_model(store: Path, name: str | None) -> ModelDetail:
    """The model `name`, or the only one. Raises `NotFound` or `ModelDamaged`."""
    models = Store(store)
    name = models.find(name)
    champion = models.champion(name)
    manifest = models.load(name, champion.version, wanted=()).manifest
    return ModelDetail(champion, manifest, models.versions(name), models.log(name))


@dataclass(frozen=True)
class Verification:
    """For each model, its pointer and each version: what is wrong, or None."""

    findings: dict[str, dict[str, str | None]]

    @property
    def exit_code(self) -> int:
        """1 if any fault was found."""
        return int(any(fault for model in self.findings.values() for fault in model.values()))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"sound": self.exit_code == 0, "models": self.findings}


def verify_models(store: Path, name: str | None) -> Verification:
    """Check every byte of the model `name`, or of all. Raises `NotFound` if there is none."""
    models = Store(store)
    names = (models.find(name),) if name else models.names() or (models.only(),)
    return Verification({one: _faults(models, one) for one in names})


def _faults(models: Store, name: str) -> dict[str, str | None]:
    try:
        return models.verify(name)
    except (ModelDamaged, IOFailure) as error:  # its folder can't be read: the others can
        return {CHAMPION: error.message}


@dataclass(frozen=True)
class RolledBack:
    """The model and the champion that it has now."""

    name: str
    champion: Champion

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"name": self.name, "champion": asdict(self.champion)}


def roll_back(store: Path, name: str | None, version: str | None) -> RolledBack:
    """Let `version` serve again, or the one that served before. Raises `NotFound`, `ModelDamaged`, `Busy`."""
    models = Store(store)
    name = models.find(name)
    with noted(who_serves(models, name)):
        return RolledBack(name, models.rollback(name, version, "rolled back by hand", datetime.now(UTC)))


@dataclass(frozen=True)
class Deleted:
    """What was deleted of a model: versions, or the whole."""

    name: str
    versions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"name": self.name, "deleted": list(self.versions)}


def prune_model(store: Path, name: str | None, keep: int) -> Deleted:
    """Delete old versions of a model; see `Store.prune` for what stays."""
    models = Store(store)
    name = models.find(name)
    before = models.versions(name)

    def so_far() -> str:
        left = models.versions(name)
        gone = [version for version in before if version not in left]
        counted = f"{len(gone)} version{'s' * (len(gone) != 1)} of {name} {'is' if len(gone) == 1 else 'are'} deleted"
        return f"{counted}: {some(gone)}." if gone else f"{counted}."

    with noted(so_far):
        return Deleted(name, models.prune(name, keep))


def remove_model(store: Path, name: str) -> Deleted:
    """Delete the model `name` with all its versions. Raises `NotFound`, `Busy`."""
    models = Store(store)
    name = models.find(name)
    versions = models.versions(name)

    def so_far() -> str:
        if name in models.names():
            return f"{name} is as it was."
        return f"{name} serves no more, but some of it is left: stockcast models remove {name}"

    with noted(so_far):
        models.remove(name)
    return Deleted(name, versions)
