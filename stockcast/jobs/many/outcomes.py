"""What came of each model of a run over many, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stockcast.view.retrain import fleet_summary, outcome_sentence, with_warnings

FAILED, NOTHING_NEW = "failed", "nothing new"


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
