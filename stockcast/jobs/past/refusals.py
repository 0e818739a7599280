"""Why prices are refused that have changed too much since a model was trained, and what to do then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from shlex import quote

from stockcast.checks.changes import ACCEPTABLE, Change
from stockcast.errors import DataError
from stockcast.reading.records import FileRead, Hints
from stockcast.store.manifest import Manifest
from stockcast.store.store import Store

_OF_ANOTHER = ("another", "other_price", "shifted")


def refused_change(change: Change, kind: str, files: Sequence[FileRead], anew: Callable[[], str]) -> DataError:
    """The error for a `kind` of change that is refused; `anew` is the command that trains another model."""
    message = change.sentence(kind)
    if kind in _OF_ANOTHER:
        message = " ".join([message, *_told_of(change.series, files)])
    mend = {
        "lost_columns": "put it back",
        "stale": f"give prices that reach {change.was_last}",
    }.get(kind, "give the prices that it was trained on, and later ones")
    if kind in ACCEPTABLE:
        return DataError(message, f"{mend}; or take these as they are: --accept {kind}.")
    return DataError(message, f"{mend}; or train another model on these: {anew()}")


def another_model(store: Store, manifest: Manifest, csvs: Sequence[str], hints: Hints) -> str:
    """The command that trains a model of its own beside `manifest`'s, on `csvs` or else on the same paths."""
    taken = store.names()
    free = next(name for number in count(2) if (name := f"{manifest.name}-{number}") not in taken)
    test_csv = "" if csvs else manifest.test_csv
    paths = [f"--csv {quote(path)}" for path in csvs or manifest.csv if path != test_csv]
    paths += [f"--test-csv {quote(test_csv)}"] if test_csv else []
    return f"stockcast train {' '.join(paths)}{_flags(hints)} --name {quote(free)}"


def _flags(hints: Hints) -> str:
    """What was said of the files, as flags."""
    said = {
        "--date-format": hints.date_format,
        "--decimal": hints.decimal,
        "--delimiter": hints.delimiter and hints.delimiter.replace("\t", "tab"),
        "--columns": ",".join(f"{role}={name}" for role, name in hints.columns.items()),
        "--accept": ",".join(sorted(hints.accept)),
    }
    return "".join(f" {flag} {quote(text)}" for flag, text in said.items() if text)


def _told_of(series: str, files: Sequence[FileRead]) -> list[str]:
    """What the file of a series says of whose prices these are, and from which column they were read."""
    told = []
    for file in files:
        if any(one.name == series for one in file.series):
            told += [f"{file.path}: {one.message}" for one in file.findings if one.kind == "ticker"]
            close = file.reading.columns.get("close", "")
            if close and close.lower() not in ("close", series):
                told.append(f"In {file.path} the close is read from {close!r}.")
    return told
