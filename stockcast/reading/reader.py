"""Price files to price series: one sound reading, or an error that says why there is none."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from stockcast.checks.findings import refuse
from stockcast.checks.price_checks import admit
from stockcast.data.series import Panel
from stockcast.errors import DataError, IOFailure, NotFound, StockcastError
from stockcast.reading.assemble import assemble
from stockcast.reading.column_names import known_names
from stockcast.reading.encoding import decode
from stockcast.reading.fast_path import read_clean
from stockcast.reading.files import Source, load_source
from stockcast.reading.one_reading import choose
from stockcast.reading.records import NO_HINTS, FileRead, Hints, PanelRead
from stockcast.reading.truncation import trimmed

_PACKED = (".gz", ".zip")


_LARGE = (1 << 25) - (1 << 16)
"""The largest size, in bytes, that malloc adapts to."""

LONG_WAY_BYTES = 60_000_000
"""Cell by cell a file takes 25 times its size in memory, in array operations (`clean`) seven times."""


def find_files(csvs: Sequence[str], option: str = "--csv") -> tuple[Path, ...]:
    """The files that are meant by an option: a file, a folder's `*.csv`, or a glob; each once, in order.

    Raises `NotFound` where there is none, `IOFailure` where the system lets nobody look.
    """
    found: dict[Path, None] = {}
    for text in csvs:
        try:
            found.update(dict.fromkeys(_matching(text, option)))
        except OSError as error:
            fix = "check its permissions, and those of the folders above it."
            raise IOFailure(f"{text} can't be read: {error.strerror}.", fix) from error
    return tuple(found)


def _matching(text: str, option: str) -> list[Path]:
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
        raise NotFound(f"there is no file {text}.", f"check the path that {option} was given.")
    return matches


def read_panel(csvs: Sequence[str], hints: Hints = NO_HINTS) -> PanelRead:
    """Every series of the files that `csvs` means; broken files are handed back beside the good ones.

    Raises the first file's error if no file can be read, `NotFound` if there is none.
    """
    keep_freed_memory()
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


def keep_freed_memory() -> None:
    """Have the C library keep what is freed for the next array, instead of handing it back to the system each time.

    To free one large block does that, where malloc adapts to what it sees (mallopt(3), M_MMAP_THRESHOLD); the block's
    pages are never touched. Else half of the time of reading a file goes into getting the same pages again.
    """
    np.empty(_LARGE, dtype=np.uint8)


def read_file(path: Path, hints: Hints = NO_HINTS) -> FileRead:
    """The series that one file holds. Raises as `load_source` and `read_source`."""
    return read_source(load_source(path), hints)


def read_source(source: Source, hints: Hints = NO_HINTS) -> FileRead:
    """The series in the content of a file; one alone is called after its path.

    Raises `DataError` (65) for what can't be read or is refused, `AmbiguousData` (65) where there are two sound
    readings.
    """
    where = str(source.path)
    today = date.today()  # noqa: DTZ011 -- the user's own day
    table = read_clean(source.content) if _is_silent(hints) else None
    if table is None:
        if len(source.content) > LONG_WAY_BYTES:
            raise DataError(
                f"{where} holds {len(source.content) // 1_000_000} MB, too much for a file that is not plain.",
                "split it, or export it with commas, ISO dates and a point as decimal mark.",
            )
        lines = decode(source.content, where, known_names)
        table = trimmed(choose(lines, where, hints, today), lines.odd_ends)
    read = assemble(table, stem_of(source.path), where, hints)
    refuse(read.findings, hints.accept, where)
    return FileRead(source.path, source.sha256, table.reading, read.series, read.findings)


def examined(read: PanelRead, hints: Hints, today: date) -> PanelRead:
    """A panel without the series that the checks refuse, which join the failures; each file has all its findings.

    No calendar is asked: that would take longer than a prediction. Raises the first refusal if no series is left.
    """
    files: list[FileRead] = []
    failures = list(read.failures)
    for file in read.files:
        sound, found, refused = admit(file.series, hints.accept, str(file.path), today)
        failures += [(file.path, one) for one in refused]
        if sound:
            files.append(replace(file, series=sound, findings=file.findings + found))
    if not files:
        raise failures[-1][1]
    return PanelRead(Panel(tuple(one for file in files for one in file.series)), tuple(files), tuple(failures))


def _is_silent(hints: Hints) -> bool:
    """Whether the user leaves the reading to the file."""
    return replace(hints, accept=frozenset()) == NO_HINTS


def stem_of(path: Path) -> str:
    """What a single series of a file is called: `data/IBM.csv.gz` is ibm."""
    inner = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    return inner.stem.lower()
