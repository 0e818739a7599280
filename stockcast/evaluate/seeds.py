"""How much of a result is the seed's: the same training several times over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.data.series import Floats
from stockcast.evaluate.assessment import Assessment
from stockcast.evaluate.scores import relative
from stockcast.evaluate.steps import jsonable


@dataclass(frozen=True)
class SeedSpread:
    """Mean and standard deviation over `seeds` trainings, at each step, of two ratios to the last price's own.

    `rmse` and `pinball` are of the errors in percent of the last price; below 1 is better than the last price.
    """

    seeds: int
    rmse: tuple[float, ...]
    rmse_spread: tuple[float, ...]
    pinball: tuple[float, ...]
    pinball_spread: tuple[float, ...]

    def sentence(self) -> str:
        """One plain sentence; it says where the spread is larger than the gain."""
        if math.isnan(self.rmse[0]):
            return f"Over {self.seeds} seeds the last price had no error to compare with."
        words = (
            f"Over {self.seeds} seeds the RMSE one step ahead is {self.rmse[0]:.4f} "
            f"(spread {self.rmse_spread[0]:.4f}) times the last price's, "
            f"the pinball loss {self.pinball[0]:.4f} ({self.pinball_spread[0]:.4f})."
        )
        gain = 1 - self.rmse[0]
        if self.rmse_spread[0] > gain:
            words += " The spread between seeds exceeds the gain in RMSE over the last price."
        return words

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**jsonable(self), "sentence": self.sentence()}


def seed_spread(assessments: Sequence[Assessment]) -> SeedSpread:
    """The spread over assessments of the same origins that differ in the seed alone; at least two."""
    rmse = np.array([_ratios(one, "rmse_percent") for one in assessments])  # (seeds, H)
    pinball = np.array([_ratios(one, "pinball") for one in assessments])
    return SeedSpread(len(assessments), *_mean_and_spread(rmse), *_mean_and_spread(pinball))


def _ratios(one: Assessment, measure: str) -> list[float]:
    pairs = zip(one.scores["model"], one.scores["naive"], strict=True)
    return [relative(getattr(mine, measure), getattr(naive, measure)) for mine, naive in pairs]


def _mean_and_spread(values: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return tuple(values.mean(axis=0).tolist()), tuple(values.std(axis=0, ddof=1).tolist())
