"""What a run over many models has done so far, so that one that was killed goes on where it stopped.

`.fleet/DIGEST.jsonl` in the store: a line when a run begins, then one for each model. It is a help, and nothing is lost
without it: a model itself knows which prices it has learned from.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stockcast.errors import Busy, ModelDamaged
from stockcast.store.atomic import make_folder, reading, refuse_link, write_all, writing
from stockcast.store.records import dump_line, load, sha256
from stockcast.version import __version__

FOLDER = ".fleet"

LONGEST = 12 * 3600
"""Seconds after which a run that was broken off is not taken up any more: by then another night has come."""


@dataclass
class Journal:
    """The models that a run has done, each with what was said of it and when (seconds since 1970).

    `begun` is when the run began that is gone on with; None: this is a new one. Without a descriptor nothing is kept.
    """

    begun: float | None = None
    done: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _descriptor: int | None = None

    def add(self, name: str, fields: Mapping[str, Any]) -> None:
        """Keep what became of a model. Raises `CannotCreate` or `IOFailure`."""
        self._write({"name": name, "time": time.time(), **fields})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._descriptor is not None:
            with writing(Path(FOLDER)):
                write_all(self._descriptor, dump_line(line))


@contextmanager
def kept_journal(root: Path, run: Mapping[str, Any]) -> Iterator[Journal]:
    """The journal of the `run` that these fields describe, forgotten when it comes to its end.

    Raises `Busy` if the same run is under way already, `ModelDamaged` for a link in its place, `CannotCreate` or
    `IOFailure`.
    """
    refuse_link(root / FOLDER)
    make_folder(root / FOLDER)
    path = root / FOLDER / f"{sha256(dump_line({**run, 'stockcast': __version__}))[:16]}.jsonl"
    with writing(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        _hold(descriptor, root)
        begun, done, whole = _earlier(path)
        journal = Journal(begun, done, descriptor)
        with writing(path):
            os.ftruncate(descriptor, whole)  # a line that a kill has left torn is cut off
        if begun is None:
            journal._write({"begun": time.time()})
        yield journal
        with writing(path):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(
            f"the same run over the models of {root} is under way already.", "try again when it has ended."
        ) from None


def _earlier(path: Path) -> tuple[float | None, dict[str, Mapping[str, Any]], int]:
    """When a run began that was broken off, what it has done, and the bytes that are whole.

    None, nothing and 0 if there was none, or it is too long ago.
    """
    with reading(path):
        content = path.read_bytes()
    *lines, torn = content.split(b"\n")
    try:
        first, *others = (load(line, path) for line in lines)
        begun = float(first["begun"])
        done: dict[str, Mapping[str, Any]] = {str(one["name"]): one for one in others}
    except (KeyError, TypeError, ValueError, ModelDamaged):
        return None, {}, 0
    if not 0 <= time.time() - begun < LONGEST:
        return None, {}, 0
    return begun, done, len(content) - len(torn)
