"""Whether a challenger has earned the champion's place: one comparison, one tolerance, one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.evaluate.band_verdict import NARROW, WIDE
from stockcast.evaluate.significance import binomial_test, diebold_mariano, effective_size
from stockcast.evaluate.steps import Step, steps_of

FAR_OFF = 0.001
"""A challenger whose 80 % band held so seldom, or so often, that chance would give it less than this p is broken."""

HOPELESS = 3.0
"""So is one whose pinball loss is so many times the champion's, and the last price's too, however few the days."""


@dataclass(frozen=True)
class Decision:
    """The gate's word.

    `ratio` is the challenger's mean pinball loss over the champion's, all steps together; `p` the Diebold-Mariano p
    value of the difference one step ahead; `against_naive` the ratio to the last price with its bands; None: untested,
    since one of the two is broken, or the prices did not move.
    """

    promoted: bool
    reason: str
    ratio: float | None
    p: float | None
    against_naive: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON and the log."""
        return asdict(self)


def decide(
    challenger: EvaluatedForecast, champion: EvaluatedForecast, naive: EvaluatedForecast, tolerance: float
) -> Decision:
    """Promote the challenger unless it is broken, or worse than the champion by more than `tolerance` (a share).

    A champion whose forecasts are not numbers gives way to any challenger that is sound.
    """
    fault = sanity_check(challenger)
    if fault is not None:
        return Decision(False, fault, None, None, None)
    mine, theirs, naives = (steps_of(one) for one in (challenger, champion, naive))
    own, usual = _loss(mine), _loss(naives)
    against_naive = own / usual if usual > 0 else None
    if not champion.forecast.all_numbers:
        return Decision(True, "some forecasts of the champion are not numbers", None, None, against_naive)
    best = _loss(theirs)
    if best == 0:
        return Decision(False, "the champion's forecasts have no error, on prices that did not move", None, None, None)
    ratio = own / best
    if against_naive is not None and min(ratio, against_naive) > HOPELESS:
        absurd = f"its pinball loss is {ratio:.4g} times the champion's and {against_naive:.4g} times the last price's"
        return Decision(False, absurd, None, None, None)
    one, other = mine[0], theirs[0]
    p = diebold_mariano(one.pinball(), other.pinball(), one.day, one.number).p
    reason = f"pinball loss {ratio:.4f} times the champion's; the limit is {1 + tolerance:.4f}"
    return Decision(ratio <= 1 + tolerance, reason, ratio, None if np.isnan(p) else p, against_naive)


def sanity_check(evaluated: EvaluatedForecast) -> str | None:
    """What is broken about these forecasts, or None: numbers that are none, one price for all days, absurd bands."""
    if not evaluated.forecast.all_numbers:
        return "some forecasts are not numbers"
    if _constant(evaluated):
        return "it forecasts the same price on every day"
    step = steps_of(evaluated)[0]
    hits = step.hits(0.8)
    size = effective_size(hits, step.day, step.number)
    coverage = float(hits.mean())
    if binomial_test(coverage * size, size, 0.8).p < FAR_OFF:
        word = NARROW if coverage < 0.8 else WIDE
        return f"its bands are {word}: the 80 % band held {100 * coverage:.0f} % of {len(hits)} prices"
    return None


def _constant(evaluated: EvaluatedForecast) -> bool:
    """Whether the forecasts of some series stand still while its prices moved."""
    forecast = evaluated.forecast
    for series in np.unique(forecast.series):
        mine = forecast.series == series
        still = np.ptp(forecast.point[mine, 0]) == 0
        if still and np.ptp(forecast.last[mine]) > 0:
            return True
    return False


def _loss(steps: Sequence[Step]) -> float:
    """The mean pinball loss over all steps and forecasts, in percent of the last price."""
    return float(np.concatenate([step.pinball() for step in steps]).mean())
