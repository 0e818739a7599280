"""A model and its baselines evaluated from the same origins: the rows, every score, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stockcast.data.forecast import EvaluatedForecast
from stockcast.evaluate.directions import DirectionVerdict, evaluate_directions
from stockcast.evaluate.levels import shared_levels
from stockcast.evaluate.risk import RiskVerdict, judge_risk
from stockcast.evaluate.steps import NaiveErrors, Scores, score
from stockcast.evaluate.verdict import Verdict, verdict

JUDGED = "model"
"""What the judged forecasts are called among the scores, so that no other contestant may be."""


@dataclass(frozen=True)
class Assessment:
    """What the held-out part says, of prices and, where they were forecast, of `directions`.

    `scores` has "model" and each baseline by name, one record a step. `risk` is of the lower tail, None without a 1 %
    quantile.
    """

    evaluated: EvaluatedForecast
    baselines: Mapping[str, EvaluatedForecast]
    scores: Mapping[str, tuple[Scores, ...]]
    verdict: Verdict
    directions: DirectionVerdict | None
    risk: RiskVerdict | None

    @property
    def rows(self) -> list[EvaluatedForecast]:
        """The model's rows, then the baselines'."""
        return [self.evaluated, *self.baselines.values()]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and the manifest."""
        return {
            "cutoffs": {"first": str(self.evaluated.origin.min()), "last": str(self.evaluated.origin.max())},
            "models": {name: [one.as_dict() for one in steps] for name, steps in self.scores.items()},
            "verdict": self.verdict.as_dict(),
            "directions": None if self.directions is None else self.directions.as_dict(),
            "risk": None if self.risk is None else self.risk.as_dict(),
        }


def unjudged(cutoff: str) -> dict[str, Any]:
    """`Assessment.as_dict` of a model that knows all prices up to `cutoff` (ISO), and was held against no later one."""
    return {
        "cutoffs": {"first": cutoff, "last": cutoff},
        "models": {},
        "verdict": None,
        "directions": None,
        "risk": None,
    }


def assess(
    evaluated: EvaluatedForecast, baselines: Mapping[str, EvaluatedForecast], training: NaiveErrors
) -> Assessment:
    """Judge a model beside baselines from the same origins; `training` has the units of MASE and RMSSE.

    Pinball losses are over the levels that all have who have any.
    """
    contestants = {JUDGED: evaluated, **baselines}
    shared = shared_levels([one.forecast.levels for one in contestants.values()])
    scores = {name: score(one, training, shared) for name, one in contestants.items()}
    risk = judge_risk(evaluated, baselines)
    return Assessment(evaluated, baselines, scores, verdict(evaluated, baselines), evaluate_directions(evaluated), risk)
