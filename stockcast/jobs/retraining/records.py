"""The records of a retraining: what was asked for, how far it has come, and what came of it.

Nothing heavy is imported here, so that a run that is refused the lock stays cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from stockcast.store.manifest import fingerprint
from stockcast.store.records import dump_line, log_line, sha256
from stockcast.store.store import Store
from stockcast.view.retrain import outcome_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stockcast.evaluate.gate import Decision
    from stockcast.jobs.past.comparison import Compared
    from stockcast.reading.records import Hints, PanelRead
    from stockcast.store.manifest import Manifest


@dataclass(frozen=True)
class RetrainRequest:
    """What the user asked for, of one model; `max_age` in days, None to leave it as it is; `accept`: see `Hints`."""

    store: Path
    name: str
    csvs: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False
    max_age: int | None = None
    accept: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Retrained:
    """What came of one retraining; `decision` is None where there was nothing new to learn from.

    `warnings` are what was found in the prices, as `train` says it, and `past` how they have changed since then.
    """

    name: str
    promoted: bool
    reason: str
    version: str
    decision: Decision | None
    seconds: float
    warnings: tuple[str, ...]
    past: tuple[Mapping[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` and the log give it."""
        return {
            "name": self.name,
            "promoted": self.promoted,
            "reason": self.reason,
            "version": self.version,
            "gate": None if self.decision is None else self.decision.as_dict(),
            "seconds": round(self.seconds, 2),
            "warnings": list(self.warnings),
            "past": list(self.past),
        }

    def __str__(self) -> str:
        return outcome_sentence(self.name, self.promoted, self.version, self.reason)


@dataclass(frozen=True)
class Run:
    """A retraining under way: `manifest` is the champion's, `past` its newest prices and how they have changed.

    `begin`: when the run began; `hints` say how the prices were read, and how they will be.
    """

    request: RetrainRequest
    store: Store
    manifest: Manifest
    past: Compared
    begin: float
    hints: Hints

    @property
    def read(self) -> PanelRead:
        """The prices."""
        return self.past.read

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that was found in the prices."""
        from stockcast.jobs.source import found_in, left_out

        return (*left_out(self.read), *found_in(self.read.files), *self.past.said)

    @property
    def nothing_new(self) -> str | None:
        """A sentence if no series of the model has a row that it, or a challenger that was rejected, has not seen."""
        newest = {one.name: str(one.dates[-1]) for one in self.read.panel.series}
        if not any(newest.get(one["name"], "") > one["last"] for one in self.manifest.data):
            return "nothing new"
        if self._prices_digest() == self.store.champion(self.request.name).rejected:
            return "nothing new since a challenger was rejected on these prices"
        return None

    def _prices_digest(self) -> str:
        """The SHA-256 of the fingerprints of all series."""
        return sha256(dump_line({one.name: fingerprint(one) for one in self.read.panel.series}))

    def kept(self, reason: str, decision: Decision | None) -> Retrained:
        """The champion stays, and the log says why; a dry run writes nothing at all."""
        result = self.ended(False, reason, self.manifest.version, decision)
        if not self.request.dry_run:
            line = log_line("retrain", datetime.now(UTC), result.to_dict())
            self.store.append_log(self.request.name, line)
        return result

    def rejected(self, reason: str, decision: Decision) -> Retrained:
        """The same of a challenger that was judged; it is remembered, so that the next run does not train it again."""
        result = self.ended(False, reason, self.manifest.version, decision)
        if not self.request.dry_run:
            line = log_line("retrain", datetime.now(UTC), result.to_dict())
            self.store.reject(self.request.name, self._prices_digest(), line)
        return result

    def ended(self, promoted: bool, reason: str, version: str, decision: Decision | None) -> Retrained:
        """The result, with the time that it took."""
        seconds = perf_counter() - self.begin
        changes = tuple(self.past.to_list())
        return Retrained(self.request.name, promoted, reason, version, decision, seconds, self.warnings, changes)
