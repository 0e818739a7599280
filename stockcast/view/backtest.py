"""What `backtest` prints: every contestant at every step, the spread over seeds, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stockcast.evaluate.assessment import Assessment
from stockcast.evaluate.audit import Check
from stockcast.evaluate.directions import direction_lines
from stockcast.evaluate.seeds import SeedSpread
from stockcast.evaluate.steps import Scores
from stockcast.view.text import error_text, ratio, table


def backtest_report(name: str, assessment: Assessment, folds: int, spread: SeedSpread | None) -> str:
    """A table of all contestants on the same cutoffs, then the configuration's verdict."""
    evaluated = assessment.evaluated
    days = len(np.unique(evaluated.origin))
    trained = "trained once before them" if folds == 1 else f"trained {folds} times on the way"
    title = f"Backtest from {days} days, {evaluated.origin.min()} to {evaluated.origin.max()}; {trained}"
    sentences = [
        *assessment.verdict.sentences(),
        *direction_lines(assessment.directions),
        *([spread.sentence()] if spread else []),
    ]
    return "\n".join([title, "", contest_table(name, assessment), "", *sentences])


def contest_table(name: str, assessment: Assessment) -> str:
    """One line a step and contestant; errors in the price's unit, or in percent of it over several series."""
    single = not math.isnan(assessment.scores["model"][0].rmse)
    head = ["step", "model", "RMSE" if single else "RMSE %", "/ last price", "MASE", "pinball %", "/ last price"]
    head += ["50 % held", "80 % held", "95 % held", "direction"]
    rows = [
        _row(name if label == "model" else label, steps[step], assessment.scores["naive"][step], single)
        for step in range(evaluated_steps(assessment))
        for label, steps in assessment.scores.items()
    ]
    return table(head, rows, left=2)


def evaluated_steps(assessment: Assessment) -> int:
    """How many steps were judged."""
    return len(assessment.scores["model"])


def _row(label: str, mine: Scores, naive: Scores, single: bool) -> list[str]:
    error, usual = (mine.rmse, naive.rmse) if single else (mine.rmse_percent, naive.rmse_percent)
    coverage = {band.level: f"{100 * band.coverage:.1f} %" for band in mine.bands}
    return [
        *(
            str(mine.step),
            label,
            error_text(error),
            ratio(error, usual),
            "-" if math.isnan(mine.mase) else f"{mine.mase:.3f}",
        ),
        *(f"{mine.pinball:.4f}", ratio(mine.pinball, naive.pinball)),
        *(coverage[0.5], coverage[0.8], coverage[0.95], f"{100 * mine.direction:.1f} %"),
    ]


def audit_report(checks: Sequence[Check]) -> str:
    """PASS or FAIL, a line a check."""
    return "\n".join(f"{'PASS' if check.passed else 'FAIL'}  {check.name}: {check.seen}." for check in checks)
