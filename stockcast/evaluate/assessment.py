"""A model and its baselines judged on the same cutoffs: the rows, every score, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stockcast.data.forecast import Judged
from stockcast.evaluate.directions import DirectionVerdict, judge_directions
from stockcast.evaluate.steps import NaiveErrors, Scores, score
from stockcast.evaluate.verdict import Verdict, verdict


@dataclass(frozen=True)
class Assessment:
    """What the held-out part says, of prices and, where they were forecast, of `directions`.

    `scores` has "model" and each baseline by name, one record a step.
    """

    judged: Judged
    baselines: Mapping[str, Judged]
    scores: Mapping[str, tuple[Scores, ...]]
    verdict: Verdict
    directions: DirectionVerdict | None

    @property
    def rows(self) -> list[Judged]:
        """The model's rows, then the baselines'."""
        return [self.judged, *self.baselines.values()]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and the manifest."""
        return {
            "cutoffs": {"first": str(self.judged.cutoff.min()), "last": str(self.judged.cutoff.max())},
            "models": {name: [one.as_dict() for one in steps] for name, steps in self.scores.items()},
            "verdict": self.verdict.as_dict(),
            "directions": None if self.directions is None else self.directions.as_dict(),
        }


def assess(judged: Judged, baselines: Mapping[str, Judged], training: NaiveErrors) -> Assessment:
    """Judge a model beside baselines on the same cutoffs; `training` has the units of MASE and RMSSE."""
    scores = {name: score(one, training) for name, one in {"model": judged, **baselines}.items()}
    return Assessment(judged, baselines, scores, verdict(judged, baselines), judge_directions(judged))
