"""What `score` prints: the record of a model as a backtest's, or a line for each of many models or parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from stockcast.evaluate.assessment import Assessment
from stockcast.evaluate.directions import direction_lines
from stockcast.evaluate.live import ROLLING, Contest, RecordCounts, Rolling, days_to_tell
from stockcast.evaluate.steps import Scores
from stockcast.evaluate.wording import p_value
from stockcast.view.text import number, percent_text, table

CALLED = {"naive": "the last price", "ewma": "EWMA", "har": "HAR"}
"""What an opponent is called in a sentence."""

EARNED = ("skill", "wrong", "worse", "too narrow", "too wide", "kept", "sharper", "blunter")
"""Words that a test has earned; all others say that none did."""


def record_title(name: str, assessment: Assessment) -> str:
    """Whose record it is, and from when."""
    evaluated = assessment.evaluated
    days = len(np.unique(evaluated.origin))
    return f"{name}: live forecasts from {days} days, {evaluated.origin.min()} to {evaluated.origin.max()}"


def record_sentences(
    assessment: Assessment,
    beside: Sequence[Contest],
    rolled: Rolling | None,
    days: int,
    enough_on: np.datetime64 | None,
) -> list[str]:
    """The opponents, the last sessions, and the verdict where the days suffice for one."""
    lines = [_against(beside)] if beside else []
    if rolled is not None:
        ratios = ", ".join(f"{one[-1]:.3f} of {CALLED.get(name, name)}'s" for name, one in rolled.ratio.items())
        lines.append(
            f"Over the last {ROLLING} sessions, one step ahead: the 80 % band held {100 * rolled.coverage[-1]:.1f} % "
            f"({100 * rolled.low:.1f} to {100 * rolled.high:.1f} %)" + (f", pinball loss {ratios}." if ratios else ".")
        )
    few = days < days_to_tell(1)
    if few:
        when = f", around {enough_on} at this pace" if enough_on is not None else ""
        lines.append(f"Too few days to tell: {days} of {days_to_tell(1)} that tell a band ten points too narrow{when}.")
    if not few or _has_earned(assessment):
        lines += [*assessment.verdict.sentences(), *direction_lines(assessment.directions)]
    return lines


def _against(beside: Sequence[Contest]) -> str:
    first = [one for one in beside if one.step == 1]
    words = [f"{one.ratio:.3f} of {CALLED.get(one.opponent, one.opponent)}'s ({p_value(one.p)})" for one in first]
    return f"Pinball loss one step ahead: {', '.join(words)}."


def _has_earned(assessment: Assessment) -> bool:
    verdict = assessment.verdict
    topics = (verdict.level, verdict.direction, verdict.bands, verdict.sharpness)
    return any(one is not None and one.word in EARNED for one in topics)


_NOT_SCORED = {
    "waiting": "{} waiting for their session",
    "late": "{} issued too late",
    "superseded": "{} issued again",
    "void": "{} void, for their session has no price",
    "overdue": "{} whose price never came",
}
_BESIDES = {
    "skipped": "{} session{s} passed without a forecast.",
    "revisions": "{} outcome{s} {were} another in a later download; the first counts.",
    "changed": "{} origin{s} {have} another return in these prices than when the forecast was made.",
    "of_other_prices": "{} prediction{s} of another price column {were} left out.",
}


def champion_sentence(name: str, version: str, scores: Mapping[str, Sequence[Scores]], days: int) -> str:
    """How a version did live, one step ahead, in a line: `scores` has "model" and its opponents."""
    mine = scores["model"][0]
    held = next(band for band in mine.bands if band.level == 0.8)
    ratios = [
        f"{mine.pinball / each[0].pinball:.3f} of {CALLED.get(other, other)}'s"
        for other, each in scores.items()
        if other != "model" and each[0].pinball > 0
    ]
    return (
        f"{name}: {version} has been live for {days} judged day{'s' * (days != 1)}: the 80 % band held "
        f"{100 * held.coverage:.1f} % ({100 * held.low:.1f} to {100 * held.high:.1f} %)"
        + (f", pinball loss {', '.join(ratios)}." if ratios else ".")
    )


def count_sentences(record: RecordCounts) -> list[str]:
    """What was not scored and why, and what else a reader should know."""
    counts: dict[str, int] = asdict(record)
    left = [words.format(f"{counts[key]:,}") for key, words in _NOT_SCORED.items() if counts[key]]
    lines = [f"{counts['scored']:,} forecasts scored" + (f"; not scored: {', '.join(left)}." if left else ".")]
    for key, words in _BESIDES.items():
        number = counts[key]
        if number:
            one = number == 1
            lines.append(
                words.format(
                    f"{number:,}", s="" if one else "s", were="was" if one else "were", have="has" if one else "have"
                )
            )
    return lines


def identity_sentences(renamed: Mapping[str, str], strangers: Sequence[str], left_out: Sequence[str]) -> list[str]:
    """What was assumed or refused about the series, and which opponents could not be compared with."""
    lines = [f"{old} is found as {new} now, by its returns." for old, new in renamed.items()]
    lines += [
        f"The prices under the name {name} are another series' now: more than a fifth of the recorded sessions have "
        "other returns. No outcome is taken from them."
        for name in strangers
    ]
    return lines + [
        f"{CALLED.get(name, name)} stands beside some of these forecasts only, and is left out." for name in left_out
    ]


def parts_table(parts: Mapping[str, Mapping[str, Sequence[Scores]]], what: str) -> str:
    """One step ahead, a line for each part of a record: the model's loss, its ratio to each opponent's, coverage."""
    opponents = list(dict.fromkeys(name for each in parts.values() for name in each if name != "model"))
    head = [what, "days", "n", "pinball %", *(f"/ {CALLED.get(name, name)}" for name in opponents)]
    head += ["50 % held", "80 % held", "95 % held"]
    return table(head, [_part(label, each, opponents) for label, each in parts.items()])


def _part(label: str, each: Mapping[str, Sequence[Scores]], opponents: Sequence[str]) -> list[str]:
    mine = each["model"][0]
    if not mine.n:
        return [label, "0", "0"]
    held = {band.level: percent_text(band.coverage) for band in mine.bands}
    ratios = [f"{mine.pinball / each[name][0].pinball:.3f}" if name in each else "-" for name in opponents]
    return [label, str(mine.days), f"{mine.n:,}", number(mine.pinball, 4), *ratios, held[0.5], held[0.8], held[0.95]]
