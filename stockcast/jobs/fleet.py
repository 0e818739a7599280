"""`stockcast retrain` of several models: each in a process of its own, so that none can harm another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.jobs.retrain_records import RetrainRequest
from stockcast.store.store import Store
from stockcast.view.retrain import outcome_sentence


@dataclass(frozen=True)
class Outcome:
    """What one model's process said: its JSON object, and its exit code."""

    name: str
    exit_code: int
    answer: dict[str, Any]

    def __str__(self) -> str:
        if "error" in self.answer:
            return f"{self.name}: failed: {self.answer['error']['message']}"
        return outcome_sentence(self.name, *(self.answer[key] for key in ("promoted", "version", "reason")))


@dataclass(frozen=True)
class FleetResult:
    """The outcome of every model."""

    outcomes: tuple[Outcome, ...]

    @property
    def exit_code(self) -> int:
        """1 if any model failed."""
        return int(any(one.exit_code for one in self.outcomes))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"models": [{"exit_code": one.exit_code, "name": one.name, **one.answer} for one in self.outcomes]}


def retrain_fleet(store: Path, names: Sequence[str], request: RetrainRequest, jobs: int) -> FleetResult:
    """Retrain `names`, or every model of the store, `jobs` at once. One that fails doesn't stop the others.

    Raises `NotFound` if the store has no model: a schedule that finds nothing to do night after night is mistaken.
    """
    every = tuple(dict.fromkeys(names)) or Store(store).names() or (Store(store).only(),)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return FleetResult(tuple(pool.map(lambda name: _in_own_process(store, name, request), every)))


def _in_own_process(store: Path, name: str, request: RetrainRequest) -> Outcome:
    flags = ["--dry-run"] * request.dry_run + ["--force"] * request.force
    flags += [] if request.max_age is None else ["--max-age", str(request.max_age)]
    # -P: a file of the user's own called click.py, where the command was run, is not the library.
    command = [sys.executable, "-P", "-m", "stockcast", "--store", str(store), "--json"]
    done = subprocess.run(
        [*command, "retrain", *flags, "--", name],
        env={key: value for key, value in os.environ.items() if not key.startswith("STOCKCAST_RETRAIN_")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
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
