"""What a page does not claim, so that nobody reads it there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stockcast.evaluate.verdict import RULES
from stockcast.view.report.records import Bullets, PageSection


def claims_section(scores: Mapping[str, Any]) -> PageSection:
    """What does not follow from the page; `scores` are the manifest's."""
    verdict = scores.get("verdict")
    level = verdict and verdict["level"]["word"] == RULES["level"].below
    direction = verdict and verdict["direction"]["word"] == RULES["direction"].above
    sentences = []
    if not (level or direction):
        sentences.append(
            "That the price can be foretold. There is no evidence here of skill in the level or in direction: the "
            "middle of the fan is no tip."
        )
    sentences += [
        "That the bands will hold tomorrow as they held before. They are made from the past, and markets change.",
        "That a model without evidence against it is good. Absence of evidence says how few days there were.",
        "That anything was earned. No costs, no spread, no tax and no sizes of positions are in these figures.",
        "That the inputs cause the moves. What the model looks at is what it uses, not why prices move.",
        "That this is advice. It is a measurement, with its errors beside it.",
    ]
    return PageSection("claims", "What is not claimed", (Bullets(tuple(sentences)),))
