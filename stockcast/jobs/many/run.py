"""A run over many models: trained by an engine's workers, and what came of each one settled here.

Each model's part of the client's work, from its lock to its promotion, is done by one thread, of which as many run as
keep all workers busy. What goes wrong with a model is that model's failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from stockcast.errors import StockcastError, foreseen
from stockcast.jobs.many.outcomes import NOTHING_NEW, FleetResult, Outcome
from stockcast.store.interruption import deaf, serving
from stockcast.store.journal import Journal
from stockcast.store.store import Store
from stockcast.view.text import some

if TYPE_CHECKING:
    from stockcast.fleet.engines import Engine
    from stockcast.jobs.source import OnMessage

PROMOTED = "Promoted"
BROKEN_OFF = "Broken off, and served as before"
NOT_REACHED = "Not reached"

OnEnd = Callable[[Outcome, int, int], None]
"""Hears of each model as it ends, with how many have ended and how many there are."""

Work = Callable[[str, "Engine"], Mapping[str, Any]]
"""What is done with a model, by its name: the JSON object that its outcome is told by."""


def run_over(
    models: Store,
    every: Sequence[str],
    work: Work,
    engines: AbstractContextManager[Engine],
    journals: AbstractContextManager[Journal],
    on_end: OnEnd,
    on_message: OnMessage,
) -> FleetResult:
    """Do the `work` on `every` model. One that fails doesn't stop the others.

    An interruption breaks off those that are under way, and is handed on with what became of each model; a run that was
    killed is gone on with, as the journal has it.
    """
    begin = perf_counter()
    with journals as journal, engines as engine:
        earlier = {name: one for name in every if (one := _earlier(models, journal, name)) is not None}
        if earlier:
            began = datetime.fromtimestamp(journal.begun or 0.0).astimezone()
            on_message(f"Going on with the run of {began:%H:%M}: {len(earlier)} of {len(every)} models are done.")
        fleet = _Fleet(models, tuple(every), work, engine, journal, on_end, earlier)
        fleet.run()
    return FleetResult(tuple(fleet.outcomes[name] for name in every), perf_counter() - begin)


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
    work: Work
    engine: Engine
    journal: Journal
    on_end: OnEnd
    outcomes: dict[str, Outcome]

    def run(self) -> None:
        """Fill in all outcomes."""
        before = {name: serving(self.models, name) for name in self.every}
        with ThreadPoolExecutor(max_workers=self.engine.window) as pool:
            left = [name for name in self.every if name not in self.outcomes]
            under_way = {pool.submit(self.work, name, self.engine): name for name in left}
            try:
                for one in as_completed(under_way):
                    self._ended(under_way[one], one)
            except BaseException as stop:
                with deaf():
                    self._break_off(under_way)
                if isinstance(stop, KeyboardInterrupt):
                    stop.add_note(_so_far(self._fates(before, under_way)))
                raise

    def _ended(self, name: str, one: Future[Mapping[str, Any]]) -> None:
        """Take down what came of a model, and tell of it."""
        self._take_down(name, one)
        self.on_end(self.outcomes[name], len(self.outcomes), len(self.every))

    def _take_down(self, name: str, one: Future[Mapping[str, Any]]) -> None:
        self.outcomes[name] = outcome = _outcome(name, one)
        if outcome.kind != NOTHING_NEW:  # which is found out again in no time
            self.journal.add(name, {"answer": outcome.answer, "exit_code": outcome.exit_code})

    def _break_off(self, under_way: Mapping[Future[Mapping[str, Any]], str]) -> None:
        """Let no model begin, and wait for those that have: one that is being promoted comes to its end."""
        for one in under_way:
            one.cancel()
        self.engine.stop()
        for one, name in under_way.items():
            if name in self.outcomes or one.cancelled() or isinstance(one.exception(), KeyboardInterrupt):
                continue
            self._take_down(name, one)

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
