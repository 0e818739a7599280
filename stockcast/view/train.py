"""What `train` prints: the held-out scores beside the last price's, the verdict, and where the model is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from stockcast.evaluate.assessment import Assessment
from stockcast.evaluate.directions import direction_lines
from stockcast.evaluate.seeds import SeedSpread
from stockcast.evaluate.steps import Scores
from stockcast.evaluate.verdict import OPPONENTS
from stockcast.view.text import error_text, number, percent_text, ratio_text, table

ONE_PANEL = (
    "One model over all files (without --each) is cheaper, and more accurate on the stocks it was measured on: "
    "a pinball loss of 0.975 times EWMA's one step ahead, against 0.983 for a model each (benchmarks/QUALITY.md)."
)


def unjudged_report(cutoff: str, saved: str) -> str:
    """That nothing was held out after `cutoff` (ISO), in the place of scores; then where the model was `saved`."""
    return "\n".join([*unjudged_lines(cutoff), "", saved])


def unjudged_lines(cutoff: str) -> list[str]:
    """What stands in the place of a verdict."""
    return [
        f"Not judged: training knows the prices up to {cutoff}, and no forecast could be held against a later one.",
        "How good these settings are, a training with a test part tells (--set split.test=0.15), or a backtest.",
    ]


def train_report(held_out: Assessment, spread: SeedSpread | None, saved: str) -> str:
    """The held-out part: its dates, the scores of each step and the verdict; then where the model was `saved`."""
    evaluated, scores = held_out.evaluated, held_out.scores
    cutoffs = len(np.unique(evaluated.origin))
    title = f"Held out: forecasts from {cutoffs} days, {evaluated.origin.min()} to {evaluated.origin.max()}"
    lines = [title, "", score_table(scores), ""]
    lines += [*held_out.verdict.sentences(), *direction_lines(held_out.directions)]
    return "\n".join([*lines, *([spread.sentence()] if spread else []), "", saved])


def score_table(scores: Mapping[str, Sequence[Scores]]) -> str:
    """One line a step: the error beside the last price's, the pinball loss beside that of others, and how bands held.

    Errors are in the price's unit for one series and in percent of the last price for several.
    """
    model, naive = scores["model"], scores["naive"]
    others = [name for name in scores if name in OPPONENTS]
    single = not math.isnan(model[0].rmse)
    head = ["step", "days", "RMSE" if single else "RMSE %", "last price", "ratio", "pinball %"]
    head += [*(f"/ {name.upper()}" for name in others), "80 % held", "95 % held"]
    rows = []
    for step, (mine, last) in enumerate(zip(model, naive, strict=True)):
        error, usual = (mine.rmse, last.rmse) if single else (mine.rmse_percent, last.rmse_percent)
        coverage = {band.level: percent_text(band.coverage) for band in mine.bands}
        rows.append(
            [
                *(str(mine.step), str(mine.days), error_text(error), error_text(usual), ratio_text(error, usual)),
                number(mine.pinball, 4),
                *(ratio_text(mine.pinball, scores[name][step].pinball) for name in others),
                *(coverage[0.8], coverage[0.95]),
            ]
        )
    return table(head, rows)
