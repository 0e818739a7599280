"""A challenger on the newest prices, and the gate that it must pass. The caller holds the model's lock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np

from stockcast.config.run import RunConfig
from stockcast.data.series import Panel
from stockcast.errors import DataError
from stockcast.evaluate.gate import Decision, decide
from stockcast.jobs.live.champion import champion_record
from stockcast.jobs.loaded import LoadedModel, open_version, recorded_config
from stockcast.jobs.new_version import bundle, provenance_anew
from stockcast.jobs.retraining.records import Retrained, Run
from stockcast.jobs.source import OnMessage
from stockcast.model.forecaster import WindowForecaster
from stockcast.model.training_run import TrainingRun
from stockcast.store.manifest import Manifest
from stockcast.store.records import damaged, log_line

if TYPE_CHECKING:
    from stockcast.learn import Learned


def challenge(run: Run, on_message: OnMessage) -> Retrained:
    """Train, judge beside the champion, and promote or not; without training where the champion can't be judged yet."""
    from stockcast.learn import evaluate_on, learn

    request, manifest, panel = run.request, run.manifest, run.read.panel
    for sentence in champion_record(request.store, request.name, manifest.version, panel):
        on_message(sentence)
    config = _challenger_config(manifest, panel)
    seen = _seen_block(manifest, config)
    if seen is not None and not request.force:
        return run.kept(seen, None)
    champion = as_it_stood(open_version(run.store, request.name, manifest.version))
    learned = learn(panel, TrainingRun(config, manifest.config_name), must_be_judged=True)
    mine = learned.assessment.evaluated
    theirs = evaluate_on(champion, panel, mine, config.data.price)
    decision = decide(mine, theirs, learned.assessment.baselines["naive"], config.gate.tolerance)
    forced = request.force and decision.ratio is not None and not decision.promoted
    reason = f"forced; {decision.reason}" if forced else decision.reason
    if request.dry_run:
        would = "would" if decision.promoted or forced else "would not"
        return run.kept(f"dry run: it {would} be promoted; {reason}", decision)
    if decision.promoted or forced:
        return _promote(run, learned, config, reason, decision)
    return run.rejected(reason, decision)


def as_it_stood(champion: LoadedModel) -> WindowForecaster:
    """The champion with its bands as they were after training, so that they follow the answers to each forecast since.

    What it has saved of them knows answers from inside the block that it is judged on; the challenger's don't.
    """
    forecaster, cutoff = champion.forecaster, np.datetime64(champion.manifest.scores["cutoffs"]["first"], "D")
    calibration = forecaster.calibration
    return forecaster if calibration is None else forecaster.calibrated(calibration.restarted(cutoff))


def _promote(run: Run, learned: Learned, config: RunConfig, reason: str, decision: Decision) -> Retrained:
    """Save the challenger and let it serve."""
    manifest, name = run.manifest, run.request.name
    recorded = provenance_anew(manifest, run.request.csvs, run.hints, run.read.files)
    now = datetime.now(UTC)
    version = run.store.save(name, bundle(learned, run.read.panel, config, manifest.config_name, recorded), now)
    result = run.ended(True, reason, version, decision)
    run.store.promote(name, version, reason, now, log_line("retrain", now, result.to_dict()))
    return result


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
