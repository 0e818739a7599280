"""`stockcast predict` of several models at once, and of one or several with --record: issued means kept.

A forecast is handed out after it is in the ledger, or with the warning that it is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stockcast.data.forecast import newest_origins
from stockcast.data.series import PriceSeries
from stockcast.errors import DataError, StockcastError
from stockcast.jobs.common.workers import each_in_order
from stockcast.jobs.live.failures import FailedModel, or_failed
from stockcast.jobs.live.opponents import learned_until, opponents_at
from stockcast.jobs.output import check_output, write_output
from stockcast.jobs.predict import Prediction, PredictRequest, predict_next
from stockcast.ledger.connection import ledger_path
from stockcast.ledger.record import append_issue
from stockcast.ledger.records import Issue, ModelForecast, SeriesForecast
from stockcast.store.store import Store
from stockcast.view.issue import issue_sentences, prediction_rows, predictions_csv, predictions_table

FINGERPRINTED = 20
"""So many last rows of a series are in a forecast's fingerprint."""


@dataclass(frozen=True)
class ModelIssue:
    """What is kept of one model's forecast until it is issued: no network, no prices.

    `answer` is what `--json` prints of it, `rows` are its lines of the table, `draft` what the ledger is to keep, None
    if that wasn't asked for, or where `refused` says why it can't be kept.
    """

    name: str
    answer: dict[str, Any]
    rows: list[list[str]]
    text: str
    warnings: tuple[str, ...]
    stale: str | None
    draft: ModelForecast | None
    refused: DataError | None


@dataclass(frozen=True)
class Issued:
    """What came of one command: each model's forecast or failure, in order, and the receipt of the ledger.

    `single`: one model was asked for by name, and its forecast is printed as ever. `issue` is None where nothing was to
    be recorded, and where that failed; `not_recorded` says why a forecast was not.
    """

    outcomes: tuple[ModelIssue | FailedModel, ...]
    single: bool
    recorded: bool
    issue: Issue | None
    not_recorded: StockcastError | None
    warnings: tuple[str, ...]

    @property
    def made(self) -> list[ModelIssue]:
        """The forecasts that were made."""
        return [one for one in self.outcomes if isinstance(one, ModelIssue)]

    @property
    def exit_code(self) -> int:
        """That of the ledger's failure, else 1 if a model failed."""
        if self.not_recorded is not None:
            return self.not_recorded.exit_code
        return int(len(self.made) < len(self.outcomes))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        receipt = {"issue": self.issue and self.issue.to_dict()} if self.recorded else {}
        if self.single:
            return {**self.made[0].answer, "warnings": list(self.warnings), **receipt}
        answers = [one.answer if isinstance(one, ModelIssue) else one.to_dict() for one in self.outcomes]
        return {"models": answers, "warnings": list(self.warnings), **receipt}

    def text(self, form: str) -> str:
        """The forecasts as a table, as CSV or as JSON."""
        if form == "json":
            return json.dumps(self.to_dict())
        if self.single:
            return self.made[0].text
        if form == "csv":
            return predictions_csv([(one.name, one.answer["forecasts"]) for one in self.made])
        return predictions_table(
            [
                one.rows if isinstance(one, ModelIssue) else f"{one.name}: failed: {one.error.message}"
                for one in self.outcomes
            ]
        )


def issue_forecasts(
    request: PredictRequest, names: Sequence[str], *, single: bool, record: bool, jobs: int | None = None
) -> tuple[Issued, str]:
    """Forecast with every model of `names`, keep what was forecast if `record`, and write or hand back its text.

    One model that fails doesn't stop the others, unless it is the only one that was asked for. Many are forecast by
    `jobs` processes, as `each_in_order` has it.
    """
    if request.output is not None:
        check_output(request.output, request.store, request.csvs)
    tasks = {name: _Task(replace(request, name=name), single, record) for name in names}
    outcomes: tuple[ModelIssue | FailedModel, ...] = or_failed(names, each_in_order(_outcome, tasks, jobs))
    made = [one for one in outcomes if isinstance(one, ModelIssue)]
    warnings = [warning if single else f"{one.name}: {warning}" for one in made for warning in one.warnings]
    issue, failure = None, None
    if record and made:
        issue, failure, words = _record(request, made)
        warnings += words
    issued = Issued(outcomes, single, record, issue, failure, tuple(warnings))
    text = issued.text(request.form)
    if request.output is not None:
        write_output(request.output, f"{text}\n".encode())
    return issued, text


def every_model(store: Store) -> tuple[str, ...]:
    """The names of all models. Raises `NotFound` if there is none."""
    return store.names() or (store.only(),)


@dataclass(frozen=True)
class _Task:
    """A model to forecast with, named in the request; `single`: it is the only one, and what it raises is raised."""

    request: PredictRequest
    single: bool
    record: bool


def _outcome(task: _Task) -> ModelIssue | FailedModel:
    request, single = task.request, task.single
    try:
        prediction = predict_next(request)
    except StockcastError as error:
        if single:
            raise
        return FailedModel(request.name or "", error)
    draft: ModelForecast | None = None
    refused: DataError | None = None
    missing: list[str] = []
    if task.record:
        try:
            draft, missing = _draft(prediction)
        except DataError as error:
            refused = error
    name = prediction.loaded.name
    return ModelIssue(
        name,
        prediction.to_dict(),
        prediction_rows(name, prediction.panel, prediction.forecast, prediction.dates),
        prediction.text(request.form) if single else "",
        (*prediction.warnings, *missing),
        prediction.stale,
        draft,
        refused,
    )


def _record(
    request: PredictRequest, made: Sequence[ModelIssue]
) -> tuple[Issue | None, StockcastError | None, list[str]]:
    """The receipt, or why there is none, and what should be said of it."""
    failure: StockcastError | None = next((one.refused for one in made if one.refused), None)
    words = [f"{one.name} was not recorded: {one.refused.message}" for one in made if one.refused]
    drafts = [one.draft for one in made if one.draft]
    if not drafts:
        return None, failure, words
    try:
        issue = append_issue(ledger_path(request.store), drafts)
    except StockcastError as error:
        return None, error, [*words, f"nothing of this was recorded: {error.message}"]
    counts = (issue.live, issue.late, issue.superseded)
    return issue, failure, words + issue_sentences(issue.number, *counts, issue.clock_behind)


def _draft(prediction: Prediction) -> tuple[ModelForecast, list[str]]:
    """A prediction as the ledger keeps it, and a sentence on each opponent that is missing beside it."""
    loaded, panel, forecast = prediction.loaded, prediction.panel, prediction.forecast
    price, cutoff = loaded.config.data.price, learned_until(loaded.manifest)
    origins = newest_origins(prediction.every, panel)
    opponents, missing = opponents_at(prediction.every, origins, cutoff, loaded.config, forecast.horizon)
    with np.errstate(invalid="ignore", divide="ignore"):  # what is no number then is refused
        point = np.log(forecast.point / forecast.last[:, None])  # (series, days)
        quantiles = np.log(forecast.quantiles / forecast.last[:, None, None])
    others = {name: np.log(one.quantiles / one.last[:, None, None]) for name, one in opponents.items()}
    series = tuple(
        SeriesForecast(
            one.name,
            one.dates[-1],
            float(forecast.last[at]),
            _last_return(one, price),
            _fingerprint(one, price),
            prediction.dates[at],
            point[at],
            quantiles[at],
            {name: values[at] for name, values in others.items()},
        )
        for at, one in enumerate(panel.series)
    )
    manifest = loaded.manifest
    issued = ModelForecast(
        loaded.name,
        manifest.version,
        loaded.bundle.digest,
        manifest.config_name,
        loaded.config.digest(),
        cutoff,
        manifest.calendar,
        price,
        series,
    )
    return issued, missing


def _last_return(one: PriceSeries, price: str) -> float:
    """The log return of the newest session, NaN for a single row."""
    closes = one.columns[price][-2:]
    return float(np.log(closes[1] / closes[0])) if len(closes) == 2 else float("nan")


def _fingerprint(one: PriceSeries, price: str) -> bytes:
    """The first half of a SHA-256 over the dates and prices of the last rows."""
    days = one.dates[-FINGERPRINTED:].astype("datetime64[D]").astype("<i8")
    return hashlib.sha256(days.tobytes() + one.columns[price][-FINGERPRINTED:].astype("<f8").tobytes()).digest()[:16]
