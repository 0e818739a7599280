"""What `judge` prints: all models of a row file on the same rows, and the verdict on each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stockcast.evaluate.assessment import Assessment
from stockcast.view.backtest import contest_table
from stockcast.view.text import printable, some


def judge_report(
    judged: Sequence[tuple[str, Assessment]], rows: int, training: tuple[str, str, int] | None, notes: Sequence[str]
) -> str:
    """A table of all contestants, the verdict on each judged model, and what was left out or not judged."""
    name, first = judged[0]
    days = np.unique(first.evaluated.origin)
    fitted = f"; baselines fitted on {training[2]:,} sessions, {training[0]} to {training[1]}" if training else ""
    title = (
        f"Judged {some([name for name, _ in judged])} on {rows:,} rows from {len(days)} days, {days[0]} to {days[-1]}"
    )
    lines = [f"{title}{fitted}", "", contest_table(name, first), ""]
    for name, one in judged:
        sentences = (*one.verdict.sentences(), *(one.risk.sentences() if one.risk else ()))
        lines += sentences if len(judged) == 1 else [f"{name}: {' '.join(sentences)}"]
    return "\n".join([*map(_clean, lines), *([""] if notes else []), *map(_clean, notes)])


def _clean(text: str) -> str:
    """Lines whose names come from a file, without what could steer a terminal."""
    return "\n".join(printable(line) for line in text.split("\n"))
