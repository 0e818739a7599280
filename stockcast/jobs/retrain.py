"""`stockcast retrain`: a challenger on the newest prices, and a gate that it must pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from stockcast.config import RunConfig, from_table
from stockcast.data.reader import PanelRead
from stockcast.data.series import Panel
from stockcast.errors import DataError, StockcastError
from stockcast.evaluate.gate import Decision, decide
from stockcast.jobs.packing import Origin, bundle, findings_of, log_line
from stockcast.jobs.source import Say, read_model_prices
from stockcast.store.manifest import Manifest, extends
from stockcast.store.store import Store

if TYPE_CHECKING:
    from stockcast.learn import Learned


@dataclass(frozen=True)
class RetrainRequest:
    """What the user asked for, of one model."""

    store: Path
    name: str
    csvs: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False
    max_age: int | None = None


@dataclass(frozen=True)
class Retrained:
    """What came of one retraining; `decision` is None where there was nothing new to learn from."""

    name: str
    promoted: bool
    reason: str
    version: str
    decision: Decision | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` and the log give it."""
        return {
            "name": self.name,
            "promoted": self.promoted,
            "reason": self.reason,
            "version": self.version,
            "gate": None if self.decision is None else self.decision.as_dict(),
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        what = f"{self.version} serves now" if self.promoted else f"{self.version} goes on serving"
        return f"{self.name}: {what}; {self.reason}."


def retrain(request: RetrainRequest, say: Say) -> Retrained:
    """Train a challenger and promote it if it is not worse on the newest sessions, which neither has seen.

    The lock is taken first, before anything heavy is imported. Raises `Busy` at once if another run holds it, and any
    other `StockcastError`; the champion then serves as before.
    """
    begin = perf_counter()
    store = Store(request.store)
    champion = store.champion(request.name)
    with store.lock(request.name):
        manifest = store.load(request.name, champion.version, wanted=()).manifest
        read = read_model_prices(manifest, request.csvs, say)
        if not request.force and not _has_news(read.panel, manifest):
            return Retrained(request.name, False, "nothing new", champion.version, None, perf_counter() - begin)
        for sentence in _rewritten(read.panel, manifest):
            say(sentence)
        try:
            return _challenge(_Run(request, store, manifest, read, begin))
        except StockcastError as error:
            store.append_log(request.name, log_line("retrain failed", datetime.now(UTC), {"error": error.message}))
            raise


def _has_news(panel: Panel, manifest: Manifest) -> bool:
    """Whether some series of the model has a row after the last that it was trained or judged on."""
    newest = {one.name: str(one.dates[-1]) for one in panel.series}
    return any(newest.get(one["name"], "") > one["last"] for one in manifest.data)


@dataclass(frozen=True)
class _Run:
    """A retraining under way, its lock held."""

    request: RetrainRequest
    store: Store
    manifest: Manifest
    read: PanelRead
    begin: float

    def ended(self, promoted: bool, reason: str, version: str, decision: Decision) -> Retrained:
        return Retrained(self.request.name, promoted, reason, version, decision, perf_counter() - self.begin)


def _challenge(run: _Run) -> Retrained:
    """Train, judge beside the champion, and promote or not."""
    from stockcast.jobs.served import open_version
    from stockcast.learn import judge_on, learn

    request, manifest, panel = run.request, run.manifest, run.read.panel
    champion = open_version(run.store, request.name, manifest.version).forecaster
    config = _challenger_config(manifest, panel, request.max_age)
    learned = learn(panel, config, manifest.config_name)
    mine = learned.assessment.judged
    theirs = judge_on(champion, panel, mine, config.data.price)
    decision = decide(mine, theirs, learned.assessment.baselines["naive"], config.gate.tolerance)
    forced = request.force and decision.ratio is not None and not decision.promoted
    reason = f"forced; {decision.reason}" if forced else decision.reason
    if request.dry_run:
        would = "would" if decision.promoted or forced else "would not"
        return run.ended(False, f"dry run: it {would} be promoted; {reason}", manifest.version, decision)
    if decision.promoted or forced:
        return _promote(run, learned, config, reason, decision)
    kept = run.ended(False, reason, manifest.version, decision)
    run.store.append_log(request.name, log_line("retrain", datetime.now(UTC), kept.to_dict()))
    return kept


def _promote(run: _Run, learned: Learned, config: RunConfig, reason: str, decision: Decision) -> Retrained:
    """Save the challenger and let it serve."""
    manifest, name = run.manifest, run.request.name
    recorded = Origin(manifest.csv, manifest.hints, findings_of(run.read.files))
    now = datetime.now(UTC)
    version = run.store.save(name, bundle(learned, run.read.panel, config, manifest.config_name, recorded), now)
    result = run.ended(True, reason, version, decision)
    run.store.promote(name, version, reason, now, log_line("retrain", now, result.to_dict()))
    return result


def _challenger_config(manifest: Manifest, panel: Panel, max_age: int | None) -> RunConfig:
    """The champion's settings, with everything but the newest block open to training."""
    config = from_table(manifest.config)
    dates = panel.dates
    if len(dates) <= config.gate.sessions:
        raise DataError(f"there are {len(dates)} sessions, too few for a gate of {config.gate.sessions}.", "give more.")
    until: date = dates[-1 - config.gate.sessions].item()
    gate = config.gate if max_age is None else config.gate.model_copy(update={"max_age": max_age})
    return config.model_copy(update={"split": config.split.model_copy(update={"until": until}), "gate": gate})


def _rewritten(panel: Panel, manifest: Manifest) -> list[str]:
    """A sentence on each series whose past is no longer what it was: adjusted prices do that with every dividend."""
    by_name = {one.name: one for one in panel.series}
    return [
        f"{one['name']}: the prices up to {one['last']} differ from those that {manifest.version} was trained on, "
        "as they do when a dividend or a split is worked into the past."
        for one in manifest.data
        if one["name"] in by_name and not extends(by_name[one["name"]], one)
    ]
