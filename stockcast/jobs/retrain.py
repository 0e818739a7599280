"""`stockcast retrain`: one run at a time may change a model, and leaves a line in its log.

Nothing heavy is imported here: of many runs that come at once, all but one end in this module.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from stockcast.errors import ModelDamaged
from stockcast.store.store import Store

if TYPE_CHECKING:
    from stockcast.evaluate.gate import Decision
    from stockcast.jobs.source import Say


@dataclass(frozen=True)
class RetrainRequest:
    """What the user asked for, of one model; `max_age` in days, None to leave it as it is."""

    store: Path
    name: str
    csvs: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False
    max_age: int | None = None


@dataclass(frozen=True)
class Retrained:
    """What came of one retraining; `decision` is None where there was nothing new to learn from."""

    name: str
    promoted: bool
    reason: str
    version: str
    decision: Decision | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` and the log give it."""
        return {
            "name": self.name,
            "promoted": self.promoted,
            "reason": self.reason,
            "version": self.version,
            "gate": None if self.decision is None else self.decision.as_dict(),
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        what = f"{self.version} serves now" if self.promoted else f"{self.version} goes on serving"
        return f"{self.name}: {what}; {self.reason}."


def retrain(request: RetrainRequest, say: Say) -> Retrained:
    """Train a challenger and promote it if it is not worse on the newest sessions, which neither has seen.

    The lock is taken first. Raises `NotFound`, `Busy` at once if another run holds it, and any other error of a
    training; the champion then serves as before, and the log says why.
    """
    begin = perf_counter()
    store = Store(request.store)
    with suppress(ModelDamaged):  # which is found again under the lock, and logged
        store.champion(request.name)  # a model that isn't there gets no folder
    with store.lock(request.name):
        try:
            return _retrain(request, store, begin, say)
        except Exception as error:  # whatever it is, the log tells of it, and it goes on its way
            _log_failure(store, request.name, error)
            raise


def _retrain(request: RetrainRequest, store: Store, begin: float, say: Say) -> Retrained:
    from stockcast.jobs.news import read_news

    run = read_news(request, store, begin, say)
    if request.max_age is not None and not request.dry_run:
        store.limit_age(request.name, request.max_age)
    if not (run.has_news or request.force):
        return run.kept("nothing new", None)
    from stockcast.jobs.challenge import challenge

    return challenge(run, say)


def _log_failure(store: Store, name: str, error: Exception) -> None:
    from datetime import UTC, datetime

    from stockcast.store.records import log_line

    store.append_log(name, log_line("retrain failed", datetime.now(UTC), {"error": str(error)}))
