"""What was learned, as a version to be saved."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from stockcast.config.run import RunConfig
from stockcast.data.calendars import check_calendar, doubt, match_calendar, next_sessions
from stockcast.data.series import Panel
from stockcast.evaluate.rows import newest_days, rows_text
from stockcast.jobs.loaded import CALENDAR_DOUBT
from stockcast.jobs.source import absolute, hints_to
from stockcast.reading.records import FileRead, Hints
from stockcast.store.arrays import encode_arrays
from stockcast.store.bundle import Bundle
from stockcast.store.manifest import Manifest, fingerprint

if TYPE_CHECKING:
    from stockcast.learn import Learned

COMING_SESSIONS = 250
RECENT_SESSIONS = 20
"""A series of a panel may end this many sessions before the newest and still be forecast."""

MOST_ROWS = 250_000
"""Of the held-out forecasts in backtest.csv, 40 MB: beyond them the oldest days of a large panel are left out. They are
there to be looked at; the scores in the manifest are of all days, and the baselines' forecasts can be made again."""

LIBRARIES = ("keras", "numpy", "onnxruntime", "scikit-learn", "tensorflow")


@dataclass(frozen=True)
class Origin:
    """Where the prices came from: absolute paths, what the user said of them, and what was found in them."""

    csvs: tuple[str, ...]
    hints: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...]


def origin(csvs: Sequence[str], hints: Hints, files: Sequence[FileRead]) -> Origin:
    """The origin of the prices in `files`."""
    return Origin(absolute(csvs), hints_to(hints), findings_of(files))


def findings_of(files: Sequence[FileRead]) -> tuple[Mapping[str, Any], ...]:
    """What was found wrong with the prices, as the manifest keeps it."""
    return tuple(
        {"file": str(file.path), **asdict(found), "first": found.first and found.first.isoformat()}
        for file in files
        for found in file.findings
    )


def bundle(learned: Learned, panel: Panel, config: RunConfig, called: str, source: Origin) -> Bundle:
    """Everything that is kept of a training."""
    calendar, sessions, doubts = _calendar(panel, config)
    manifest = Manifest(
        config_name=called,
        config=config.model_dump(mode="json"),
        csv=source.csvs,
        hints=source.hints,
        findings=(*source.findings, *doubts),
        data=tuple(fingerprint(one) for one in panel.series),
        libraries={library: version(library) for library in LIBRARIES},
        seed=config.fit.seed,
        scores=learned.assessment.as_dict(),
        calendar=calendar,
        next_sessions=sessions,
    )
    return Bundle(manifest, _files(learned))


def _calendar(panel: Panel, config: RunConfig) -> tuple[str, tuple[str, ...], list[dict[str, Any]]]:
    """The calendar of the panel's dates, its newest and coming sessions, and a finding if some are guessed."""
    newest = max(panel.series, key=lambda one: (one.dates[-1], len(one)))
    wanted = config.data.calendar
    calendar = match_calendar(newest.dates) if wanted == "auto" else check_calendar(wanted)
    ahead = next_sessions(calendar, newest.dates, COMING_SESSIONS)
    words = doubt(calendar, ahead)
    doubts = [{"kind": CALENDAR_DOUBT, "verdict": "warned", "message": words}] if words else []
    return calendar, tuple(str(day) for day in (*newest.dates[-RECENT_SESSIONS:], *ahead)), doubts


def _files(learned: Learned) -> dict[str, bytes]:
    """The files of a version beside its manifest."""
    forecaster = learned.serving
    parts = {
        "features": list(forecaster.features),
        "scalers": forecaster.scalers.to_dict(),
        "calibration": forecaster.calibration.to_dict() if forecaster.calibration else None,
    }
    return {
        "scaler.json": json.dumps(parts).encode(),
        "weights.npz": encode_arrays(learned.weights),
        "model.onnx": learned.onnx,
        "history.csv": _history(learned),
        "backtest.csv": rows_text([newest_days(learned.assessment.evaluated, MOST_ROWS)]).encode(),
    }


def _history(learned: Learned) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["epoch", "loss", "validation_loss"])
    for epoch in learned.history:
        writer.writerow([epoch.number, epoch.loss, "" if epoch.validation_loss is None else epoch.validation_loss])
    return buffer.getvalue().encode()
