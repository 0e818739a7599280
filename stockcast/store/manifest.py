"""What a saved model says of itself, and of the data it was trained on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any

from stockcast.errors import ModelDamaged, NotFound, UsageError
from stockcast.store.names import is_version
from stockcast.store.records import damaged, dump, load, sha256

if TYPE_CHECKING:
    from stockcast.data.series import PriceSeries

SCHEMA = 2
"""Of what is written now. Schema 1, which is read as well, has no prices.npz."""

MANIFEST = "manifest.json"

MIB = 1 << 20
LARGEST = {
    MANIFEST: 8 * MIB,
    "scaler.json": 8 * MIB,
    "weights.npz": 128 * MIB,
    "model.onnx": 128 * MIB,
    "history.csv": 8 * MIB,
    "backtest.csv": 128 * MIB,
    "prices.npz": 128 * MIB,
}
"""Every file of a version, and the most bytes it may have."""

FILES = tuple(name for name in LARGEST if name != MANIFEST)

FILES_OF = {1: tuple(name for name in FILES if name != "prices.npz"), SCHEMA: FILES}
"""The files beside the manifest, by its schema."""


FRAME = "<frame>"
"""Stands among the paths for prices or events that were no file, but a frame in Python."""


@dataclass(frozen=True)
class Manifest:
    """A version's first page. `name`, `version`, `created` and `files` are filled in when it is saved.

    - `config`: the settings as nested tables, `config_name` what they are called;
    - `csv`: the paths that were read, and `hints`: what the user said of how to read them; `findings`: what was found
      wrong with them; `data`: a `fingerprint` of each series of the training data, since schema 2 with the `columns`
      that the model uses;
    - `test_csv`: which of these paths has the test prices that follow the others'; empty: none. None is of manifests
      that were written before this was kept, and isn't written;
    - `events`: the paths of the events that it was trained with; not written where there is none;
    - `libraries`: the version of each library; `seed`: of everything random;
    - `scores`: the held-out scores, in any shape that JSON knows;
    - `calendar`, and `next_sessions`: the newest dates (ISO) of the prices and the coming ones;
    - `created`: UTC, such as 2026-11-21T02:15:00Z; `files`: `sha256` and `size` of every other file.
    """

    config_name: str
    config: Mapping[str, Any]
    csv: tuple[str, ...]
    hints: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...]
    data: tuple[Mapping[str, Any], ...]
    libraries: Mapping[str, str]
    seed: int
    scores: Mapping[str, Any]
    calendar: str
    next_sessions: tuple[str, ...]
    name: str = ""
    version: str = ""
    created: str = ""
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schema: int = SCHEMA
    test_csv: str | None = None
    events: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The bytes of manifest.json. Raises `ValueError` for NaN or infinity among the scores."""
        table = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.test_csv is None:
            del table["test_csv"]
        if not self.events:
            del table["events"]
        return dump(table)

    def on_disk(self, paths: tuple[str, ...], flag: str) -> tuple[str, ...]:
        """Its `csv` or `events`. Raises `NotFound` where they were a frame in Python: `flag` names files instead."""
        if FRAME in paths:
            what = "prices" if paths == self.csv else "events"
            message = f"the model {self.name!r} was trained in Python on {what} that were in no file."
            raise NotFound(message, f"name a file that holds them: {flag} PATH")
        return paths

    def demand_events(self) -> None:
        """Raise `UsageError` if the model was trained without events, so that it has no use for any."""
        if not self.events:
            message = f"the model {self.name!r} was trained without events."
            raise UsageError(message, "train it with them: stockcast train --events PATH")


def file_digests(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """`Manifest.files` of these files."""
    return {name: {"sha256": sha256(data), "size": len(data)} for name, data in files.items()}


def fingerprint(series: PriceSeries) -> dict[str, Any]:
    """What identifies a series' dates and closes: name, rows, first and last date, and their SHA-256."""
    return {
        "name": series.name,
        "rows": len(series),
        "first": str(series.dates[0]),
        "last": str(series.dates[-1]),
        "sha256": _sha256_of_rows(series, len(series)),
    }


def extends(series: PriceSeries, earlier: Mapping[str, Any]) -> bool:
    """Whether `series` is the series of the fingerprint `earlier`, or the same with later rows added."""
    rows = int(earlier["rows"])
    if series.name != earlier["name"] or len(series) < rows:
        return False
    return _sha256_of_rows(series, rows) == str(earlier["sha256"])


def _sha256_of_rows(series: PriceSeries, rows: int) -> str:
    days = series.dates[:rows].astype("datetime64[D]").astype("<i8")
    closes = series.columns["close"][:rows].astype("<f8")
    return hashlib.sha256(days.tobytes() + closes.tobytes()).hexdigest()


def parse_manifest(data: bytes, where: object) -> Manifest:
    """The manifest in `data`, which was read from `where`.

    Raises `ModelDamaged` for another schema, a missing, stray or ill-typed key, or bytes that are not those from whose
    SHA-256 the version was named. Their form needs no check of its own: another one has another SHA-256.
    """
    table = load(data, where)
    schema = table.get("schema")
    if type(schema) is not int or schema not in FILES_OF:
        raise ModelDamaged(
            f"{where} has schema {repr(schema)[:20]}; this stockcast reads schemas 1 to {SCHEMA}.",
            "use the stockcast that wrote it, or train the model again.",
        )
    names = {one.name for one in fields(Manifest)}
    if table.keys() | {"test_csv", "events"} != names:
        raise damaged(where, f"missing or stray keys {sorted(table.keys() ^ names)[:5]}")
    for key, sound in _SOUND.items():
        if not sound(table[key]):
            raise damaged(where, f"{key} is {str(table[key])[:60]!r}")
    if table["files"].keys() != set(FILES_OF[schema]):
        raise damaged(where, f"its files are {str(sorted(table['files']))[:60]}")
    if table.get("test_csv", "") not in ("", *table["csv"]):
        raise damaged(where, f"test_csv is {str(table['test_csv'])[:60]!r}")
    if not _is_list(table.setdefault("events", []), _is_text):
        raise damaged(where, f"events is {str(table['events'])[:60]!r}")
    for key in ("csv", "findings", "data", "next_sessions", "events"):
        table[key] = tuple(table[key])
    manifest = Manifest(**table)
    if sha256(with_version(data, "", manifest.version))[:8] != manifest.version[-8:]:
        raise damaged(where, f"its content doesn't belong to version {manifest.version}")
    return manifest


def with_version(data: bytes, version: str, before: str = "") -> bytes:
    """The bytes of a manifest of the version `before` as those of another one: to write them once more takes longer.

    A version ends with the beginning of the SHA-256 of its manifest without a version.
    """
    return data.replace(f'\n "version": "{before}"\n'.encode(), f'\n "version": "{version}"\n'.encode(), 1)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return False
    try:
        return date.fromisoformat(value) is not None
    except ValueError:
        return False


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _is_time(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_list(value: object, sound: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(sound(one) for one in value)


def _is_record(value: object, sound: Mapping[str, Callable[[object], bool]]) -> bool:
    return isinstance(value, dict) and value.keys() == sound.keys() and all(sound[key](value[key]) for key in sound)


def _is_fingerprint(value: object) -> bool:
    keys = {"name": _is_text, "rows": _is_count, "first": _is_date, "last": _is_date, "sha256": _is_sha256}
    columns = {"columns": lambda names: _is_list(names, _is_text)}
    return _is_record(value, keys) or _is_record(value, {**keys, **columns})


def _is_file(value: object) -> bool:
    return _is_record(value, {"sha256": _is_sha256, "size": _is_count})


_SOUND: Mapping[str, Callable[[Any], bool]] = {
    "config_name": _is_text,
    "config": _is_table,
    "csv": lambda value: _is_list(value, _is_text),
    "hints": _is_table,
    "findings": lambda value: _is_list(value, _is_table),
    "data": lambda value: _is_list(value, _is_fingerprint) and len(value) > 0,
    "libraries": _is_table,
    "seed": _is_count,
    "scores": _is_table,
    "calendar": _is_text,
    "next_sessions": lambda value: _is_list(value, _is_date) and value == sorted(set(value)),
    "name": _is_text,
    "version": lambda value: _is_text(value) and is_version(value),
    "created": _is_time,
    "files": lambda value: _is_table(value) and all(_is_file(one) for one in value.values()),
}
