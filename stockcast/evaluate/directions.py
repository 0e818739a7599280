"""Probabilities of down, flat and up: their scores, and the test against the majority class and against chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast, labels_of
from stockcast.data.series import Floats
from stockcast.evaluate.power import FEW, separate_days
from stockcast.evaluate.significance import binomial_test, diebold_mariano, effective_size, holm
from stockcast.evaluate.steps import jsonable
from stockcast.evaluate.wording import p_value

ALPHA = 0.05


@dataclass(frozen=True)
class DirectionScores:
    """One step, over `n` forecasts whose outcome is known, worth so many separate `days`.

    - `accuracy` and `balanced_accuracy` (the mean over the classes that came) of the likeliest class;
    - `log_loss`, and `brier`: the mean squared distance of the probabilities from the outcome, summed over the classes;
    - `confusion`: rows are outcomes, columns forecasts, in the order of `Directions.labels`;
    - `majority`: the class that came most often, known in hindsight alone, and `majority_accuracy` of always saying it;
    - `p_majority`: Diebold-Mariano on the errors of both; `p_chance`: binomial, against the hits that a forecaster has
      who says each class as often, but at random. Both are corrected by Holm's method over the steps.
    """

    step: int
    n: int
    days: float
    accuracy: float
    balanced_accuracy: float
    log_loss: float
    brier: float
    confusion: tuple[tuple[int, ...], ...]
    majority: str
    majority_accuracy: float
    p_majority: float
    chance_accuracy: float
    p_chance: float


@dataclass(frozen=True)
class DirectionVerdict:
    """The scores of each step, and what may be said."""

    steps: tuple[DirectionScores, ...]

    @property
    def skilled(self) -> bool:
        """Whether some step is more often right than always saying the majority class, and that is no accident."""
        return any(one.p_majority < ALPHA and one.accuracy > one.majority_accuracy for one in self.steps)

    def sentence(self) -> str:
        """One plain sentence on the first step, or on the first that shows skill."""
        one = next((step for step in self.steps if step.p_majority < ALPHA), self.steps[0])
        word = "no evidence of skill" if one.days >= FEW else "too few days to tell of skill"
        if one.p_majority < ALPHA:
            word = "evidence of skill" if one.accuracy > one.majority_accuracy else "worse than the majority class"
        return (
            f"The likeliest class was right {100 * one.accuracy:.1f} % of {one.n} times, step {one.step}: {word} "
            f"(always {one.majority!r} {100 * one.majority_accuracy:.1f} %, {p_value(one.p_majority)}; "
            f"chance {100 * one.chance_accuracy:.1f} %, {p_value(one.p_chance)})."
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and the manifest."""
        return {"steps": [jsonable(one) for one in self.steps], "skilled": self.skilled, "sentence": self.sentence()}


def evaluate_directions(evaluated: EvaluatedForecast) -> DirectionVerdict | None:
    """The verdict on a forecast's probabilities; None for a forecast without any, or without a known outcome."""
    directions = evaluated.forecast.directions
    if directions is None or not np.isfinite(evaluated.actual).any(axis=0).all():
        return None
    day = np.unique(evaluated.origin, return_inverse=True)[1]
    came = np.sum(evaluated.actual[..., None] > directions.edges, axis=-1)  # (n, H)
    steps = []
    for at in range(evaluated.actual.shape[1]):
        known = np.isfinite(evaluated.actual[:, at])
        steps.append(_score(at + 1, came[known, at], directions.probabilities[known, at], day[known]))
    corrected = zip(holm([one.p_majority for one in steps]), holm([one.p_chance for one in steps]), strict=True)
    pairs = zip(steps, corrected, strict=True)
    return DirectionVerdict(tuple(replace(one, p_majority=first, p_chance=second) for one, (first, second) in pairs))


def _score(step: int, came: NDArray[np.int64], probabilities: Floats, day: NDArray[np.int64]) -> DirectionScores:
    from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

    labels = labels_of(probabilities.shape[-1])
    every = list(range(len(labels)))
    said = probabilities.argmax(axis=-1)
    confusion = confusion_matrix(came, said, labels=every)
    counts = confusion.sum(axis=1)
    majority = int(counts.argmax())
    hits, usual = (said == came).astype(np.float64), (came == majority).astype(np.float64)
    chance = float(counts @ confusion.sum(axis=0)) / len(came) ** 2
    size = effective_size(hits, day, step)
    return DirectionScores(
        step=step,
        n=len(came),
        days=separate_days(len(np.unique(day)), step),
        accuracy=float(accuracy_score(came, said)),
        balanced_accuracy=_mean_recall(confusion),
        log_loss=float(log_loss(came, probabilities, labels=every)),
        brier=float(np.mean(np.sum((probabilities - np.eye(len(labels))[came]) ** 2, axis=-1))),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        majority=labels[majority],
        majority_accuracy=float(usual.mean()),
        p_majority=diebold_mariano(1 - hits, 1 - usual, day, step).p,
        chance_accuracy=chance,
        p_chance=binomial_test(hits.mean() * size, size, chance).p if 0 < chance < 1 else math.nan,
    )


def _mean_recall(confusion: NDArray[np.int64]) -> float:
    came = confusion.sum(axis=1)
    return float(np.mean(np.diag(confusion)[came > 0] / came[came > 0]))


def direction_lines(verdict: DirectionVerdict | None) -> Sequence[str]:
    """What a report says of it: nothing, or one sentence."""
    return [] if verdict is None else [verdict.sentence()]
