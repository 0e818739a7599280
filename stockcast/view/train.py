"""What `train` prints: the held-out scores beside the last price's, the verdict, and where the model is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockcast.evaluate.assessment import Assessment
from stockcast.evaluate.directions import direction_lines
from stockcast.evaluate.seeds import SeedSpread
from stockcast.evaluate.steps import Scores
from stockcast.view.text import error_text, ratio, table


def train_report(held_out: Assessment, spread: SeedSpread | None, saved: str) -> str:
    """The held-out part: its dates, the scores of each step and the verdict; then where the model was `saved`."""
    evaluated, scores = held_out.evaluated, held_out.scores
    cutoffs = len(np.unique(evaluated.origin))
    title = f"Held out: forecasts from {cutoffs} days, {evaluated.origin.min()} to {evaluated.origin.max()}"
    lines = [title, "", score_table(scores["model"], scores["naive"], scores["ewma"]), ""]
    lines += [*held_out.verdict.sentences(), *direction_lines(held_out.directions)]
    return "\n".join([*lines, *([spread.sentence()] if spread else []), "", saved])


def score_table(model: Sequence[Scores], naive: Sequence[Scores], ewma: Sequence[Scores]) -> str:
    """One line a step: the error beside the last price's, the pinball loss beside EWMA's, and how the bands held.

    Errors are in the price's unit for one series and in percent of the last price for several.
    """
    single = model[0].rmse == model[0].rmse  # NaN over several series
    unit = "" if single else " %"
    head = [
        "step",
        "days",
        f"RMSE{unit}",
        "last price",
        "ratio",
        "pinball %",
        "EWMA",
        "ratio",
        "80 % held",
        "95 % held",
    ]
    rows = []
    for mine, last, bands in zip(model, naive, ewma, strict=True):
        error, usual = (mine.rmse, last.rmse) if single else (mine.rmse_percent, last.rmse_percent)
        coverage = {band.level: f"{100 * band.coverage:.1f} %" for band in mine.bands}
        rows.append(
            [
                *(str(mine.step), str(mine.days), error_text(error), error_text(usual), ratio(error, usual)),
                *(f"{mine.pinball:.4f}", f"{bands.pinball:.4f}", ratio(mine.pinball, bands.pinball)),
                *(coverage[0.8], coverage[0.95]),
            ]
        )
    return table(head, rows)
