"""The records of a night: what was asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.errors import StockcastError
from stockcast.jobs.fetch import FetchResult
from stockcast.jobs.live.failures import FailedModel
from stockcast.ledger.records import Issue
from stockcast.view.nightly import failed_sentence, night_summary


@dataclass(frozen=True)
class NightRequest:
    """What the user asked for: the models `names`, or every one; a `report` folder if pages are wanted.

    `jobs` models are worked on at once; `on` is the address of a cluster that trains instead. A `dry_run` changes
    nothing: no version, no record, no page.
    """

    store: Path
    names: tuple[str, ...] = ()
    report: Path | None = None
    jobs: int = 1
    dry_run: bool = False
    on: str | None = None


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
        retrained = None if "error" in self.retrained else dict(self.retrained)
        return {"name": self.name, "retrain": retrained, "failed": failed}


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
