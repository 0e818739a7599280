"""Price files to price series: one sound reading, or an error that says why there is none."""

from __future__ import annotations

import csv
import glob
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import numpy as np

from stockcast.data.series import COLUMNS, Floats, Panel, PriceSeries
from stockcast.errors import DataError, NotFound, StockcastError

Verdict = Literal["repaired", "warned", "refused"]


@dataclass(frozen=True)
class Hints:
    """What the user says about a file; each settles one question.

    - `columns` maps a role (date, ticker, open, high, low, close, adj_close, volume) to a header name or a column number from 0;
    - `accept` holds the kinds of findings that are taken although they would be refused.
    """

    date_format: str | None = None
    decimal: str | None = None
    delimiter: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    accept: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reading:
    """How a file was read."""

    delimiter: str
    decimal: str
    thousands: str
    date_format: str
    order: Literal["oldest first", "newest first"]
    columns: Mapping[str, str]

    def sentence(self) -> str:
        """One plain sentence."""
        roles = ", ".join(f"{role} from {name!r}" for role, name in self.columns.items())
        return f"Dates as {self.date_format}, {self.order}; {roles}."


@dataclass(frozen=True)
class Finding:
    """One kind of fault in one file: how often, where first, and what was done about it."""

    kind: str
    verdict: Verdict
    count: int
    first: date | None
    message: str


@dataclass(frozen=True)
class FileRead:
    """A file's series, how it was read, and what was found while reading. `sha256` is of the bytes read."""

    path: Path
    sha256: str
    reading: Reading
    series: tuple[PriceSeries, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class PanelRead:
    """All series of several files, beside the files that could not be read and why."""

    panel: Panel
    files: tuple[FileRead, ...]
    failures: tuple[tuple[Path, StockcastError], ...]


def find_files(csvs: Sequence[str]) -> tuple[Path, ...]:
    """The files that are meant: a file, a folder's `*.csv`, or a glob; each once, in order.

    Raises `NotFound` where there is none.
    """
    found: dict[Path, None] = {}
    for text in csvs:
        found.update(dict.fromkeys(_matching(text)))
    return tuple(found)


def _matching(text: str) -> list[Path]:
    path = Path(text)
    if path.is_dir():
        inside = sorted(path.glob("*.csv"))
        if not inside:
            raise NotFound(f"the folder {text} has no *.csv file.", "give a folder with CSV files, or one file.")
        return inside
    if path.exists():
        return [path]
    matches = sorted(Path(one) for one in glob.glob(text))
    if not matches:
        raise NotFound(f"there is no file {text}.", "check the path that --csv was given.")
    return matches


def read_panel(csvs: Sequence[str], hints: Hints = Hints()) -> PanelRead:
    """Every series of the files that `csvs` means; broken files are handed back beside the good ones.

    Raises the first file's error if no file can be read, `NotFound` if there is none.
    """
    files: list[FileRead] = []
    failures: list[tuple[Path, StockcastError]] = []
    for path in find_files(csvs):
        try:
            files.append(read_file(path, hints))
        except StockcastError as error:
            failures.append((path, error))
    if not files:
        raise failures[0][1]
    return PanelRead(Panel(tuple(one for file in files for one in file.series)), tuple(files), tuple(failures))


def read_file(path: Path, hints: Hints = Hints()) -> FileRead:
    """The series that one file holds.

    Raises `NotFound` (66), `DataError` and `AmbiguousData` (65), `Busy` (75).
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}.", "check the path that --csv was given.")
    raw = path.read_bytes()
    header, *rows = [row for row in csv.reader(raw.decode("utf-8-sig").splitlines()) if any(row)]
    roles = _roles(header)
    style, dates = _dates([row[0] for row in rows], path)
    order = np.argsort(dates)
    columns = {role: _numbers([row[index] for row in rows])[order] for role, index in roles.items()}
    newest_first = bool(len(dates) > 1 and dates[0] > dates[-1])
    reading = Reading(
        ",",
        ".",
        "",
        style,
        "newest first" if newest_first else "oldest first",
        {role: header[index] for role, index in {"date": 0, **roles}.items()},
    )
    series = PriceSeries(path.stem.lower(), dates[order], columns)
    return FileRead(path, hashlib.sha256(raw).hexdigest(), reading, (series,), ())


def _roles(header: list[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    roles = {name: index for index, name in enumerate(names) if name in COLUMNS}
    return roles if "close" in roles else {"close": 1, **roles}


def _dates(texts: list[str], path: Path) -> tuple[str, np.ndarray[tuple[int], np.dtype[np.datetime64]]]:
    for style in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            days = [datetime.strptime(text, style).date() for text in texts]
        except ValueError:
            continue
        return style, np.array(days, dtype="datetime64[D]")
    raise DataError(f"{path}: {texts[0]!r} is not a date that can be read.", "give --date-format.")


def _numbers(texts: list[str]) -> Floats:
    return np.array([float(text.replace(",", "")) for text in texts])
