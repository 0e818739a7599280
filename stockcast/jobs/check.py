"""`stockcast check`: what files hold, how they are read, and what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stockcast.checks.changes import Change
from stockcast.checks.event_moves import KindMoves, event_moves
from stockcast.checks.expected import expected_sessions, followed_calendar
from stockcast.checks.findings import KINDS, Finding
from stockcast.checks.price_checks import examine_all
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import AmbiguousData, StockcastError
from stockcast.jobs.fetching.addresses import local_files
from stockcast.jobs.past.comparison import changes_since
from stockcast.jobs.source import model_hints
from stockcast.reading.events import read_events
from stockcast.reading.reader import find_files, read_file
from stockcast.reading.records import FileRead, Hints
from stockcast.store.manifest import Manifest
from stockcast.store.store import Store

Outcome = Literal["ok", "warn", "refuse"]
_EVERYTHING = frozenset(KINDS)


@dataclass(frozen=True)
class FileCheck:
    """What one file holds and what is wrong with it; `read` is None where it can't be read, and `error` says why.

    `past`: how its series lie to the prices that a model was trained on; None: no model was named.
    """

    path: Path
    read: FileRead | None
    findings: tuple[Finding, ...]
    error: StockcastError | None
    accept: frozenset[str]
    past: tuple[Change, ...] | None = None

    @property
    def verdict(self) -> Outcome:
        """Refused if it can't be read or has a fault that is not accepted; warnings count, repairs don't."""
        of_past = {one.verdict(self.accept) for one in self.past or ()}
        faulty = any(one.verdict == "refused" and not one.is_taken(self.accept) for one in self.findings)
        if self.error or faulty or "refused" in of_past:
            return "refuse"
        return "warn" if "said" in of_past or any(one.verdict != "repaired" for one in self.findings) else "ok"

    def to_dict(self) -> dict[str, Any]:
        """The file's part of `check --json`."""
        asked = isinstance(self.error, AmbiguousData)
        words = f"{self.error.message} Fix: {self.error.fix}" if self.error else ""
        warnings = [_finding(one, self.accept) for one in self.findings]
        if self.error and not asked:
            warnings.append(
                {"kind": self.error.kind, "count": 1, "first": None, "message": words, "verdict": "refused"}
            )
        return {
            "path": str(self.path),
            "verdict": self.verdict,
            "reading": asdict(self.read.reading) if self.read else None,
            "how": self.read.reading.sentence() if self.read else None,
            "series": [_series(one) for one in self.read.series] if self.read else [],
            "warnings": warnings,
            "question": words if asked else None,
            **({} if self.past is None else {"past": [one.to_dict(self.accept) for one in self.past]}),
        }


@dataclass(frozen=True)
class EventCheck:
    """How prices moved on the days of each kind of event, the series without any, and those without prices."""

    kinds: tuple[KindMoves, ...]
    without: tuple[str, ...]
    strangers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The `events` of `check --json`; a figure of no day is null."""
        kinds = [{key: _plain(value) for key, value in asdict(one).items()} for one in self.kinds]
        return {"kinds": kinds, "without": list(self.without), "without_prices": list(self.strangers)}


@dataclass(frozen=True)
class CheckResult:
    """Every file that was checked, what the events say, if any are given, and the model that they are held against."""

    files: tuple[FileCheck, ...]
    events: EventCheck | None = None
    against: Manifest | None = None

    @property
    def missing(self) -> list[str]:
        """The series of the model that no file has."""
        there = {one.series for file in self.files for one in file.past or ()}
        own = [one["name"] for one in self.against.data] if self.against else []
        return [] if len(own) == len(there) == 1 else [name for name in own if name not in there]

    @property
    def exit_code(self) -> int:
        """0 if every file can be used, 1 if some can't; if none can, the code that other commands end with, or 65."""
        refused = [file.error.exit_code if file.error else 65 for file in self.files if file.verdict == "refuse"]
        if len(refused) < len(self.files):
            return int(bool(refused))
        return refused[0] if len(set(refused)) == 1 else 65

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        files = [file.to_dict() for file in self.files]
        events = {"events": self.events.to_dict()} if self.events else {}
        if not self.against:
            return {"files": files, **events}
        against = {"name": self.against.name, "version": self.against.version, "missing": self.missing}
        return {"files": files, **events, "against": against}


def run_check(
    csvs: Sequence[str], hints: Hints, today: date, events: Sequence[str] = (), *, store: Path
) -> CheckResult:
    """Read and examine every file that `csvs` means, also those with faults, and the files of `events`.

    Raises `NotFound` if there is none, as `local_files` for addresses, and for events as `read_events` does.
    """
    local = local_files(csvs, store)
    files = tuple(_check(path, hints, today, local.notes.get(path)) for path in find_files(local.paths))
    files += tuple(FileCheck(path, None, (), error, hints.accept) for path, error in local.failures)
    return CheckResult(files, _check_events(files, events) if events else None)


def run_check_against(
    store: Store, name: str, csvs: Sequence[str], hints: Hints, today: date, events: Sequence[str] = ()
) -> CheckResult:
    """`run_check`, and how each series lies to the prices that the model `name` was trained on.

    The files are read as that model reads them. Raises `NotFound`, or `ModelDamaged`, for the model.
    """
    manifest = store.load(store.find(name), wanted=()).manifest
    said = model_hints(manifest, store.champion(manifest.name).accepted, hints)
    result = run_check(csvs, said, today, events, store=store.root)
    series = tuple(one for file in result.files if file.read for one in file.read.series)
    changes = changes_since(store, manifest, Panel(series)) if series else ()
    by_name = {change.series: change for change in changes}
    files = tuple(
        replace(file, past=tuple(by_name[one.name] for one in file.read.series if one.name in by_name))
        if file.read
        else file
        for file in result.files
    )
    return replace(result, files=files, against=manifest)


def _check_events(files: Sequence[FileCheck], paths: Sequence[str]) -> EventCheck:
    """The events beside the series of all files that can be read."""
    series = [one for file in files if file.read for one in file.read.series]
    known = {one.name.lower() for one in series}
    events = read_events(paths)
    strangers = sorted({str(name) for name in events.series if name and name.lower() not in known})
    told = [replace(one, events=events.of_series(one.name)) for one in series]
    without = tuple(one.name for one in told if not len(one.events))
    return EventCheck(event_moves(events, told), without, tuple(strangers))


def _check(path: Path, hints: Hints, today: date, note: Finding | None) -> FileCheck:
    try:
        read = read_file(path, replace(hints, accept=_EVERYTHING))
    except StockcastError as error:
        return FileCheck(path, None, (), error, hints.accept)
    findings = (
        read.findings
        + ((note,) if note else ())
        + examine_all(read.series, expected_sessions(read.series), today, followed_calendar(read.series))
    )
    return FileCheck(path, read, findings, None, hints.accept)


def _finding(one: Finding, accept: frozenset[str]) -> dict[str, Any]:
    verdict = "accepted" if one.verdict == "refused" and one.is_taken(accept) else one.verdict
    return {**one.to_dict(), "verdict": verdict}


def _plain(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return str(value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _series(one: PriceSeries) -> dict[str, Any]:
    close = one.columns["close"]
    return {
        "name": one.name,
        "rows": len(one),
        "first": str(one.dates[0]),
        "last": str(one.dates[-1]),
        "first_close": float(close[0]),
        "last_close": float(close[-1]),
        "close_sum": float(close.sum()),
        "columns": list(one.columns),
    }
