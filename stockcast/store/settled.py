"""Where a model's prices and events are, if the store's settings say so: files may have moved since training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from stockcast.config.store_settings import StoreConfig, load_store_config
from stockcast.store.manifest import Manifest


def settled(root: Path, manifest: Manifest) -> Manifest:
    """The manifest with the paths that the settings of the store at `root` give for its model, in place of its own.

    Raises `ConfigError` for settings that can't be read.
    """
    config = load_store_config(root)
    csv, events = (_paths(root, paths, manifest.name) for paths in (config.prices, config.events))
    found = replace(manifest, csv=csv, test_csv="") if csv else manifest
    return replace(found, events=events) if events and manifest.events else found


def _paths(root: Path, settings: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    return tuple(str(from_store(root, path)) for path in settings.get(name, ()))


def from_store(root: Path, path: str) -> Path:
    """A path of the settings, which is as seen from the store's folder."""
    return root.resolve() / Path(path).expanduser()


def strangers(config: StoreConfig, names: tuple[str, ...]) -> list[str]:
    """The models that the settings name and that are none."""
    return sorted({*config.prices, *config.events} - set(names))
