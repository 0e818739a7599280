"""What `retrain` prints of a model, alone or among others, and of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def outcome_sentence(name: str, promoted: bool, version: str, reason: str) -> str:
    """What came of a retraining of model `name`: which version serves from now on, and why."""
    return f"{name}: {version} {'serves now' if promoted else 'goes on serving'}; {reason}."


def with_warnings(line: str, warnings: Sequence[str]) -> str:
    """A model's line, and below it what was found in its prices."""
    return "\n".join([line, *(f"  {warning}" for warning in warnings)])


def fleet_summary(counts: Mapping[str, int], failures: Mapping[str, str], seconds: float) -> str:
    """How many of all models came out how; each one that failed by its name, with the reason."""
    total = sum(counts.values())
    some = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    reasons = "".join(f"\n  {name}: {reason}" for name, reason in failures.items())
    return f"{total} model{'' if total == 1 else 's'} in {seconds:.1f} s: {some}.{reasons}"
