"""What a version looks at, as it was measured once: beside the versions, for it can be made again from them.

A version is never changed after it got its name, so that this can't be a file of it; and it vouches for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from stockcast.errors import ModelDamaged, NotFound
from stockcast.store.atomic import replace_file, sweep
from stockcast.store.names import folder_name
from stockcast.store.read_version import read_limited
from stockcast.store.records import dump, load_exact
from stockcast.store.store import Store

_FILE = "importance.json"
_LARGEST = 1 << 20

Group = tuple[str, tuple[str, ...], tuple[float, ...]]
"""Its name, its inputs, and how much the loss rose in each shuffling."""


def kept_importance(store: Store, name: str, version: str) -> tuple[tuple[Group, ...], int] | None:
    """What was kept of `version`, and on how many windows it was measured; None if there is nothing that can be read.

    A file of another version, or one that is damaged, counts as none: it will be replaced.
    """
    path = store.root / folder_name(name) / _FILE
    try:
        table = load_exact(read_limited(path, _LARGEST), path)
    except (NotFound, ModelDamaged):
        return None
    if table.get("version") != version or not _is_sound(table):
        return None
    groups = ((one["name"], tuple(one["inputs"]), tuple(map(float, one["rises"]))) for one in table["groups"])
    return tuple(groups), table["windows"]


def keep_importance(store: Store, name: str, version: str, groups: Sequence[Group], windows: int) -> None:
    """Keep what was measured of `version` in the place of what was kept before.

    Raises `Busy` at once if another run changes the model, `CannotCreate` or `IOFailure`.
    """
    named = [dict(zip(("name", "inputs", "rises"), map(_listed, one), strict=True)) for one in groups]
    with store.lock(name):
        folder = store.root / folder_name(name)
        for left in folder.glob(f".{_FILE}.*"):  # of a run that was killed
            sweep(left)
        data = dump({"version": version, "groups": named, "windows": windows})
        replace_file(folder / f".{_FILE}.{os.getpid()}", folder / _FILE, data)


def _listed(part: Any) -> Any:
    return list(part) if isinstance(part, tuple) else part


def _is_sound(table: dict[str, Any]) -> bool:
    groups = table.get("groups")
    if type(table.get("windows")) is not int or not isinstance(groups, list):
        return False
    return all(isinstance(one, dict) and one.keys() == {"name", "inputs", "rises"} and _is_group(one) for one in groups)


def _is_group(one: dict[str, Any]) -> bool:
    inputs, rises = one["inputs"], one["rises"]
    if not (isinstance(one["name"], str) and isinstance(inputs, list) and isinstance(rises, list) and rises):
        return False
    return all(isinstance(text, str) for text in inputs) and all(type(rise) in (int, float) for rise in rises)
