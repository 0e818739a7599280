"""`stockcast score`: the forecasts that were issued, judged on the prices that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import Busy, CannotCreate, IOFailure, NotFound, StockcastError, UsageError
from stockcast.evaluate.live import total_counts
from stockcast.evaluate.rows import rows_text
from stockcast.jobs.common.workers import each_in_order
from stockcast.jobs.live.failures import FailedModel, or_failed
from stockcast.jobs.live.recorded import recorded_of
from stockcast.jobs.live.scored_model import ScoredModel, score_model
from stockcast.jobs.output import write_output
from stockcast.jobs.source import model_hints, model_prices, read_prices
from stockcast.ledger import clock
from stockcast.ledger.connection import consult, ledger_path
from stockcast.ledger.live_record import LiveRecord, recorded_models
from stockcast.ledger.outcomes import keep_outcomes
from stockcast.reading.records import NO_HINTS, Hints, PanelRead
from stockcast.store.settled import settled
from stockcast.store.store import Store
from stockcast.view.backtest import contest_table
from stockcast.view.hubverse import hubverse_csv
from stockcast.view.score import count_sentences, parts_table, record_sentences, record_title
from stockcast.view.text import some


@dataclass(frozen=True)
class ScoreRequest:
    """What the user asked for: the models `names`, or every one in the ledger; forecasts from the origins `since` then.

    `by` is model, series, step or month; `form` that of `output`: rows or hubverse. `brief`: where each model gets a
    line, nothing is tested that no line shows.
    """

    store: Path
    names: tuple[str, ...]
    everything: bool = False
    csvs: tuple[str, ...] = ()
    since: date | None = None
    by: str | None = None
    output: Path | None = None
    form: str = "rows"
    hints: Hints = NO_HINTS
    brief: bool = False


@dataclass(frozen=True)
class ScoreResult:
    """The record of each model, or why it could not be scored; `not_kept` if the outcomes seen could not be written."""

    models: tuple[ScoredModel | FailedModel, ...]
    by: str
    output: Path | None
    not_kept: str | None

    @property
    def exit_code(self) -> int:
        """1 if a model failed."""
        return int(any(isinstance(one, FailedModel) for one in self.models))

    @property
    def scored(self) -> list[ScoredModel]:
        """The models that could be scored."""
        return [one for one in self.models if isinstance(one, ScoredModel)]

    def text(self) -> str:
        """The record of each model as text: a page for one, a line for each of many."""
        if self.by == "model":
            return self._lines()
        return "\n\n".join(_page(one, self.by) if isinstance(one, ScoredModel) else _failed(one) for one in self.models)

    def _lines(self) -> str:
        parts = {one.name: one.scores for one in self.scored if one.scores}
        told = [parts_table(parts, "model")] if parts else []
        told += ["", *count_sentences(total_counts([one.counts for one in self.scored]))] if self.scored else []
        told += [f"{one.name}: {line}" for one in self.scored for line in one.identity()]
        return "\n".join([*told, *(_failed(one) for one in self.models if isinstance(one, FailedModel))])

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "models": [one.to_dict() for one in self.models],
            "rows": None if self.output is None else str(self.output),
            "not_kept": self.not_kept,
        }


def score_record(request: ScoreRequest, jobs: int | None = None) -> ScoreResult:
    """Score the record of each model, keep the outcomes that were seen, and write `request.output`.

    Many are scored by `jobs` processes, as `each_in_order` has it.
    Raises `NotFound` where there is no ledger or a model is not in it, `UsageError` where it has to be named,
    `LedgerDamaged`, and what the only model that was asked for fails with.
    """
    path = ledger_path(request.store)
    names = _names(path, request)
    by = request.by or ("model" if len(names) > 1 or request.everything else "step")
    tasks = {name: _Task(request, name, by, len(names) == 1) for name in names}
    models: tuple[ScoredModel | FailedModel, ...] = or_failed(names, each_in_order(_outcome, tasks, jobs))
    result = ScoreResult(models, by, request.output, None)
    not_kept = _keep(path, result.scored)
    if request.output is not None:
        write_output(request.output, _file(result.scored, request.form).encode())
    return ScoreResult(models, by, request.output, not_kept)


def read_model_record(
    store: Path, name: str, csvs: Sequence[str], hints: Hints, since: date | None = None
) -> tuple[LiveRecord, PanelRead, str]:
    """What was recorded of a model, its newest prices, and which column of them. Raises `NotFound`, `LedgerDamaged`."""
    record, price = recorded_of(store, name, None if since is None else np.datetime64(since, "D"))
    if record is None:
        words = "" if since is None else f" since {since}"
        raise NotFound(
            f"no forecast of the model {name!r} was recorded{words}.", f"see: stockcast predict {name} --record"
        )
    try:
        manifest = settled(store, Store(store).load(name, wanted=()).manifest)
    except NotFound:
        if not csvs:
            raise NotFound(
                f"the model {name!r} is gone; its record is not.", f"give its prices: stockcast score {name} --csv PATH"
            ) from None
        return record, read_prices(csvs, lambda _: None, hints, store=store), price
    said = model_hints(manifest, Store(store).champion(name).accepted, hints)
    return record, model_prices(manifest, csvs, lambda _: None, said, store=store), price


def _names(path: Path, request: ScoreRequest) -> tuple[str, ...]:
    recorded = consult(path, recorded_models)
    if request.everything and recorded:
        return recorded
    if request.names:
        return tuple(dict.fromkeys(request.names))
    if len(recorded) != 1:
        raise UsageError(
            f"{path} holds forecasts of {some(recorded) if recorded else 'no model'}.", "name a model, or give --all."
        )
    return recorded


@dataclass(frozen=True)
class _Task:
    """The record of one model to score; `alone`: it is the only one, and what it raises is raised."""

    request: ScoreRequest
    name: str
    by: str
    alone: bool


def _outcome(task: _Task) -> ScoredModel | FailedModel:
    request, name, by = task.request, task.name, task.by
    try:
        record, read, price = read_model_record(request.store, name, request.csvs, request.hints, request.since)
        today = np.datetime64(clock.utc_now().date(), "D")
        brief = request.brief and by == "model" and request.output is None
        return score_model(name, record, read.panel, price, today, by, brief=brief)
    except StockcastError as error:
        if task.alone:
            raise
        return FailedModel(name, error)


def _keep(path: Path, models: Sequence[ScoredModel]) -> str | None:
    """Keep the outcomes that were seen; why that was not possible, where somebody may read but not write."""
    first = [seen for one in models for seen in one.outcomes.first]
    revised = [seen for one in models for seen in one.outcomes.revised]
    if not (first or revised):
        return None
    try:
        keep_outcomes(path, first, revised)
    except (CannotCreate, IOFailure, Busy) as error:
        return error.message
    return None


def _file(models: Sequence[ScoredModel], form: str) -> str:
    """The forecasts as a file: all that count in the form of hubs, those whose outcome is known as rows.

    The rows of opponents are in the file of a single model; those of several models would have one name.
    """
    if form == "hubverse":
        return hubverse_csv([(one.every, one.price) for one in models])
    judged = [one.assessment for one in models if one.assessment]
    return rows_text(judged[0].rows if len(judged) == 1 else [one.evaluated for one in judged])


def _page(one: ScoredModel, by: str) -> str:
    """A record as a backtest's: a table, the verdict, and what was not scored."""
    if one.assessment is None:
        return "\n".join([f"{one.name}: no forecast could be judged yet.", *one.sentences()])
    parts = parts_table(one.groups, by) if one.groups else contest_table(one.name, one.assessment)
    words = record_sentences(one.assessment, one.contests, one.rolling, one.days, one.enough_on)
    return "\n".join([record_title(one.name, one.assessment), "", parts, "", *words, *one.sentences()])


def _failed(one: FailedModel) -> str:
    return f"{one.name}: failed: {one.error.message}"
