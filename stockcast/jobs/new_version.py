"""What was learned, as a version to be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from stockcast.config.run import RunConfig
from stockcast.data.features import columns_used
from stockcast.data.series import Panel
from stockcast.data.trading_calendars import check_calendar, doubt, match_calendar, next_sessions
from stockcast.fleet.work import trained_files
from stockcast.jobs.fetching.addresses import absolute
from stockcast.jobs.loaded import CALENDAR_DOUBT, LAST_DAY
from stockcast.jobs.source import hints_to, recorded_test_csv, taken_of
from stockcast.reading.records import FileRead, Hints
from stockcast.store.manifest import Manifest, fingerprint
from stockcast.store.read_version import Bundle
from stockcast.store.trained_prices import PRICES, prices_file

if TYPE_CHECKING:
    from stockcast.learn import Learned

COMING_SESSIONS = 250
RECENT_SESSIONS = 20
"""A series of a panel may end this many sessions before the newest and still be forecast."""

LIBRARIES = ("keras", "numpy", "onnxruntime", "scikit-learn", "tensorflow")


@dataclass(frozen=True)
class Provenance:
    """Where the prices came from: absolute paths, what the user said of them, and what was found in them.

    `test_csv` is the one of the paths whose prices follow the others', if there is one; `events` are the paths of the
    events' files.
    """

    csvs: tuple[str, ...]
    hints: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...]
    test_csv: str = ""
    events: tuple[str, ...] = ()


def provenance(
    csvs: Sequence[str],
    test_csv: str | None,
    hints: Hints,
    files: Sequence[FileRead],
    events: Sequence[str],
    taken: frozenset[str] = frozenset(),
) -> Provenance:
    """The provenance of the prices in `files`: those of `csvs`, and those of `test_csv` after them; and of `events`.

    Of the faults that `hints` take it keeps those that the prices have, and those that were `taken` besides.
    """
    last = absolute([test_csv] if test_csv else [])
    kept = replace(hints, accept=taken_of(hints, files) | taken)
    return Provenance((*absolute(csvs), *last), hints_to(kept), findings_of(files), "".join(last), absolute(events))


def provenance_anew(manifest: Manifest, csvs: Sequence[str], hints: Hints, files: Sequence[FileRead]) -> Provenance:
    """The provenance of the prices in `files`, read with `hints`: of `csvs`, or of the model's own paths."""
    if csvs:
        return Provenance(absolute(csvs), hints_to(hints), findings_of(files), events=manifest.events)
    return Provenance(manifest.csv, hints_to(hints), findings_of(files), recorded_test_csv(manifest), manifest.events)


def findings_of(files: Sequence[FileRead]) -> tuple[Mapping[str, Any], ...]:
    """What was found wrong with the prices, as the manifest keeps it."""
    return tuple({"file": str(file.path), **found.to_dict()} for file in files for found in file.findings)


def bundle(learned: Learned, panel: Panel, config: RunConfig, called: str, source: Provenance) -> Bundle:
    """Everything that is kept of a training."""
    return bundle_of(trained_files(learned), learned.scores, learned.serving.features, panel, config, called, source)


def bundle_of(
    files: Mapping[str, bytes],
    scores: Mapping[str, Any],
    features: Sequence[str],
    panel: Panel,
    config: RunConfig,
    called: str,
    source: Provenance,
) -> Bundle:
    """The same of what was trained elsewhere: its files, its scores, and the names of the network's inputs."""
    calendar, sessions, doubts = sessions_of(panel, config)
    used = columns_used(features) | {config.data.price}
    manifest = Manifest(
        config_name=called,
        config=config.model_dump(mode="json"),
        csv=source.csvs,
        hints=source.hints,
        findings=(*source.findings, *doubts),
        data=tuple({**fingerprint(one), "columns": sorted(used & one.columns.keys())} for one in panel.series),
        libraries=dict(_library_versions()),
        seed=config.fit.seed,
        scores=scores,
        calendar=calendar,
        next_sessions=sessions,
        test_csv=source.test_csv,
        events=source.events,
    )
    return Bundle(manifest, {**files, PRICES: prices_file(panel)})


@cache
def _library_versions() -> tuple[tuple[str, str], ...]:
    return tuple((library, version(library)) for library in LIBRARIES)


def sessions_of(panel: Panel, config: RunConfig) -> tuple[str, tuple[str, ...], list[dict[str, Any]]]:
    """The calendar of the panel's dates, its newest and coming sessions, and a finding if some are guessed.

    Raises `ConfigError` for a calendar that is none or can't be drawn up.
    """
    newest = max(panel.series, key=lambda one: (one.dates[-1], len(one)))
    wanted = config.data.calendar
    calendar = match_calendar(newest.dates) if wanted == "auto" else check_calendar(wanted)
    ahead = next_sessions(calendar, newest.dates, COMING_SESSIONS)
    ahead = ahead[ahead <= LAST_DAY]
    words = doubt(calendar, ahead)
    doubts = [{"kind": CALENDAR_DOUBT, "verdict": "warned", "message": words}] if words else []
    return calendar, tuple(str(day) for day in (*newest.dates[-RECENT_SESSIONS:], *ahead)), doubts
