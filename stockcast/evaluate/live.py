"""What a live record adds to an evaluation: pinball loss against each opponent, the last sessions, and days enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import Dates, Floats
from stockcast.evaluate import scores
from stockcast.evaluate.power import FEW, separate_days
from stockcast.evaluate.significance import binomial_interval, daily_mean, diebold_mariano, effective_size, holm
from stockcast.evaluate.steps import Step, steps_of

ROLLING = 60
"""Sessions of the rolling figures: a quarter of a year."""

ROLLING_BAND = 0.8


@dataclass(frozen=True)
class Contest:
    """Pinball loss at one step beside an opponent's: their ratio, and the p of Diebold-Mariano, by Holm over steps."""

    opponent: str
    step: int
    ratio: float
    p: float


@dataclass(frozen=True)
class RecordCounts:
    """What was scored and what was not: forecasts, but for `skipped` and `changed`, which are sessions.

    - `scored`, and `waiting` for their session; `late`, `superseded`: issued too late, or again;
    - `void`: the session did not take place; `overdue`: its price never came;
    - `revisions`: scored ones whose outcome was another in a later download;
    - `skipped`: sessions without a forecast; `changed`: origins whose own session has another return now;
    - `of_other_prices`: predictions of another column of the prices.
    """

    scored: int
    waiting: int
    late: int
    superseded: int
    void: int
    overdue: int
    revisions: int
    skipped: int
    changed: int
    of_other_prices: int


def total_counts(every: Sequence[RecordCounts]) -> RecordCounts:
    """The counts of several records together."""
    return RecordCounts(
        **{one.name: sum(getattr(counts, one.name) for counts in every) for one in fields(RecordCounts)}
    )


def contests(model: EvaluatedForecast, opponents: Mapping[str, EvaluatedForecast]) -> tuple[Contest, ...]:
    """Every step beside every opponent, evaluated from the same origins."""
    found = []
    mine = steps_of(model)
    for name, other in opponents.items():
        pairs = [(one.pinball(), theirs.pinball(), one) for one, theirs in zip(mine, steps_of(other), strict=True)]
        p = holm([diebold_mariano(a, b, one.day, one.overlap, clustered=True).p for a, b, one in pairs])
        found += [
            Contest(name, one.number, scores.relative(scores.mean(a), scores.mean(b)), each)
            for (a, b, one), each in zip(pairs, p, strict=True)
        ]
    return tuple(found)


@dataclass(frozen=True)
class Rolling:
    """One step ahead over the last `ROLLING` sessions up to each of `days` (k,), origins: coverage and loss.

    `coverage` (k,) is that of the 80 % band, `low` and `high` the binomial 95 % interval of the newest; `ratio` maps
    each opponent to the pinball loss in units of its (k,).
    """

    days: Dates
    coverage: Floats
    low: float
    high: float
    ratio: Mapping[str, Floats]


def rolling(model: EvaluatedForecast, opponents: Mapping[str, EvaluatedForecast]) -> Rolling | None:
    """The rolling figures, oldest first; None where fewer sessions have been judged."""
    first = steps_of(model)[0]
    days = np.unique(model.origin)[np.unique(first.day)]
    if len(days) < ROLLING:
        return None
    hits = daily_mean(first.hits(ROLLING_BAND), first.day)
    loss = daily_mean(first.pinball(), first.day)
    others = {name: daily_mean(steps_of(one)[0].pinball(), first.day) for name, one in opponents.items()}
    return Rolling(
        days[ROLLING - 1 :],
        _moving_mean(hits),
        *_newest_interval(first),
        {name: _moving_mean(loss) / _moving_mean(other) for name, other in others.items()},
    )


def _newest_interval(step: Step) -> tuple[float, float]:
    """The interval of the coverage over the last `ROLLING` judged days."""
    newest = step.day >= np.unique(step.day)[-ROLLING]
    hits, day = step.hits(ROLLING_BAND)[newest], step.day[newest]
    size = effective_size(hits, day - day.min(), step.number)
    return binomial_interval(scores.mean(hits) * size, size)


def _moving_mean(daily: Floats) -> Floats:
    total = np.cumsum(np.concatenate([[0.0], daily]))
    return np.asarray((total[ROLLING:] - total[:-ROLLING]) / ROLLING)


def days_to_tell(step: int) -> int:
    """Days after which bands `step` steps ahead can be told from bands ten points too narrow.

    Overlapping steps repeat each other, and count as `separate_days` says.
    """
    return math.ceil(FEW / separate_days(1, step))
