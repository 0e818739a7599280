"""What `nightly` prints: a line for mail, and a line for whatever a person should look at."""

from __future__ import annotations

from collections.abc import Mapping


def night_summary(
    counts: Mapping[str, int], recorded: Mapping[str, int] | None, scored: int, page: str | None, seconds: float
) -> str:
    """All of a night in a line: how the models came out, what was recorded and judged, and where the page is.

    `recorded` are the forecasts of the ledger's receipt by what became of them; None where nothing was to be recorded.
    """
    total = sum(counts.values())
    models = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    parts = [models or "nothing to do"]
    if recorded is not None:
        kept = f"{recorded['live']} forecasts recorded"
        left = [f"{recorded[key]} {key}" for key in ("late", "superseded") if recorded[key]]
        parts += [kept + (f" ({', '.join(left)})" if left else "")]
        parts += [f"{scored:,} judged so far"]
    if page is not None:
        parts.append(f"page {page}")
    return f"{total} model{'s' * (total != 1)} in {seconds:.0f} s: {'; '.join(parts)}."


def missed_sentence(name: str, sessions: int, since: object) -> str:
    """How many sessions of a model passed without a forecast since the last one but tonight's."""
    one = sessions == 1
    return f"{name}: {sessions} session{'' if one else 's'} since {since} passed without a forecast; none is made up."


def failed_sentence(name: str, step: str, reason: str) -> str:
    """Which step of a model failed, and why."""
    return f"{name}: {step} failed: {reason}"
