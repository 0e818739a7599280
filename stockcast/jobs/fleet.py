"""`stockcast retrain` of several models: each in a process of its own, so that none can harm another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic, perf_counter
from typing import Any

from stockcast.jobs.retraining.records import RetrainRequest
from stockcast.store.interruption import deaf, serving
from stockcast.store.store import Store
from stockcast.view.retrain import fleet_summary, outcome_sentence, with_warnings
from stockcast.view.text import some

FAILED, NOTHING_NEW = "failed", "nothing new"

PATIENCE: float = 10
"""Seconds that a process has to end in when it is interrupted."""

PROMOTED = "Promoted"
BROKEN_OFF = "Broken off, and served as before"


@dataclass(frozen=True)
class Outcome:
    """What one model's process said: its JSON object, and its exit code."""

    name: str
    exit_code: int
    answer: dict[str, Any]

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
        kinds = [one.kind for one in self.outcomes]
        return {kind: kinds.count(kind) for kind in ("promoted", "kept", NOTHING_NEW, FAILED)}

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


def retrain_fleet(
    store: Path,
    names: Sequence[str],
    request: RetrainRequest,
    jobs: int,
    on_end: Callable[[Outcome, int, int], None] = lambda outcome, done, total: None,
) -> FleetResult:
    """Retrain `names`, or every model of the store, `jobs` at once. One that fails doesn't stop the others.

    `on_end` hears of each model as it ends, with how many have ended and how many there are. An interruption ends those
    that are under way, and is handed on with what became of each model. Raises `NotFound` if the store has no model: a
    schedule that finds nothing to do night after night is mistaken.
    """
    models = Store(store)
    every = tuple(dict.fromkeys(map(models.find, names))) or models.names() or (models.only(),)
    before = {name: serving(models, name) for name in every}
    children, begin = _Children(), perf_counter()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        under_way = {name: pool.submit(_in_own_process, store, name, request, children) for name in every}
        try:
            for done, one in enumerate(as_completed(under_way.values()), start=1):
                on_end(one.result(), done, len(every))
        except KeyboardInterrupt as stop:
            with deaf():
                begun = {name: one.done() for name, one in under_way.items() if not one.cancel()}
                children.end()
                outcomes = {name: under_way[name].result() for name in begun}
            fates = dict.fromkeys(every, "Not reached")
            fates |= {name: _fate(one, ended=begun[name]) for name, one in outcomes.items()}
            fates |= {name: PROMOTED for name in every if serving(models, name) != before[name]}
            stop.add_note(_so_far(fates))
            raise
    return FleetResult(tuple(one.result() for one in under_way.values()), perf_counter() - begin)


def _fate(outcome: Outcome, ended: bool) -> str:
    """What became of a model whose process had `ended` by itself when the fleet was interrupted, or was ended then."""
    if "error" not in outcome.answer:
        return PROMOTED if outcome.answer["promoted"] else "Kept"
    kind = outcome.answer["error"]["kind"]
    return BROKEN_OFF if kind == "interrupted" or (kind == "died" and not ended) else "Failed"


def _so_far(fates: Mapping[str, str]) -> str:
    """The models of each fate."""
    named = (
        (fate, [name for name, one in fates.items() if one == fate])
        for fate in (PROMOTED, "Kept", "Failed", BROKEN_OFF, "Not reached")
    )
    return " ".join(f"{fate}: {some(names)}." for fate, names in named if names)


class _Children:
    """The processes that are under way: all can be ended from another thread than those that wait for them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: list[subprocess.Popen[str]] = []
        self._ended = False

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """What a process says, and its exit code; once all were ended none begins, as if it had been interrupted."""
        with self._lock:
            if self._ended:
                return subprocess.CompletedProcess(command, -signal.SIGINT, "", "")
            child = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            self._running.append(child)
        out, err = child.communicate()
        return subprocess.CompletedProcess(command, child.returncode, out, err)

    def end(self) -> None:
        """Interrupt them all, and kill those that have not ended after `PATIENCE`: a model is whole all the same."""
        with self._lock:
            self._ended = True
        for child in self._running:
            child.send_signal(signal.SIGINT)
        deadline = monotonic() + PATIENCE
        for child in self._running:
            try:
                child.wait(max(deadline - monotonic(), 0))
            except subprocess.TimeoutExpired:
                child.kill()


def _in_own_process(store: Path, name: str, request: RetrainRequest, children: _Children) -> Outcome:
    flags = ["--dry-run"] * request.dry_run + ["--force"] * request.force
    flags += [] if request.max_age is None else ["--max-age", str(request.max_age)]
    # -P: a file of the user's own called click.py, where the command was run, is not the library.
    command = [sys.executable, "-P", "-m", "stockcast", "--store", str(store), "--json", "retrain", *flags, "--", name]
    done = children.run(
        command, {key: value for key, value in os.environ.items() if not key.startswith("STOCKCAST_RETRAIN_")}
    )
    return Outcome(name, done.returncode, _answer(done))


def _answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Its JSON object; a process that was killed leaves none, and that is said."""
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        message = f"its process ended with {done.returncode}: {last[0]}"
        return {"error": {"kind": "died", "message": message, "fix": None, "exit_code": done.returncode}}
    return answer
