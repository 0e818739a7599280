"""What `--csv` was given, be it a path or an address: local files to read, and names for manifests and models.

Of each address a copy is kept in the store. It saves the download where nothing has changed, and stands in where
nobody answers; then that is said, with its age. Without an address nothing of `fetch/` is imported.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from stockcast.checks.findings import Finding, finding
from stockcast.errors import StockcastError
from stockcast.reading.reader import stem_of
from stockcast.reading.records import PanelRead
from stockcast.store import atomic
from stockcast.store.manifest import FRAME
from stockcast.store.records import dump, sha256

ADDRESSES = ".addresses"
"""The folder of copies in a store; no model can be called so."""

_ANSWER = "answer.json"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ABANDONED = 3600
"""Seconds after which an unfinished copy is nobody's any more."""


@dataclass(frozen=True)
class LocalFiles:
    """Paths in place of addresses; what is to be said of old copies, by path; and the addresses that gave none."""

    paths: tuple[str, ...]
    notes: Mapping[Path, Finding]
    failures: tuple[tuple[Path, StockcastError], ...]

    def noted(self, read: PanelRead) -> PanelRead:
        """What was read of these paths, with the notes on each file and with the failures."""
        files = tuple(
            replace(file, findings=(*file.findings, self.notes[file.path])) if file.path in self.notes else file
            for file in read.files
        )
        return replace(read, files=files, failures=(*read.failures, *self.failures))


def is_address(text: str) -> bool:
    """Whether `text` is an address rather than a path."""
    return _SCHEME.match(text) is not None


def local_files(csvs: Sequence[str], store: Path) -> LocalFiles:
    """The paths to read for `csvs`, with a fresh copy of each address in the `store`, or the last one.

    Raises `UsageError` for an address that can't be one, and the first address's error if nothing is left to read.
    """
    paths: list[str] = []
    notes: dict[Path, Finding] = {}
    failures: list[tuple[Path, StockcastError]] = []
    for text in csvs:
        if not is_address(text):
            paths.append(text)
            continue
        from stockcast.fetch.address import check_address

        check_address(text)
        copy = _Copy.of(text, store)
        try:
            note = copy.refresh()
        except StockcastError as error:
            failures.append((copy.path, error))
            continue
        paths.append(str(copy.path))
        notes |= {copy.path: note} if note else {}
    if not paths:
        raise failures[0][1]
    return LocalFiles(tuple(paths), notes, tuple(failures))


@dataclass(frozen=True)
class _Copy:
    """The copy of one address, and what is known of the answer that it came with."""

    address: str
    path: Path

    @staticmethod
    def of(address: str, store: Path) -> _Copy:
        from stockcast.fetch.address import file_name

        return _Copy(address, store / ADDRESSES / sha256(address.encode())[:16] / file_name(address))

    def refresh(self) -> Finding | None:
        """Ask for what has changed. A finding where nobody answers and the copy stands in.

        Raises `Unreachable` where there is none either, and whatever `download` raises of an answer that is no file.
        """
        from stockcast.fetch.address import download
        from stockcast.fetch.transport import Unreachable

        known = self._answer()
        try:
            found = download(self.address, known.get("etag", ""), known.get("last_modified", ""))
        except Unreachable as error:
            age = self._age(known)
            if age is None:
                raise
            return finding("old_copy", (), f"{error.message} The copy is {age} old.", 1)
        if found is None:
            self._write(_ANSWER, dump({**known, "checked": _stamp()}))
            return None
        self._write(self.path.name, found.content)
        answer = {"etag": found.etag, "last_modified": found.last_modified, "checked": _stamp()}
        self._write(_ANSWER, dump({**answer, "address": self.address, "sha256": sha256(found.content)}))
        return None

    def _answer(self) -> dict[str, Any]:
        """What is known of the copy; nothing where there is none, or another one than it is known of."""
        try:
            found: dict[str, Any] = json.loads((self.path.parent / _ANSWER).read_bytes())
            return found if found["sha256"] == sha256(self.path.read_bytes()) else {}
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return {}

    def _age(self, known: Mapping[str, Any]) -> str | None:
        """How long ago the copy was what the address had; None where there is no copy."""
        try:
            written = self.path.stat().st_mtime
        except FileNotFoundError:
            return None
        checked = datetime.fromisoformat(known["checked"]).timestamp() if known else written
        minutes = max(_now().timestamp() - checked, 0) / 60
        for unit, size in (("days", 24 * 60), ("hours", 60)):
            if minutes >= 2 * size:
                return f"{minutes / size:.0f} {unit}"
        return f"{minutes:.0f} minutes"

    def _write(self, name: str, data: bytes) -> None:
        folder = self.path.parent
        atomic.make_folder(folder)
        for other in folder.glob(".aside-*"):
            if time.time() - other.stat().st_mtime > _ABANDONED:
                atomic.sweep(other)
        aside = folder / f".aside-{os.getpid()}"
        atomic.sweep(aside)
        atomic.replace_file(aside, folder / name, data)


def _now() -> datetime:
    from stockcast.ledger import clock  # nothing of the ledger is loaded by whoever reads files

    return clock.utc_now()


def _stamp() -> str:
    return _now().isoformat(timespec="seconds")


def absolute(csvs: Sequence[str]) -> tuple[str, ...]:
    """Paths and globs as they can be found from any folder: cron starts in another one. Addresses are so already."""
    return tuple(csv if is_address(csv) or csv == FRAME else str(Path.cwd() / csv) for csv in csvs)


def default_name(csvs: Sequence[str]) -> str:
    """The model's name from its prices: the first path's stem, or the folder's name, in lower case."""
    if is_address(csvs[0]):
        from stockcast.fetch.address import file_name

        return stem_of(Path(file_name(csvs[0])))
    path = Path(csvs[0])
    if path.is_dir():
        return path.resolve().name.lower()
    return (path.parent.resolve().name if "*" in path.name else path.stem).lower()
