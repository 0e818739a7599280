"""A challenger on the newest prices, and the gate that it must pass. The caller holds the model's lock."""

from __future__ import annotations

from datetime import UTC, date, datetime

from stockcast.config.run import RunConfig
from stockcast.data.series import Panel
from stockcast.errors import DataError
from stockcast.evaluate.gate import Decision, decide
from stockcast.fleet.engines import Engine, patience_for
from stockcast.fleet.tasks import Result, Task
from stockcast.fleet.work import champion_of
from stockcast.jobs.live.champion import champion_record
from stockcast.jobs.loaded import recorded_config
from stockcast.jobs.new_version import bundle_of, provenance_anew
from stockcast.jobs.retraining.contest import GateContest, check_opponents, checked_challenger, contest_of
from stockcast.jobs.retraining.records import Retrained, Run
from stockcast.jobs.source import OnMessage
from stockcast.store.manifest import Manifest
from stockcast.store.model_files import FORECASTER_FILES
from stockcast.store.records import damaged, log_line


def challenge(run: Run, on_message: OnMessage, engine: Engine) -> Retrained:
    """Train, judge beside the champion, and promote or not; without training where the champion can't be judged yet."""
    request, manifest, panel = run.request, run.manifest, run.read.panel
    for sentence in champion_record(request.store, request.name, manifest.version, panel):
        on_message(sentence)
    config = _challenger_config(manifest, panel)
    seen = _seen_block(manifest, config)
    if seen is not None and not request.force:
        return run.kept(seen, None)
    task = _task(run, config)
    answer = engine.run(task.encode(), patience_for(panel, config))
    result = Result.decode(answer, f"what was trained for {manifest.name}")
    contest = contest_of(result, panel, config, manifest.config_name)
    decision = decide(contest.challenger, contest.champion, contest.naive, config.gate.tolerance)
    forced = request.force and decision.ratio is not None and not decision.promoted
    reason = f"forced; {decision.reason}" if forced else decision.reason
    if request.dry_run:
        would = "would" if decision.promoted or forced else "would not"
        return run.kept(f"dry run: it {would} be promoted; {reason}", decision)
    if decision.promoted or forced:
        if not engine.own:
            check_opponents(contest, champion_of(task), panel, config)
        return _promote(run, result, contest, config, reason, decision)
    return run.rejected(reason, decision)


def _task(run: Run, config: RunConfig) -> Task:
    """What a worker needs to train on the newest prices, and to judge beside the champion."""
    manifest = run.manifest
    # Under the lock the champion is still the version of this manifest.
    champion = run.store.load(run.request.name, wanted=FORECASTER_FILES)
    facts = {"champion_since": manifest.scores["cutoffs"]["first"]}
    return Task("challenge", manifest.name, run.read.panel, config, manifest.config_name, facts, files=champion.files)


def _promote(
    run: Run, result: Result, contest: GateContest, config: RunConfig, reason: str, decision: Decision
) -> Retrained:
    """Save the challenger and let it serve."""
    manifest, name, panel = run.manifest, run.request.name, run.read.panel
    checked = checked_challenger(result, contest.challenger, panel, config, manifest.config_name)
    recorded = provenance_anew(manifest, run.request.csvs, run.hints, run.read.files)
    parts = (result.files, result.facts["scores"], checked.features)
    challenger = bundle_of(*parts, panel, config, manifest.config_name, recorded)
    now = datetime.now(UTC)
    version = run.store.save(name, challenger, now)
    promoted = run.ended(True, reason, version, decision)
    run.store.promote(name, version, reason, now, log_line("retrain", now, promoted.to_dict()))
    return promoted


def _challenger_config(manifest: Manifest, panel: Panel) -> RunConfig:
    """The champion's settings, with everything but the newest block open to training."""
    config = recorded_config(manifest)
    dates = panel.dates
    if len(dates) <= config.gate.sessions:
        raise DataError(f"there are {len(dates)} sessions, too few for a gate of {config.gate.sessions}.", "give more.")
    until: date = dates[-1 - config.gate.sessions].item()
    return config.model_copy(update={"split": config.split.model_copy(update={"until": until})})


def _seen_block(manifest: Manifest, config: RunConfig) -> str | None:
    """A sentence if the champion has learned from a part of the newest block, so that it can't be judged on it."""
    # It is judged from its own cutoff on.
    try:
        learned = date.fromisoformat(manifest.scores["cutoffs"]["first"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(manifest.version, "its scores don't say from which day on it was judged") from error
    if config.split.until is None or learned <= config.split.until:
        return None
    sessions = config.gate.sessions
    return f"the champion has learned from prices up to {learned}; the gate waits for {sessions} later sessions"
