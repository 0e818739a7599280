"""Where a model's prices come from, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from shlex import quote
from typing import Any

from stockcast.checks.findings import MEND, remembered
from stockcast.data.events.records import Events
from stockcast.data.series import Panel
from stockcast.errors import DataError, ModelDamaged, StockcastError
from stockcast.jobs.fetching.addresses import local_files
from stockcast.reading.events import read_events
from stockcast.reading.reader import examined, find_files, read_panel
from stockcast.reading.records import NO_HINTS, FileRead, Hints, PanelRead
from stockcast.store.manifest import Manifest
from stockcast.store.records import damaged
from stockcast.store.store import Store
from stockcast.view.events import events_read
from stockcast.view.text import likewise, some

OnMessage = Callable[[str], None]


def read_prices(
    csvs: Sequence[str], on_message: OnMessage, hints: Hints = NO_HINTS, quoting: bool = True, *, store: Path
) -> PanelRead:
    """The panel of `csvs`, examined; what was read, how, and what was found is said.

    Of an address the copy in the `store` is read, once it is fresh. Without `quoting` nothing of a file that can't be
    read is told: it may be any file, if a model alone names it.
    Raises as `local_files` and `read_panel` do, and `DataError` if what is found is refused for every series.
    """
    local = local_files(csvs, store)
    panel = read_panel(local.paths, hints) if quoting else _read_unquoted(local.paths, hints)
    read = examined(local.noted(panel), hints, date.today())  # noqa: DTZ011 -- the user's own day
    for line in (*reading_lines(read.files), *left_out(read)):
        on_message(line)
    return read


def left_out(read: PanelRead) -> list[str]:
    """A sentence on each file or series that can't be used, or one for many."""
    failed = {
        str(path): f"Left out {path}: {error.message}" + (f" Fix: {error.fix}" if error.fix else "")
        for path, error in read.failures
    }
    return likewise(failed)


def _read_unquoted(csvs: Sequence[str], hints: Hints) -> PanelRead:
    try:
        read = read_panel(csvs, hints)
    except DataError as error:
        raise _unquoted(error, find_files(csvs)[0]) from None
    return replace(read, failures=tuple((path, _unquoted(error, path)) for path, error in read.failures))


def _unquoted(error: StockcastError, path: Path) -> StockcastError:
    """The error without what stands in the file; how often which fault was found, and where, is no secret."""
    if not isinstance(error, DataError) or (error.fix or "").startswith(MEND):
        return error
    line = re.search(r", line \d+", error.message.removeprefix(str(path)))
    return DataError(
        f"{path}{line[0] if line else ''} can't be read as prices any more.",
        f"see what is wrong with it: stockcast check --csv {quote(str(path))}",
    )


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


def with_events(panel: Panel, paths: Sequence[str], on_message: OnMessage) -> Panel:
    """The panel with the events of the files that `paths` means, as it is where there is none; what was read is said.

    Raises as `read_events` does, and `DataError` if they concern none of the series: nothing could be learned then.
    """
    return panel if not paths else demand_concerned(told_of(panel, read_events(paths), on_message), ", ".join(paths))


def demand_concerned(told: Panel, where: str) -> Panel:
    """The same panel. Raises `DataError` unless some of the events that were read from `where` are about it."""
    if not told.event_kinds:
        raise DataError(
            f"{where}: none of the events is about {some(told.names)}.",
            "write the series as the prices call them, or leave it empty where it concerns all.",
        )
    return told


def told_of(panel: Panel, events: Events, on_message: OnMessage) -> Panel:
    """The panel with the events that concern it; what was read is said."""
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
    *,
    store: Path,
) -> PanelRead:
    """The newest prices of a saved model with the events that it knows, both from the paths recorded at training.

    `csvs` and `events` take their place. Raises `UsageError` for events of a model that was trained without any.
    """
    if events:
        manifest.demand_events()
    read = model_prices(manifest, csvs, on_message, hints, store=store)
    paths = events or manifest.on_disk(manifest.events, "--events")
    return replace(read, panel=told_of(read.panel, read_events(paths), on_message)) if paths else read


def model_prices(
    manifest: Manifest, csvs: Sequence[str], on_message: OnMessage, hints: Hints = NO_HINTS, *, store: Path
) -> PanelRead:
    """The newest prices of a saved model, without its events: of `csvs`, or of the paths recorded at training.

    Without `hints` the files are read as the user said at training. Of the recorded paths, test prices follow the
    training prices, as they did then; and a model of one series stays one, and one that has scaled each by itself one
    of those, whatever files have come into its folder.
    """
    said = hints if hints != NO_HINTS else hints_from(manifest.hints)
    if csvs:
        return read_prices(csvs, on_message, said, quoting=True, store=store)
    test_csv = recorded_test_csv(manifest)
    paths = [one for one in manifest.on_disk(manifest.csv, "--csv") if one != test_csv]
    read = read_prices(paths, on_message, said, quoting=False, store=store)
    if len(manifest.data) == 1 or manifest.config["data"].get("scale_by") == "series":
        read = _of_its_series(read, manifest, on_message)
    if not test_csv:
        return read
    later = read_prices([test_csv], on_message, said, quoting=False, store=store)
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
    ends = {one.name: str(one.dates[-1]) for one in _read_unquoted(others, hints_from(manifest.hints)).panel.series}
    return last if ends.get(series["name"], series["last"]) < series["last"] else ""


def _of_its_series(read: PanelRead, manifest: Manifest, on_message: OnMessage) -> PanelRead:
    """The prices of the series that a model was trained on; any other is left out, and that is said."""
    own = [one["name"] for one in manifest.data]
    strange = {one.name: file.path for file in read.files for one in file.series if one.name not in own}
    if set(own).isdisjoint(read.panel.names) or not strange:
        return read
    why = f"is left out: the model was trained on {some(own)} alone."
    left_out = {name: DataError(f"{name} {why}", f"stockcast train --csv {path}") for name, path in strange.items()}
    for line in likewise({name: f"{strange[name]}: {error.message}" for name, error in left_out.items()}):
        on_message(line)
    kept = [replace(file, series=tuple(one for one in file.series if one.name in own)) for file in read.files]
    files = tuple(file for file in kept if file.series)
    failures = (*read.failures, *((strange[name], error) for name, error in left_out.items()))
    return PanelRead(Panel(tuple(one for file in files for one in file.series)), files, failures)


def demand_known_times(store: Store, manifest: Manifest) -> None:
    """Raise `DataError` with the way out if a model was trained on a row of the future, which the user didn't take."""
    today = date.today()  # noqa: DTZ011 -- the user's own day
    last = _last_row(manifest)
    taken = any(fault.startswith("future") for fault in manifest.hints.get("accept", ()))
    if taken or last <= today + timedelta(days=1):
        return
    name = manifest.name
    sound = next((one for one in reversed(store.versions(name)) if _is_of_the_past(store, name, one, today)), None)
    anew = f"drop it and train it again: stockcast models remove {name}; stockcast train"
    raise DataError(
        f"the model {name!r} was trained on prices up to {last}, and today is {today}: some row had a wrong date.",
        f"let an earlier version serve: stockcast models rollback {name} {sound}"
        if sound
        else f"{anew} --csv {' --csv '.join(manifest.csv)} --name {name}",
    )


def _last_row(manifest: Manifest) -> date:
    return max(date.fromisoformat(one["last"]) for one in manifest.data)


def _is_of_the_past(store: Store, name: str, version: str, today: date) -> bool:
    try:
        return _last_row(store.load(name, version, wanted=()).manifest) <= today
    except ModelDamaged:
        return False


def model_hints(manifest: Manifest, accepted: Collection[str], given: Hints = NO_HINTS) -> Hints:
    """How a model's prices are read: as the user said at training, with the faults `accepted` since then.

    What the user says of them now is laid over that, and counts for this time.
    """
    recorded = hints_from(manifest.hints)
    accept = recorded.accept | frozenset(accepted) | given.accept
    said = {key: value for key, value in vars(given).items() if value}
    return replace(recorded, **{**said, "accept": accept})


def taken_of(hints: Hints, files: Sequence[FileRead]) -> frozenset[str]:
    """What is remembered of the faults that `hints` take: those that the files have."""
    return remembered(hints.accept, (found for file in files for found in file.findings))


def hints_to(hints: Hints) -> dict[str, Any]:
    """What the user said of the files, for a manifest."""
    said = {**asdict(hints), "columns": dict(hints.columns), "accept": sorted(hints.accept)}
    return {key: value for key, value in said.items() if value}


def hints_from(fields: Mapping[str, Any]) -> Hints:
    """The inverse of `hints_to`. Raises `ModelDamaged` for anything that it does not write."""
    texts = [fields.get(key, "") for key in ("date_format", "decimal", "delimiter")]
    columns, accept = fields.get("columns", {}), fields.get("accept", [])
    try:
        texts += [*columns.keys(), *columns.values(), *accept]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError
        return Hints(**{**fields, "accept": frozenset(accept)})
    except (AttributeError, TypeError) as error:
        raise damaged("manifest.json", f"its hints are {str(dict(fields))[:60]}") from error
