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

from stockcast.data.series import PriceSeries
from stockcast.errors import DataError, StockcastError
from stockcast.jobs.live.failures import FailedModel
from stockcast.jobs.live.opponents import learned_until, opponents_at
from stockcast.jobs.output import write_output
from stockcast.jobs.predict import Prediction, PredictRequest, newest_origins, predict_next
from stockcast.ledger.connection import ledger_path
from stockcast.ledger.record import append_issue
from stockcast.ledger.records import Issue, ModelForecast, SeriesForecast
from stockcast.store.records import sha256
from stockcast.store.store import Store
from stockcast.view.issue import issue_sentences, predictions_csv, predictions_table

FINGERPRINTED = 20
"""So many last rows of a series are in a forecast's fingerprint."""


@dataclass(frozen=True)
class Issued:
    """What came of one command: each model's forecast or failure, in order, and the receipt of the ledger.

    `single`: one model was asked for by name, and its forecast is printed as ever. `issue` is None where nothing was to
    be recorded, and where that failed; `not_recorded` says why a forecast was not.
    """

    outcomes: tuple[Prediction | FailedModel, ...]
    single: bool
    recorded: bool
    issue: Issue | None
    not_recorded: StockcastError | None
    warnings: tuple[str, ...]

    @property
    def predictions(self) -> list[Prediction]:
        """The forecasts that were made."""
        return [one for one in self.outcomes if isinstance(one, Prediction)]

    @property
    def exit_code(self) -> int:
        """That of the ledger's failure, else 1 if a model failed."""
        if self.not_recorded is not None:
            return self.not_recorded.exit_code
        return int(len(self.predictions) < len(self.outcomes))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        receipt = {"issue": self.issue and self.issue.to_dict()} if self.recorded else {}
        if self.single:
            (prediction,) = self.predictions
            return {**prediction.to_dict(), "warnings": list(self.warnings), **receipt}
        return {"models": [one.to_dict() for one in self.outcomes], "warnings": list(self.warnings), **receipt}

    def text(self, form: str) -> str:
        """The forecasts as a table, as CSV or as JSON."""
        if form == "json":
            return json.dumps(self.to_dict())
        if self.single:
            return self.predictions[0].text(form)
        if form == "csv":
            return predictions_csv([(one.loaded.name, one.entries()) for one in self.predictions])
        return predictions_table(
            [
                (one.loaded.name, one.panel, one.forecast, one.dates)
                if isinstance(one, Prediction)
                else (one.name, one.error.message)
                for one in self.outcomes
            ]
        )


def issue_forecasts(request: PredictRequest, names: Sequence[str], *, single: bool, record: bool) -> tuple[Issued, str]:
    """Forecast with every model of `names`, keep what was forecast if `record`, and write or hand back its text.

    One model that fails doesn't stop the others, unless it is the only one that was asked for.
    """
    outcomes = tuple(_outcome(replace(request, name=name), single) for name in names)
    predictions = [one for one in outcomes if isinstance(one, Prediction)]
    warnings = [
        warning if single else f"{one.loaded.name}: {warning}" for one in predictions for warning in one.warnings
    ]
    issue, failure = None, None
    if record and predictions:
        issue, failure, words = _record(request, predictions)
        warnings += words
    issued = Issued(outcomes, single, record, issue, failure, tuple(warnings))
    text = issued.text(request.form)
    if request.output is not None:
        write_output(request.output, f"{text}\n".encode())
    return issued, text


def every_model(store: Store) -> tuple[str, ...]:
    """The names of all models. Raises `NotFound` if there is none."""
    return store.names() or (store.only(),)


def _outcome(request: PredictRequest, single: bool) -> Prediction | FailedModel:
    try:
        return predict_next(request)
    except StockcastError as error:
        if single:
            raise
        return FailedModel(request.name or "", error)


def _record(
    request: PredictRequest, predictions: Sequence[Prediction]
) -> tuple[Issue | None, StockcastError | None, list[str]]:
    """The receipt, or why there is none, and what should be said of it."""
    words: list[str] = []
    models: list[ModelForecast] = []
    failure: StockcastError | None = None
    for prediction in predictions:
        try:
            model, missing = _as_issued(prediction)
        except DataError as error:
            failure = error
            words.append(f"{prediction.loaded.name} was not recorded: {error.message}")
            continue
        models.append(model)
        words += [f"{prediction.loaded.name}: {sentence}" for sentence in missing]
    if not models:
        return None, failure, words
    try:
        issue = append_issue(ledger_path(request.store), models)
    except StockcastError as error:
        return None, error, [*words, f"nothing of this was recorded: {error.message}"]
    counts = (issue.live, issue.late, issue.superseded)
    return issue, failure, words + issue_sentences(issue.number, *counts, issue.clock_behind)


def _as_issued(prediction: Prediction) -> tuple[ModelForecast, list[str]]:
    """A prediction as the ledger keeps it, and a sentence on each opponent that is missing beside it."""
    loaded, panel, forecast = prediction.loaded, prediction.panel, prediction.forecast
    price, cutoff = loaded.config.data.price, learned_until(loaded.manifest)
    origins = newest_origins(prediction.every, panel)
    opponents, missing = opponents_at(
        prediction.every, origins, cutoff, price, loaded.config.data.horizon, forecast.horizon
    )
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
        sha256(manifest.encode()),
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
