"""`stockcast nightly`: what cron runs. Each model is retrained, forecast, recorded and scored, and its page written.

Before that prices are fetched, if the store's settings say so; where that fails, the night goes on with those that are
there, and ends as one on which something failed.

The steps of a model come in this order; one that fails ends that model's night and no other's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from stockcast.config.store_settings import StoreConfig, load_store_config
from stockcast.errors import StockcastError, UsageError
from stockcast.jobs.fetch import FetchResult, nightly_fetch
from stockcast.jobs.fleet import retrain_fleet
from stockcast.jobs.live.failures import FailedModel
from stockcast.jobs.live.issue import Issued, every_model, issue_forecasts
from stockcast.jobs.live.score import ScoreRequest, score_record
from stockcast.jobs.live.scored_model import ScoredModel
from stockcast.jobs.many.outcomes import FAILED, FleetResult, Outcome
from stockcast.jobs.morning.report import HTML, Report, ReportRequest, write_report
from stockcast.jobs.output import check_output
from stockcast.jobs.predict import PredictRequest
from stockcast.jobs.retraining.records import RetrainRequest
from stockcast.jobs.source import OnMessage
from stockcast.ledger.records import Issue
from stockcast.store.lock import hold
from stockcast.store.settled import from_store, strangers
from stockcast.store.store import Store
from stockcast.view.nightly import failed_sentence, missed_sentence, night_summary
from stockcast.view.text import likewise, some

LOCK = "nightly.lock"


@dataclass(frozen=True)
class NightRequest:
    """What the user asked for: the models `names`, or every one; a `report` folder if pages are wanted.

    `jobs` models are worked on at once. A `dry_run` changes nothing: no version, no record, no page.
    """

    store: Path
    names: tuple[str, ...] = ()
    report: Path | None = None
    jobs: int = 1
    dry_run: bool = False


@dataclass(frozen=True)
class ModelNight:
    """One model's night: what came of its retraining, and the step that failed with the reason, if one did."""

    name: str
    retrained: Mapping[str, Any]
    step: str | None = None
    error: StockcastError | None = None

    @property
    def failure(self) -> str | None:
        """What failed and why, in a sentence."""
        if self.step is None or self.error is None:
            return None
        return failed_sentence(self.name, self.step, self.error.message)

    def to_dict(self) -> dict[str, Any]:
        """The same as `--json` prints it in the model's place."""
        failed = self.error and {"step": self.step, **FailedModel(self.name, self.error).to_dict()["error"]}
        return {"name": self.name, "retrain": dict(self.retrained), "failed": failed}


@dataclass(frozen=True)
class Night:
    """What came of a night. `counts` says how many models came out how; `missed` and `warnings` are sentences.

    `fetched` is what the prices' providers brought, None if none was asked; `not_fetched` says what they did not.
    """

    fetched: FetchResult | None
    not_fetched: str | None
    models: tuple[ModelNight, ...]
    counts: Mapping[str, int]
    issue: Issue | None
    scored: int
    missed: tuple[str, ...]
    warnings: tuple[str, ...]
    page: Path | None
    dry_run: bool
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 if a model failed, or prices that were to be fetched are not there."""
        return int(self.failure is not None)

    @property
    def failure(self) -> str | None:
        """What failed; None if all is well."""
        return "; ".join(self._failures()) or None

    def _failures(self) -> list[str]:
        return [one for one in (self.not_fetched, *(model.failure for model in self.models)) if one]

    @property
    def summary(self) -> str:
        """The night in a line."""
        recorded = self.issue.to_dict() if self.issue else None
        line = night_summary(self.counts, recorded, self.scored, str(self.page) if self.page else None, self.seconds)
        return f"Dry run, nothing was changed: {line}" if self.dry_run else line

    def __str__(self) -> str:
        return "\n".join([self.summary, *(f"  {line}" for line in (*self._failures(), *self.missed))])

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "fetch": self.fetched and self.fetched.to_dict(),
            "not_fetched": self.not_fetched,
            "models": [one.to_dict() for one in self.models],
            "issue": self.issue and self.issue.to_dict(),
            "scored": self.scored,
            "missed": list(self.missed),
            "warnings": list(self.warnings),
            "report": None if self.page is None else str(self.page),
            "dry_run": self.dry_run,
            "summary": {**self.counts, "seconds": round(self.seconds, 1), "line": self.summary},
        }


def night_request(
    store: Path, names: Sequence[str], report: Path | None, jobs: int | None, dry_run: bool
) -> NightRequest:
    """What is asked for, with the store's own settings where the line says nothing.

    Raises `UsageError` for a file as the folder of pages, `ConfigError` for settings that can't be read.
    """
    settings = load_store_config(store).nightly
    if report is not None and report.suffix.lower() in HTML:
        raise UsageError(f"{report} is called like a file, and a night's pages go into a folder.", "name a folder.")
    folder = report or (from_store(store, settings.report) if settings.report else None)
    return NightRequest(store, tuple(names), folder, jobs or settings.jobs, dry_run)


def run_night(
    request: NightRequest, on_message: OnMessage, on_end: Callable[[str, str, int, int], None] = lambda *_: None
) -> Night:
    """Do a night's work. `on_end` hears how each retraining came out, with how many have ended and how many there are.

    Raises `NotFound` for a model that isn't there or a store without any, and `Busy` at once if another night is at
    work on the same store.
    """
    begin = perf_counter()
    store = Store(request.store)
    names = tuple(dict.fromkeys(map(store.find, request.names))) or every_model(store)
    for name in set(names).difference(store.names()):
        store.champion(name)  # a slip of whoever named it, not a failure of the night
    if request.report is not None:
        check_output(request.report / "index.html", request.store)
    _say_strangers(load_store_config(request.store), store.names(), on_message)
    with hold(request.store / LOCK, str(request.store), "doing the night's work of"):
        return _Night(request, names, on_message, on_end, begin).done()


def _say_strangers(config: StoreConfig, names: tuple[str, ...], on_message: OnMessage) -> None:
    unknown = strangers(config, names)
    if unknown:
        on_message(f"Warning: stockcast.toml has paths for {some(unknown)}, which is no model of this store.")


@dataclass
class _Night:
    """A night under way: `failed` has the step and the error of each model whose night has ended early."""

    request: NightRequest
    names: tuple[str, ...]
    on_message: OnMessage
    on_end: Callable[[str, str, int, int], None]
    begin: float
    failed: dict[str, tuple[str, StockcastError]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def done(self) -> Night:
        fetched, not_fetched = self._fetched()
        fleet = self._retrained()
        issued = self._forecast()
        scored = self._scored()
        report = self._report()
        outcomes = {one.name: one.answer for one in fleet.outcomes}
        counts = {kind: count for kind, count in fleet.counts.items() if kind != FAILED}
        for name in self.failed:
            kind = next(one.kind for one in fleet.outcomes if one.name == name)
            if kind != FAILED:  # it had come through its retraining
                counts[kind] -= 1
        return Night(
            fetched,
            not_fetched,
            tuple(ModelNight(name, outcomes[name], *self.failed.get(name, (None, None))) for name in self.names),
            {**counts, FAILED: len(self.failed)},
            issued.issue if issued else None,
            sum(one.counts.scored for one in scored),
            tuple(likewise(_missed(scored))),
            tuple(self.warnings),
            report.path if report else None,
            self.request.dry_run,
            perf_counter() - self.begin,
        )

    def _going_on(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in self.failed)

    def _fail(self, name: str, step: str, error: StockcastError) -> None:
        self.failed.setdefault(name, (step, error))

    def _warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        self.on_message(f"Warning: {sentence}")

    def _fetched(self) -> tuple[FetchResult | None, str | None]:
        """What was fetched, and what was not; a dry run asks nobody."""
        if self.request.dry_run:
            return None, None
        try:
            result = nightly_fetch(self.request.store, self.on_message)
        except StockcastError as error:
            return None, failed_sentence("prices", "fetch", error.message)
        lacking = [*(one.symbol for one in result.symbols if one.error), *result.left] if result else []
        return result, failed_sentence(some(lacking), "fetch", "prices are as old as before") if lacking else None

    def _retrained(self) -> FleetResult:
        request = RetrainRequest(self.request.store, "", dry_run=self.request.dry_run)

        def ended(one: Outcome, done: int, total: int) -> None:
            self.on_end(one.kind, one.text, done, total)

        fleet = retrain_fleet(self.request.store, self.names, request, self.request.jobs, ended)
        for one in fleet.outcomes:
            if one.kind == FAILED:
                told = one.answer["error"]
                self._fail(one.name, "retrain", StockcastError(str(told["message"]), told["fix"]))
        return fleet

    def _forecast(self) -> Issued | None:
        """Forecasts of all that go on, recorded as one issue."""
        names = self._going_on()
        if not names:
            return None
        record = not self.request.dry_run
        request = PredictRequest(self.request.store, None, (), None, ())
        issued, _ = issue_forecasts(request, names, single=False, record=record)
        for warning in issued.warnings:
            self._warn(warning)
        for one in issued.outcomes:
            if isinstance(one, FailedModel):
                self._fail(one.name, "predict", one.error)
            elif record and (one.refused or issued.issue is None) and (error := one.refused or issued.not_recorded):
                self._fail(one.name, "record", error)
        return issued

    def _scored(self) -> list[ScoredModel]:
        """The records of all that go on. A dry run keeps no outcomes, and so judges nothing."""
        names = self._going_on()
        if self.request.dry_run or not names:
            return []
        try:
            result = score_record(ScoreRequest(self.request.store, names, brief=True, by="model"))
        except StockcastError as error:  # of the ledger itself, or of the only model
            for name in names:
                self._fail(name, "score", error)
            return []
        if result.not_kept:
            self._warn(f"the outcomes seen were not kept: {result.not_kept}")
        for one in result.models:
            if isinstance(one, FailedModel):
                self._fail(one.name, "score", one.error)
        return result.scored

    def _report(self) -> Report | None:
        """Pages of all, those too that failed: that is what their readers want to know first."""
        if self.request.report is None or self.request.dry_run:
            return None
        tonight = {name: f"{step}: {error.message}" for name, (step, error) in self.failed.items()}
        request = ReportRequest(
            self.request.store, self.names, output=self.request.report, jobs=self.request.jobs, tonight=tonight
        )
        try:
            report = write_report(request, self.on_message)
        except StockcastError as error:
            for name in self._going_on():
                self._fail(name, "report", error)
            return None
        for one in report.failures:
            self._fail(one.name, "report", one.error)
        return report


def _missed(scored: Sequence[ScoredModel]) -> dict[str, str]:
    """A sentence on each model that had sessions without a forecast between tonight's and the one before."""
    found = {}
    for one in scored:
        rows, origins = one.every.forecast.row, one.every.origin
        gaps = {}
        for series in np.unique(one.every.forecast.series):
            mine = np.sort(rows[one.every.forecast.series == series])
            before = np.unique(mine)[-2:]
            if len(before) == 2 and before[1] - before[0] > 1:
                since = origins[(one.every.forecast.series == series) & (rows == before[0])][0]
                gaps[int(before[1] - before[0] - 1)] = since
        if gaps:
            most = max(gaps)
            found[one.name] = missed_sentence(one.name, most, gaps[most])
    return found
