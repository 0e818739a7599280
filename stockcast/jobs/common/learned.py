"""From a panel to what is learned of it, and from there to the version of a model that serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from stockcast.config.run import RunConfig, reseeded
from stockcast.data.events.features import kinds_of
from stockcast.data.series import Panel
from stockcast.data.time_split import cut
from stockcast.errors import DataError
from stockcast.jobs.new_version import sessions_of
from stockcast.jobs.past.comparison import compare_past
from stockcast.jobs.past.refusals import another_model
from stockcast.jobs.source import OnMessage
from stockcast.learn import Learned, learn
from stockcast.model.training_run import Checkpoints, TrainingRun
from stockcast.reading.records import Hints, PanelRead
from stockcast.store.read_version import Bundle
from stockcast.store.records import log_line
from stockcast.store.store import Store
from stockcast.view.events import kinds_unknown
from stockcast.view.text import some

OnProgress = Callable[[Any, int], None]
"""Hears of each finished epoch, and of how many there may be."""


def demand_trainable(panel: Panel, config: RunConfig, on_message: OnMessage) -> None:
    """Refuse what would fail after the training only, and say so if nothing is left to judge the model by."""
    sessions_of(panel, config)  # a calendar that can't be drawn up is told of now
    cuts = cut(panel, config)
    if cuts.calibration == cuts.test:
        on_message(f"All prices up to {cuts.test} are trained on: none is left to judge the model by.")


def learn_each(
    panel: Panel,
    config: RunConfig,
    called: str,
    seeds: int,
    on_message: OnMessage,
    on_epoch: OnProgress,
    checkpoints: Checkpoints | None = None,
) -> list[Learned]:
    """Train with so many seeds, the configuration's own first. Raises as `learn`."""
    on_message(f"Training with {called}; loading TensorFlow takes some seconds.")
    several = seeds > 1  # which are compared by how they are judged
    learned = [
        learn(panel, TrainingRun(one, called, lambda epoch: on_epoch(epoch, config.fit.epochs), checkpoints), several)
        for one in reseeded(config, seeds)
    ]
    for unknown in kinds_unknown(panel, kinds_of(learned[0].forecaster.features), learned[0].cuts.calibration):
        on_message(unknown)
    return learned


def keep_version(store: Store, name: str, made: Bundle, seconds: float) -> str:
    """Save what was learned as a version of model `name`, whose lock is held, and let it serve; what it is called."""
    now = datetime.now(UTC)
    saved = store.save(name, made, now)
    store.promote(name, saved, "trained", now, log_line("train", now, {"version": saved, "seconds": round(seconds, 2)}))
    return saved


def past_of(
    store: Store, name: str, read: PanelRead, csvs: Sequence[str], hints: Hints, on_message: OnMessage
) -> tuple[list[dict[str, Any]], frozenset[str]]:
    """How the prices lie to those of the model that is called `name` already, and what is remembered of it; it is said.

    A model is trained again on its own series, or on longer ones; anything else needs another name. A column that is
    gone is no fault here: the new version learns without it.
    """
    if name not in store.names():
        return [], frozenset()
    manifest = store.load(name, wanted=()).manifest
    if lost := [one["name"] for one in manifest.data if one["name"] not in read.panel.names]:
        raise DataError(
            f"the model {name!r} was trained on prices of {some(lost)}, of which these are none.",
            f"give the new model another name: {another_model(store, manifest, csvs, hints)}",
        )
    given = hints.accept | {"lost_columns"}
    past = compare_past(store, manifest, read, csvs, replace(hints, accept=given), given)
    if past.refused:
        raise past.refused[0][1]
    for sentence in past.said:
        on_message(sentence)
    return past.to_list(), past.remembered - {"lost_columns"}
