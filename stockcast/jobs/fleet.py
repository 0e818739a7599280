"""`stockcast retrain` of several models: trained by workers, judged and promoted here.

Each model's part of the client's work, from its lock to its promotion, is done by one thread, of which as many run as
keep all workers busy. What goes wrong with a model is that model's failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from stockcast.errors import StockcastError, foreseen
from stockcast.jobs.retrain import retrain_model
from stockcast.jobs.retraining.records import RetrainRequest
from stockcast.store.interruption import deaf, serving
from stockcast.store.journal import Journal, kept_journal
from stockcast.store.store import Store
from stockcast.view.retrain import fleet_summary, outcome_sentence, with_warnings
from stockcast.view.text import some

if TYPE_CHECKING:
    from stockcast.fleet.engines import Engine
    from stockcast.jobs.source import OnMessage

FAILED, NOTHING_NEW = "failed", "nothing new"

PROMOTED = "Promoted"
BROKEN_OFF = "Broken off, and served as before"
NOT_REACHED = "Not reached"


@dataclass(frozen=True)
class Outcome:
    """What came of one model: the JSON object that `retrain` prints of it, and its exit code."""

    name: str
    exit_code: int
    answer: Mapping[str, Any]

    def __str__(self) -> str:
        if "error" in self.answer:
            return f"{self.name}: failed: {self.reason}"
        return outcome_sentence(self.name, *(self.answer[key] for key in ("promoted", "version", "reason")))

    @property
    def reason(self) -> str:
        """Why it came out as it did: of a failure the message and the fix."""
        error = self.answer.get("error")
        if error is None:
            return str(self.answer["reason"])
        return f"{error['message']} Fix: {error['fix']}" if error["fix"] else str(error["message"])

    @property
    def kind(self) -> str:
        """How it came out, in a word or two."""
        if "error" in self.answer:
            return FAILED
        if self.answer["promoted"]:
            return "promoted"
        return NOTHING_NEW if self.reason.startswith(NOTHING_NEW) else "kept"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found in its prices."""
        return tuple(self.answer.get("warnings", ()))

    @property
    def text(self) -> str:
        """Its line, and what was found in its prices."""
        return with_warnings(str(self), self.warnings)


@dataclass(frozen=True)
class FleetResult:
    """The outcome of every model, and the seconds that all took."""

    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """How many came out how."""
        return counts_of(self.outcomes)

    @property
    def summary(self) -> str:
        """All in a line, and one for each that failed."""
        failures = {one.name: one.reason for one in self.outcomes if one.kind == FAILED}
        return fleet_summary(self.counts, failures, self.seconds)

    @property
    def failure(self) -> str | None:
        """What failed, and what was found in the prices of the others; None if all is well."""
        failed = [str(one) for one in self.outcomes if one.exit_code]
        warned = [f"{one.name}: {warning}" for one in self.outcomes for warning in one.warnings]
        return "; ".join(failed + warned) if failed else None

    @property
    def exit_code(self) -> int:
        """1 if any model failed."""
        return int(any(one.exit_code for one in self.outcomes))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "models": [{"exit_code": one.exit_code, "name": one.name, **one.answer} for one in self.outcomes],
            "summary": {**self.counts, "seconds": round(self.seconds, 1)},
        }


def counts_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """How many models came out how."""
    kinds = [one.kind for one in outcomes]
    return {kind: kinds.count(kind) for kind in ("promoted", "kept", NOTHING_NEW, FAILED)}


OnEnd = Callable[[Outcome, int, int], None]
"""Hears of each model as it ends, with how many have ended and how many there are."""


def retrain_fleet(
    store: Path,
    names: Sequence[str],
    request: RetrainRequest,
    jobs: int,
    on_end: OnEnd = lambda outcome, done, total: None,
    on: str | None = None,
    on_message: OnMessage = lambda line: None,
) -> FleetResult:
    """Retrain `names`, or every model of the store, by `jobs` workers or those of the scheduler at the address `on`.

    A model that fails doesn't stop the others. An interruption breaks off those that are under way, and is handed on
    with what became of each model; a run that was killed is gone on with. Raises `NotFound` if the store has no model:
    a schedule that finds nothing to do night after night is mistaken; `Busy` if the same run is under way already, and
    what `engine_for` raises.
    """
    from stockcast.fleet.engines import engine_for

    models, begin = Store(store), perf_counter()
    every = tuple(dict.fromkeys(map(models.find, names))) or models.names() or (models.only(),)
    with _journal(store, every, request) as journal, engine_for(jobs, on) as engine:
        earlier = {name: one for name in every if (one := _earlier(models, journal, name)) is not None}
        if earlier:
            began = datetime.fromtimestamp(journal.begun or 0.0).astimezone()
            on_message(f"Going on with the run of {began:%H:%M}: {len(earlier)} of {len(every)} models are done.")
        fleet = _Fleet(models, every, request, engine, journal, on_end, dict(earlier))
        fleet.run()
    return FleetResult(tuple(fleet.outcomes[name] for name in every), perf_counter() - begin)


def _journal(store: Path, every: Sequence[str], request: RetrainRequest) -> AbstractContextManager[Journal]:
    """What an earlier run of the same request did; a dry run writes nothing."""
    if request.dry_run:
        return nullcontext(Journal())
    return kept_journal(store, {"models": list(every), "force": request.force, "max_age": request.max_age})


def _earlier(models: Store, journal: Journal, name: str) -> Outcome | None:
    """What became of a model in the run that is gone on with, if that still holds: a failure is tried again."""
    entry = journal.done.get(name)
    if entry is None or entry["exit_code"] or serving(models, name) != entry["answer"]["version"]:
        return None
    from stockcast.reading.reader import find_files

    with suppress(StockcastError, OSError):  # which is told when the model is looked at again
        files = find_files(models.load(name, wanted=()).manifest.csv)
        if max(path.stat().st_mtime for path in files) < entry["time"]:
            return Outcome(name, 0, entry["answer"])
    return None


@dataclass
class _Fleet:
    """A run over `every` model; `outcomes` are those that are known."""

    models: Store
    every: tuple[str, ...]
    request: RetrainRequest
    engine: Engine
    journal: Journal
    on_end: OnEnd
    outcomes: dict[str, Outcome]

    def run(self) -> None:
        """Fill in all outcomes."""
        before = {name: serving(self.models, name) for name in self.every}
        with ThreadPoolExecutor(max_workers=self.engine.window) as pool:
            left = [name for name in self.every if name not in self.outcomes]
            under_way = {pool.submit(self._retrain, name): name for name in left}
            try:
                for one in as_completed(under_way):
                    self._ended(under_way[one], one)
            except BaseException as stop:
                with deaf():
                    self._break_off(under_way)
                if isinstance(stop, KeyboardInterrupt):
                    stop.add_note(_so_far(self._fates(before, under_way)))
                raise

    def _retrain(self, name: str) -> Mapping[str, Any]:
        return retrain_model(replace(self.request, name=name), lambda _: None, self.engine).to_dict()

    def _ended(self, name: str, one: Future[Mapping[str, Any]]) -> None:
        """Take down what came of a model, and tell of it."""
        self.outcomes[name] = outcome = _outcome(name, one)
        if outcome.kind != NOTHING_NEW:  # which is found out again in no time
            self.journal.add(name, {"answer": outcome.answer, "exit_code": outcome.exit_code})
        self.on_end(outcome, len(self.outcomes), len(self.every))

    def _break_off(self, under_way: Mapping[Future[Mapping[str, Any]], str]) -> None:
        """Let no model begin, and wait for those that have."""
        for one in under_way:
            one.cancel()
        self.engine.stop()
        for one, name in under_way.items():
            if not one.cancelled() and not isinstance(one.exception(), KeyboardInterrupt):
                self.outcomes[name] = _outcome(name, one)

    def _fates(
        self, before: Mapping[str, str | None], under_way: Mapping[Future[Mapping[str, Any]], str]
    ) -> Iterator[tuple[str, str]]:
        """Of each model what became of it, after an interruption."""
        begun = {name for one, name in under_way.items() if not one.cancelled()}
        for name in self.every:
            outcome = self.outcomes.get(name)
            if serving(self.models, name) != before[name] or (outcome and outcome.answer.get("promoted")):
                yield name, PROMOTED
            elif outcome is not None:
                yield name, "Failed" if outcome.exit_code else "Kept"
            else:
                yield name, BROKEN_OFF if name in begun else NOT_REACHED


def _outcome(name: str, ended: Future[Mapping[str, Any]]) -> Outcome:
    """What a model's thread has come to, be it an error that nobody foresaw."""
    error = ended.exception()
    if error is None:
        return Outcome(name, 0, ended.result())
    told = foreseen(error)
    fields = {"kind": told.kind, "message": told.message, "fix": told.fix, "exit_code": told.exit_code}
    return Outcome(name, told.exit_code, {"error": fields})


def _so_far(fates: Iterator[tuple[str, str]]) -> str:
    """The models of each fate."""
    known = list(fates)
    named = (
        (fate, [name for name, one in known if one == fate])
        for fate in (PROMOTED, "Kept", "Failed", BROKEN_OFF, NOT_REACHED)
    )
    return " ".join(f"{fate}: {some(names)}." for fate, names in named if names)
