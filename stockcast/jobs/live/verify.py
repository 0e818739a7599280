"""`stockcast score --verify`: whether the ledger is what was written into it. Nothing is repaired."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.errors import NotFound, StockcastError
from stockcast.ledger.chain import chain_faults
from stockcast.ledger.connection import consult, ledger_path
from stockcast.ledger.verify import Recorded, file_faults, recorded_versions
from stockcast.store.store import Store


@dataclass(frozen=True)
class VerifiedLedger:
    """What the ledger holds and what is wrong with it; `gone` are recorded versions that the store has no longer."""

    path: Path
    issues: int
    forecasts: int
    versions: int
    gone: int
    faults: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 if anything is wrong."""
        return int(bool(self.faults))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {**vars(self), "path": str(self.path), "faults": list(self.faults)}

    def __str__(self) -> str:
        held = f"{self.issues:,} issues, {self.forecasts:,} forecasts, {self.versions:,} versions"
        gone = f", of which the store has {self.gone} no longer" if self.gone else ""
        state = "sound" if not self.faults else "DAMAGED"
        return "\n".join([f"{self.path}: {state}; {held}{gone}", *(f"  {fault}" for fault in self.faults)])


def verify_ledger(store: Path) -> VerifiedLedger:
    """Check the file, its tables and triggers, the chain of hashes, and each recorded version that the store still has.

    Raises `NotFound` where there is no ledger, `LedgerDamaged` for a file that is none at all.
    """
    path = ledger_path(store)
    found = consult(path, _examine)
    faults, gone = list(found[1]), 0
    for recorded in found[0]:
        try:
            faults += _version_fault(Store(store), recorded)
        except NotFound:
            gone += 1
    return VerifiedLedger(path, *found[2], len(found[0]), gone, tuple(faults))


def _examine(connection: sqlite3.Connection) -> tuple[list[Recorded], list[str], tuple[int, int]]:
    faults = file_faults(connection)
    if not faults:
        faults = chain_faults(connection)
    counts = tuple(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("issue", "forecast"))
    return recorded_versions(connection), faults, (counts[0], counts[1])


def _version_fault(models: Store, recorded: Recorded) -> Iterable[str]:
    """What is wrong with a version that was recorded. Raises `NotFound` if it is gone."""
    model, version, manifest = recorded
    try:
        now = models.load(model, version, wanted=()).digest
    except NotFound:
        raise
    except StockcastError as error:
        return [f"{model} {version}: {error.message}"]
    return [] if now == manifest else [f"{model} {version} is not the version that was recorded"]
