"""`stockcast check`, and the same doctor for every command that reads prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stockcast.data.doctor import examine, examine_all
from stockcast.data.findings import KINDS, merged, refusal
from stockcast.data.reader import FileRead, Finding, Hints, PanelRead, find_files, read_file
from stockcast.data.series import Dates, Panel, PriceSeries
from stockcast.data.sessions import MONTHS, match_calendar, sessions_between
from stockcast.errors import AmbiguousData, StockcastError

Outcome = Literal["ok", "warn", "refuse"]
_EVERYTHING = frozenset(KINDS)
PERIODIC = ("weekly", *MONTHS)
_JUDGED = 1500
"""Newest dates by which a calendar is matched: more than four years of days."""


@dataclass(frozen=True)
class FileCheck:
    """What one file holds and what is wrong with it; `read` is None where it can't be read, and `error` says why."""

    path: Path
    read: FileRead | None
    findings: tuple[Finding, ...]
    error: StockcastError | None
    accept: frozenset[str]

    @property
    def verdict(self) -> Outcome:
        """Refused if it can't be read or has a fault that is not accepted; warnings count, repairs don't."""
        if self.error or any(one.verdict == "refused" and one.kind not in self.accept for one in self.findings):
            return "refuse"
        return "warn" if any(one.verdict != "repaired" for one in self.findings) else "ok"

    def to_dict(self) -> dict[str, Any]:
        """The file's part of `check --json`."""
        asked = isinstance(self.error, AmbiguousData)
        words = f"{self.error.message} Fix: {self.error.fix}" if self.error else ""
        warnings = [_finding(one) for one in self.findings]
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
        }


@dataclass(frozen=True)
class CheckResult:
    """Every file that was checked."""

    files: tuple[FileCheck, ...]

    @property
    def exit_code(self) -> int:
        """0 if every file can be used, 65 if none can, 1 if some can't."""
        refused = [file.verdict == "refuse" for file in self.files]
        return 65 if all(refused) else int(any(refused))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"files": [file.to_dict() for file in self.files]}


def run_check(csvs: Sequence[str], hints: Hints, today: date) -> CheckResult:
    """Read and examine every file that `csvs` means, also those with faults. Raises `NotFound` if there is none."""
    return CheckResult(tuple(_check(path, hints, today) for path in find_files(csvs)))


def _check(path: Path, hints: Hints, today: date) -> FileCheck:
    try:
        read = read_file(path, replace(hints, accept=_EVERYTHING))
    except StockcastError as error:
        return FileCheck(path, None, (), error, hints.accept)
    findings = read.findings + examine_all(read.series, _expected(read.series), today)
    return FileCheck(path, read, findings, None, hints.accept)


def _expected(series: Sequence[PriceSeries]) -> Dates | None:
    """The sessions of the calendar that the longest series follows, over the years of all of them.

    None for dates that lie weeks or months apart: there the doctor looks for gaps.
    """
    calendar = _calendar(max(series, key=len).dates[-_JUDGED:].tobytes())
    if calendar in PERIODIC:
        return None
    years = [one.dates[[0, -1]].astype("datetime64[Y]") for one in series]
    return _sessions(calendar, str(min(year[0] for year in years)), str(max(year[1] for year in years)))


# The files of a folder mostly follow one calendar, and drawing one up takes longer than reading a file.
@lru_cache(maxsize=64)
def _calendar(days: bytes) -> str:
    return match_calendar(np.frombuffer(days, dtype="datetime64[D]"))


@lru_cache(maxsize=64)
def _sessions(calendar: str, first: str, last: str) -> Dates:
    """All sessions from the year `first` to the year `last`."""
    begin, end = np.datetime64(first, "D"), np.datetime64(last, "Y") + 1
    return sessions_between(calendar, begin, end.astype("datetime64[D]") - np.timedelta64(1, "D"))


def _finding(one: Finding) -> dict[str, Any]:
    return {**asdict(one), "first": one.first and one.first.isoformat()}


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


def examined(read: PanelRead, hints: Hints, today: date) -> PanelRead:
    """A panel without the series that the doctor refuses, which join the failures; each file has all its findings.

    No calendar is asked: that would take longer than a prediction. Raises the first refusal if no series is left.
    """
    files: list[FileRead] = []
    failures = list(read.failures)
    for file in read.files:
        sound: list[PriceSeries] = []
        found: list[tuple[str, Finding]] = []
        for one in file.series:
            of_one = examine(one, None, today)
            refused = refusal(
                of_one, hints.accept, f"{file.path}, {one.name}" if len(file.series) > 1 else str(file.path)
            )
            if refused:
                failures.append((file.path, refused))
            else:
                sound.append(one)
                found += [(one.name, each) for each in of_one]
        if sound:
            files.append(replace(file, series=tuple(sound), findings=file.findings + merged(found)))
    if not files:
        raise failures[-1][1]
    return PanelRead(Panel(tuple(one for file in files for one in file.series)), tuple(files), tuple(failures))
