"""The pointer to the version that serves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from stockcast.store.names import is_version
from stockcast.store.records import damaged, dump, load_exact, sha256

CHAMPION = "champion.json"

_OPTIONAL = {"max_age", "rejected", "accepted"}
"""Left out where they are None or empty."""


@dataclass(frozen=True)
class Champion:
    """Which version serves, since when (UTC, ISO), why, and which one it replaced.

    `manifest_sha256` is that of the version's manifest.json, which in turn vouches for its other files. `max_age` are
    the days after which a champion of this model is stale; 0: never; None: as the version's settings say. `rejected` is
    the digest of the prices on which a challenger was judged last and rejected, if one was. `accepted` are the faults
    of its prices that the user has taken since training, each a kind with a date.
    """

    version: str
    manifest_sha256: str
    since: str
    why: str
    replaced: str | None
    max_age: int | None = None
    rejected: str | None = None
    accepted: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The bytes of champion.json: the fields and a SHA-256 over them."""
        table = {key: value for key, value in asdict(self).items() if key not in _OPTIONAL or value not in (None, ())}
        return dump({**table, "sha256": sha256(dump(table))})


def parse_champion(data: bytes, where: object) -> Champion:
    """The pointer in `data`, which was read from `where`. Raises `ModelDamaged` unless it is as it was written."""
    table = load_exact(data, where)
    if table.keys() | _OPTIONAL != {one.name for one in fields(Champion)} | {"sha256"}:
        raise damaged(where, "missing or stray keys")
    digest = table.pop("sha256")
    if digest != sha256(dump(table)) or not _is_sound(table):
        raise damaged(where, "it differs from its checksum")
    return Champion(**{**table, "accepted": tuple(table.get("accepted", ()))})


def _is_sound(table: Mapping[str, Any]) -> bool:
    texts = (table["version"], table["manifest_sha256"], table["since"], table["why"], table["replaced"] or "")
    if not all(isinstance(text, str) for text in texts):
        return False
    if not re.fullmatch(r"[0-9a-f]{64}|", str(table.get("rejected", ""))):
        return False
    age = table.get("max_age", 0)
    if not isinstance(age, int) or isinstance(age, bool) or age < 0:
        return False
    accepted = table.get("accepted", [])
    if not isinstance(accepted, list) or not all(isinstance(fault, str) for fault in accepted):
        return False
    return is_version(table["version"]) and (table["replaced"] is None or is_version(table["replaced"]))
