"""Where a model's prices come from, and what the model is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from stockcast.data.series import Panel
from stockcast.errors import DataError
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import NO_HINTS, FileRead, Hints, PanelRead
from stockcast.store.manifest import Manifest
from stockcast.view.text import likewise

OnMessage = Callable[[str], None]


def read_prices(csvs: Sequence[str], on_message: OnMessage, hints: Hints = NO_HINTS) -> PanelRead:
    """The panel of `csvs`, examined; what was read, how, and what was found is said.

    Raises as `read_panel` does, and `DataError` if what is found is refused for every series.
    """
    read = examined(read_panel(csvs, hints), hints, date.today())  # noqa: DTZ011 -- the user's own day
    for line in reading_lines(read.files):
        on_message(line)
    failed = {
        str(path): f"Left out {path}: {error.message}" + (f" Fix: {error.fix}" if error.fix else "")
        for path, error in read.failures
    }
    for line in likewise(failed):
        on_message(line)
    return read


def reading_lines(files: Sequence[FileRead]) -> list[str]:
    """One line a series of a few files, or one line for many."""
    series = [(file, one) for file in files for one in file.series]
    if len(series) > 3:
        rows = sum(len(one) for _, one in series)
        first = min(one.dates[0] for _, one in series)
        last = max(one.dates[-1] for _, one in series)
        lines = [f"Read {len(series)} series from {len(files)} files: {rows:,} sessions, {first} to {last}."]
        lines += _unused_in(files)
    else:
        lines = [
            f"Read {file.path}: {len(one):,} sessions, {one.dates[0]} to {one.dates[-1]}, {', '.join(one.columns)}. "
            + file.reading.sentence()
            for file, one in series
        ]
    return lines + found_in(files)


def _unused_in(files: Sequence[FileRead]) -> list[str]:
    """The columns that are not used, said once for all files that have the same ones."""
    alike: dict[tuple[str, ...], list[Path]] = {}
    for file in files:
        if file.reading.unused:
            alike.setdefault(file.reading.unused, []).append(file.path)
    sentences = {
        str(
            paths[0]
        ): f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: not used: {', '.join(out)}."
        for out, paths in alike.items()
    }
    return likewise(sentences)


def found_in(files: Sequence[FileRead]) -> list[str]:
    """What was found in the files: a line for each finding, but one for all files that share a kind."""
    kinds: dict[str, dict[str, str]] = {}
    for file in files:
        for found in file.findings:
            kinds.setdefault(found.kind, {})[str(file.path)] = f"{file.path}: {found.message}"
    return [line for sentences in kinds.values() for line in likewise(sentences)]


def with_later(panel: Panel, later: Panel) -> Panel:
    """One series followed by its test prices. Raises `DataError` where either is a panel."""
    if len(panel) != 1 or len(later) != 1:
        raise DataError(
            f"--test-csv goes with one series; there are {len(panel)} to train on and {len(later)} to test on.",
            "give one file each, or put all prices into --csv and use --until DATE.",
        )
    return Panel((panel.series[0].then(later.series[0]),))


def read_model_prices(
    manifest: Manifest, csvs: Sequence[str], on_message: OnMessage, hints: Hints = NO_HINTS
) -> PanelRead:
    """The newest prices of a saved model: of `csvs`, or of the paths that were recorded at training.

    Without `hints` the files are read as the user said at training. Of the recorded paths, test prices follow the
    training prices, as they did then; and a model of one series stays one, whatever files have come into its folder.
    """
    said = hints if hints != NO_HINTS else hints_from(manifest.hints)
    if csvs:
        return read_prices(csvs, on_message, said)
    test_csv = recorded_test_csv(manifest)
    read = read_prices([one for one in manifest.csv if one != test_csv], on_message, said)
    if len(manifest.data) == 1:
        read = _of_its_series(read, manifest, on_message)
    if not test_csv:
        return read
    later = read_prices([test_csv], on_message, said)
    return replace(read, panel=with_later(read.panel, later.panel), files=(*read.files, *later.files))


def recorded_test_csv(manifest: Manifest) -> str:
    """Which of the recorded paths has test prices; empty: none.

    Where an older version did not write it down: the last of several, if a single series was trained on that goes on
    after the other paths' prices.
    """
    if manifest.test_csv is not None:
        return manifest.test_csv
    *others, last = manifest.csv
    if not others or len(manifest.data) > 1:
        return ""
    (series,) = manifest.data
    ends = {one.name: str(one.dates[-1]) for one in read_panel(others, hints_from(manifest.hints)).panel.series}
    return last if ends.get(series["name"], series["last"]) < series["last"] else ""


def _of_its_series(read: PanelRead, manifest: Manifest, on_message: OnMessage) -> PanelRead:
    """The prices of the one series that a model was trained on; any other is left out, and that is said."""
    own = manifest.data[0]["name"]
    strange = {one.name: file.path for file in read.files for one in file.series if one.name != own}
    if own not in read.panel.names or not strange:
        return read
    left_out = {
        name: DataError(f"{name} is left out: the model was trained on {own} alone.", f"stockcast train --csv {path}")
        for name, path in strange.items()
    }
    for line in likewise({name: f"{strange[name]}: {error.message}" for name, error in left_out.items()}):
        on_message(line)
    kept = [replace(file, series=tuple(one for one in file.series if one.name == own)) for file in read.files]
    files = tuple(file for file in kept if file.series)
    failures = (*read.failures, *((strange[name], error) for name, error in left_out.items()))
    return PanelRead(Panel(tuple(one for file in files for one in file.series)), files, failures)


def hints_to(hints: Hints) -> dict[str, Any]:
    """What the user said of the files, for a manifest."""
    said = {**asdict(hints), "columns": dict(hints.columns), "accept": sorted(hints.accept)}
    return {key: value for key, value in said.items() if value}


def hints_from(fields: Mapping[str, Any]) -> Hints:
    """The inverse of `hints_to`."""
    return Hints(**{**fields, "accept": frozenset(fields.get("accept", ()))})


def absolute(csvs: Sequence[str]) -> tuple[str, ...]:
    """Paths and globs as they can be found from any folder: cron starts in another one."""
    return tuple(str(Path.cwd() / csv) for csv in csvs)


def default_name(csvs: Sequence[str]) -> str:
    """The model's name from its prices: the first path's stem, or the folder's name, in lower case."""
    path = Path(csvs[0])
    if path.is_dir():
        return path.resolve().name.lower()
    return (path.parent.resolve().name if "*" in path.name else path.stem).lower()
