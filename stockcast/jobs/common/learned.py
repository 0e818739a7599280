"""From a panel to what is learned of it, and from there to the version of a model that serves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from shlex import quote
from typing import Any

from stockcast.config.run import RunConfig, reseeded
from stockcast.data.events.features import kinds_of
from stockcast.data.series import Panel
from stockcast.data.time_split import cut
from stockcast.errors import DataError
from stockcast.jobs.new_version import sessions_of
from stockcast.jobs.source import OnMessage
from stockcast.learn import Learned, learn
from stockcast.model.training_run import Checkpoints, TrainingRun
from stockcast.store.manifest import extends
from stockcast.store.read_version import Bundle
from stockcast.store.records import log_line
from stockcast.store.store import Store
from stockcast.view.events import kinds_unknown

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


def demand_same_series(store: Store, name: str, panel: Panel) -> None:
    """A model is trained again on the same series, or on longer ones; anything else needs another name."""
    if name not in store.names():
        return
    by_name = {one.name: one for one in panel.series}
    for earlier in store.load(name, wanted=()).manifest.data:
        series = by_name.get(earlier["name"])
        if series is None or not extends(series, earlier):
            found = "are not among these prices" if series is None else "differ from these prices"
            anew = f"give the new model another name with --name, or drop the old one: stockcast models remove {name}"
            adjusted = f"after a dividend or a split, let the model learn anew: stockcast retrain {quote(name)}; else "
            raise DataError(
                f"the model {name!r} was trained on {earlier['rows']} sessions of {earlier['name']}, "
                f"{earlier['first']} to {earlier['last']}, which {found}.",
                anew if series is None else adjusted + anew,
            )
