"""What `backtest` prints: every contestant at every step, the spread over seeds, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stockcast.evaluate.assessment import JUDGED, Assessment
from stockcast.evaluate.audit import Check
from stockcast.evaluate.directions import direction_lines
from stockcast.evaluate.seeds import SeedSpread
from stockcast.evaluate.steps import Scores
from stockcast.view.text import UNKNOWN, error_text, number, percent_text, ratio_text, table

SHOWN = (0.5, 0.8, 0.95)
"""The bands that a table has room for."""


def backtest_report(name: str, assessment: Assessment, folds: int, spread: SeedSpread | None) -> str:
    """A table of all contestants on the same cutoffs, then the configuration's verdict."""
    evaluated = assessment.evaluated
    days = len(np.unique(evaluated.origin))
    trained = "trained once before them" if folds == 1 else f"trained {folds} times on the way"
    title = f"Backtest from {days} days, {evaluated.origin.min()} to {evaluated.origin.max()}; {trained}"
    sentences = [
        *assessment.verdict.sentences(),
        *(assessment.risk.sentences() if assessment.risk else ()),
        *direction_lines(assessment.directions),
        *([spread.sentence()] if spread else []),
    ]
    return "\n".join([title, "", contest_table(name, assessment), "", *sentences])


def contest_table(name: str, assessment: Assessment) -> str:
    """One line a step and contestant; errors in the price's unit, or in percent of it over several series."""
    judged = assessment.scores[JUDGED]
    single = not math.isnan(judged[0].rmse)
    bands = _shown([band.level for steps in assessment.scores.values() for band in steps[0].bands])
    head = ["step", "model", "RMSE" if single else "RMSE %", "/ last price", "MASE", "pinball %", "/ last price"]
    head += [*(f"{100 * band:g} % held" for band in bands), "direction"]
    rows = [
        _row(name if label == JUDGED else label, steps[at], assessment.scores["naive"][at], single, bands)
        for at in range(len(judged))
        for label, steps in assessment.scores.items()
    ]
    return table(head, rows, left=2)


def _shown(levels: Sequence[float]) -> list[float]:
    """Of the bands that anyone has, the usual three, or else the first three."""
    return [band for band in SHOWN if band in levels] or sorted(set(levels))[: len(SHOWN)]


def _row(label: str, mine: Scores, naive: Scores, single: bool, bands: Sequence[float]) -> list[str]:
    error, usual = (mine.rmse, naive.rmse) if single else (mine.rmse_percent, naive.rmse_percent)
    coverage = {band.level: percent_text(band.coverage) for band in mine.bands}
    return [
        *(str(mine.step), label, error_text(error), ratio_text(error, usual), number(mine.mase, 3)),
        *(number(mine.pinball, 4), ratio_text(mine.pinball, naive.pinball)),
        *(coverage.get(band, UNKNOWN) for band in bands),
        percent_text(mine.direction),
    ]


def audit_report(checks: Sequence[Check]) -> str:
    """PASS or FAIL, a line a check."""
    return "\n".join(f"{'PASS' if check.passed else 'FAIL'}  {check.name}: {check.seen}." for check in checks)
