"""Where a model's prices come from, and what the model is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

from stockcast.data.series import Panel
from stockcast.errors import DataError, UsageError
from stockcast.reading.events import read_events
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import NO_HINTS, FileRead, Hints, PanelRead
from stockcast.store.manifest import Manifest
from stockcast.view.events import events_read
from stockcast.view.text import likewise, some

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
    else:
        lines = [
            f"Read {file.path}: {len(one):,} sessions, {one.dates[0]} to {one.dates[-1]}, {', '.join(one.columns)}. "
            + file.reading.sentence()
            for file, one in series
        ]
    return lines + found_in(files)


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


def with_events(panel: Panel, paths: Sequence[str], on_message: OnMessage) -> Panel:
    """The panel with the events of the files that `paths` means, as it is where there is none; what was read is said.

    Raises as `read_events` does, and `DataError` if they concern none of the series: nothing could be learned then.
    """
    told = _told(panel, paths, on_message)
    if paths and not told.event_kinds:
        raise DataError(
            f"{', '.join(paths)}: none of the events is about {some(panel.names)}.",
            "write the series as the prices call them, or leave it empty where it concerns all.",
        )
    return told


def _told(panel: Panel, paths: Sequence[str], on_message: OnMessage) -> Panel:
    if not paths:
        return panel
    events = read_events(paths)
    told = panel.with_events(events)
    for line in events_read(events, told):
        on_message(line)
    return told


def read_model_prices(
    manifest: Manifest,
    csvs: Sequence[str],
    on_message: OnMessage,
    hints: Hints = NO_HINTS,
    events: Sequence[str] = (),
) -> PanelRead:
    """The newest prices of a saved model with the events that it knows, both from the paths recorded at training.

    `csvs` and `events` take their place. Raises `UsageError` for events of a model that was trained without any.
    """
    if events and not manifest.events:
        raise UsageError(
            f"the model {manifest.name!r} was trained without events.",
            "train it with them: stockcast train --events PATH",
        )
    read = _model_prices(manifest, csvs, on_message, hints)
    return replace(read, panel=_told(read.panel, events or manifest.events, on_message))


def _model_prices(manifest: Manifest, csvs: Sequence[str], on_message: OnMessage, hints: Hints = NO_HINTS) -> PanelRead:
    """The newest prices of a saved model: of `csvs`, or of the paths that were recorded at training.

    Without `hints` the files are read as the user said at training.
    Test prices that were recorded beside training prices follow them, as they did then.
    """
    read = read_prices(csvs or manifest.csv, on_message, hints if hints != NO_HINTS else hints_from(manifest.hints))
    if not csvs and len(manifest.data) == 1 and len(read.panel) == 2:
        earlier, later = read.panel.series
        read = replace(read, panel=Panel((earlier.then(later),)))
    return read


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
