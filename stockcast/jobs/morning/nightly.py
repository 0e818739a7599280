"""`stockcast nightly`: what cron runs. Each model is retrained, forecast, recorded and scored, and its page written.

Before that prices are fetched, if the store's settings say so; where that fails, the night goes on with those that are
there, and ends as one on which something failed.

The steps of a model come in this order; one that fails ends that model's night and no other's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

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
from stockcast.jobs.morning.night import ModelNight, Night, NightRequest
from stockcast.jobs.morning.report import HTML, Report, ReportRequest, write_report
from stockcast.jobs.output import check_output
from stockcast.jobs.predict import PredictRequest
from stockcast.jobs.retraining.records import RetrainRequest
from stockcast.jobs.source import OnMessage
from stockcast.store.lock import hold
from stockcast.store.settled import from_store, strangers
from stockcast.store.store import Store
from stockcast.view.nightly import failed_sentence, missed_sentence
from stockcast.view.text import likewise, some

LOCK = "nightly.lock"


def night_request(
    store: Path, names: Sequence[str], report: Path | None, jobs: int | None, on: str | None, dry_run: bool
) -> NightRequest:
    """What is asked for, with the store's own settings where the line says nothing.

    Raises `UsageError` for a file as the folder of pages, `ConfigError` for settings that can't be read.
    """
    settings = load_store_config(store).nightly
    if report is not None and report.suffix.lower() in HTML:
        raise UsageError(f"{report} is called like a file, and a night's pages go into a folder.", "name a folder.")
    folder = report or (from_store(store, settings.report) if settings.report else None)
    cluster = on or (settings.on if jobs is None else "") or None
    return NightRequest(store, tuple(names), folder, jobs or settings.jobs, dry_run, cluster)


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

        where = (self.request.jobs, ended, self.request.on, self.on_message)
        fleet = retrain_fleet(self.request.store, self.names, request, *where)
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
        issued, _ = issue_forecasts(request, names, single=False, record=record, jobs=self.request.jobs)
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
            result = score_record(ScoreRequest(self.request.store, names, brief=True, by="model"), self.request.jobs)
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
