"""What may be said of the lower tail: of the value at risk at 1 %, and of the expected shortfall beyond it.

The value at risk is the 1 % quantile, and the expected shortfall the mean of what lies below it, as returns on the last
price. Returns below it are rare: in a year of one series there are two or three, of which hardly anything can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import Floats
from stockcast.data.tails import TAIL, expected_shortfall, has_shortfall
from stockcast.evaluate import scores
from stockcast.evaluate.band_verdict import ALPHA
from stockcast.evaluate.power import FEW_EXCEEDED, FEW_OF_TAIL, separate_days
from stockcast.evaluate.significance import (
    Evidence,
    basel_light,
    binomial_interval,
    binomial_test,
    christoffersen,
    clustered_span,
    daily_mean,
    diebold_mariano,
    effective_size,
    green_chance,
    holm,
    kupiec,
    mean_test,
)
from stockcast.evaluate.steps import Step, jsonable, steps_of
from stockcast.evaluate.verdict import OPPONENTS
from stockcast.evaluate.wording import ahead, capital, interval, p_value

OFTEN, SELDOM, SMALL, LARGE, BETTER, WORSE = "too often", "too seldom", "too small", "too large", "better", "worse"
NOTHING, TOO_FEW = "no evidence", "too few days"


@dataclass(frozen=True)
class TailFinding:
    """One thing that was tested at one step: the word that it earned, what was measured, and its corrected p value."""

    word: str
    value: float
    p: float


@dataclass(frozen=True)
class RiskStep:
    """What became of the value at risk and of the expected shortfall at one step.

    - `exceeded`: the share of returns below the value at risk, by an exact binomial test; `low` and `high` are its 95 %
      interval (Clopper-Pearson), `days` the effective number of forecasts behind it, `kupiec` and `christoffersen` p
      values without correction, `light` that of Basel, and `green_if_double` how likely a green one is if twice as many
      returns fall below as should;
    - `shortfall`: the mean of those returns in units of the expected shortfall, by a t-test over the days that have
      any, which are `exceeded_days`; None where there is no expected shortfall;
    - `score`: the FZ0 loss less the opponent's, by the test of Diebold and Mariano; None where there is no opponent.
    """

    step: int
    days: float
    exceeded: TailFinding
    low: float
    high: float
    kupiec: float
    christoffersen: float
    light: str | None
    green_if_double: float
    exceeded_days: int
    shortfall: TailFinding | None
    score: TailFinding | None


@dataclass(frozen=True)
class RiskVerdict:
    """The findings at each step; `opponent` is whose losses the model's were held against, None if nobody's."""

    level: float
    opponent: str | None
    steps: tuple[RiskStep, ...]

    def sentences(self) -> tuple[str, ...]:
        """Sentences on the value at risk, the expected shortfall, and both beside the opponent's; or one on all."""
        found = [one for step in self.steps for one in (step.exceeded, step.shortfall, step.score) if one]
        if all(one.word == TOO_FEW for one in found):
            return (_on_too_few(self.steps[0]),)
        whose = OPPONENTS[self.opponent] if self.opponent else ""
        texts = [_on_exceeded(self.steps), _on_shortfall(self.steps), _on_score(self.steps, whose)]
        return tuple(f"{capital(text)}." for text in texts if text)

    def as_dict(self) -> dict[str, Any]:
        """The findings as plain values for JSON, with the sentences."""
        return {**jsonable(self), "sentences": list(self.sentences())}


def judge_risk(evaluated: EvaluatedForecast, others: Mapping[str, EvaluatedForecast]) -> RiskVerdict | None:
    """Judge the lower tail of a forecast beside `others` from the same origins; None where it has no 1 % quantile.

    Its losses are held against those of the first of `OPPONENTS` that is among them and has an expected shortfall.
    """
    levels = evaluated.forecast.levels
    if TAIL not in levels:
        return None
    able = [name for name in OPPONENTS if name in others and has_shortfall(others[name].forecast.levels)]
    opponent = able[0] if able and has_shortfall(levels) else None
    mine = [_Tail(step) for step in steps_of(evaluated)]
    theirs = [_Tail(step) for step in steps_of(others[opponent])] if opponent else [None] * len(mine)
    exceeded = _found([one.exceeded() for one in mine], SELDOM, OFTEN)
    shortfall = _found_if([one.shortfall() for one in mine], LARGE, SMALL)
    score = _found_if([one.against(other) for one, other in zip(mine, theirs, strict=True)], BETTER, WORSE)
    return RiskVerdict(TAIL, opponent, tuple(map(_Tail.judged, mine, exceeded, shortfall, score)))


@dataclass(frozen=True)
class _Case:
    """A test, what it measured, and whether there were days enough for its silence to mean something."""

    evidence: Evidence
    value: float
    enough: bool


@dataclass(frozen=True)
class _Tail:
    """The lower tail of a step, as returns on the last price, (n,) each."""

    step: Step

    @cached_property
    def returns(self) -> Floats:
        return self.step.actual / self.step.last - 1

    @cached_property
    def value_at_risk(self) -> Floats:
        return self.step.at((TAIL,))[:, 0] / self.step.last - 1

    @cached_property
    def expected_shortfall(self) -> Floats | None:
        """None where it is not known, or not below zero for all forecasts, so that nothing can be measured by it."""
        if not has_shortfall(self.step.levels):
            return None
        shortfall = expected_shortfall(self.step.quantiles, self.step.levels) / self.step.last - 1
        return shortfall if (shortfall < 0).all() else None

    @cached_property
    def below(self) -> Floats:
        """1 where the return fell below the value at risk, else 0."""
        return np.asarray(self.returns < self.value_at_risk, dtype=np.float64)

    @cached_property
    def days(self) -> float:
        """The effective number of forecasts."""
        return effective_size(self.below, self.step.day, self.step.overlap)

    def exceeded(self) -> _Case:
        share = scores.mean(self.below)
        return _Case(binomial_test(share * self.days, self.days, TAIL), share, self.days >= FEW_OF_TAIL)

    def shortfall(self) -> _Case | None:
        """The returns below the value at risk, in units of the expected shortfall, are 1 on average."""
        expected, below = self.expected_shortfall, self.below > 0
        if expected is None:
            return None
        units = self.returns[below] / expected[below]
        days, day = np.unique(self.step.day[below], return_inverse=True)
        daily = np.bincount(day, weights=units - 1).astype(np.float64)  # sums: as many returns, so much evidence
        enough = separate_days(len(days), self.step.overlap) >= FEW_EXCEEDED
        evidence = mean_test(daily, clustered_span(len(days), self.step.overlap), skewed=True)
        return _Case(evidence, scores.mean(units), enough)

    def against(self, other: _Tail | None) -> _Case | None:
        mine, theirs = self.losses(), other.losses() if other else None
        if mine is None or theirs is None:
            return None
        evidence = diebold_mariano(mine, theirs, self.step.day, self.step.overlap, clustered=True)
        days = separate_days(len(np.unique(self.step.day)), self.step.overlap)
        return _Case(evidence, scores.mean(mine - theirs), days >= FEW_OF_TAIL)

    def losses(self) -> Floats | None:
        """The FZ0 loss of each forecast."""
        expected, value_at_risk = self.expected_shortfall, self.value_at_risk
        return None if expected is None else scores.fz0(self.returns, value_at_risk, expected, TAIL)

    def judged(self, exceeded: TailFinding, shortfall: TailFinding | None, score: TailFinding | None) -> RiskStep:
        """All of this step, once each thing's p values are corrected over the steps."""
        days, day = self.days, self.step.day
        low, high = binomial_interval(exceeded.value * days if days else 0.0, days)
        return RiskStep(
            step=self.step.number,
            days=days,
            exceeded=exceeded,
            low=low,
            high=high,
            kupiec=kupiec(exceeded.value * days, days, TAIL).p,
            christoffersen=christoffersen(daily_mean(1 - self.below, day), self.step.overlap).p,
            light=basel_light(exceeded.value * days, days, TAIL),
            green_if_double=green_chance(days, TAIL, 2 * TAIL),
            exceeded_days=len(np.unique(day[self.below > 0])),
            shortfall=shortfall,
            score=score,
        )


def _found(cases: Sequence[_Case], under: str, over: str) -> list[TailFinding]:
    """What each step earned: a word for a statistic below zero or for one above it, after Holm over all steps."""
    corrected = holm([one.evidence.p for one in cases])
    return [TailFinding(_word(one, p, under, over), one.value, p) for one, p in zip(cases, corrected, strict=True)]


def _found_if(cases: Sequence[_Case | None], under: str, over: str) -> Sequence[TailFinding | None]:
    """The same where all steps could be measured."""
    measured = [one for one in cases if one]
    return _found(measured, under, over) if len(measured) == len(cases) else [None] * len(cases)


def _word(case: _Case, p: float, under: str, over: str) -> str:
    if p < ALPHA:
        return under if case.evidence.statistic < 0 else over
    return NOTHING if case.enough else TOO_FEW


def _on_too_few(first: RiskStep) -> str:
    return f"There are too few days to tell of the value at risk (1 %): {_below(first)} {ahead([first.step])}."


def _below(one: RiskStep) -> str:
    return f"{100 * one.exceeded.value:.1f} % of the returns fell below it ({interval(one.low, one.high)})"


def _on_exceeded(steps: Sequence[RiskStep]) -> str:
    def quote(one: RiskStep, _: TailFinding) -> str:
        tests = f"Kupiec {p_value(one.kupiec)}, Christoffersen {p_value(one.christoffersen)}"
        light = f", Basel light {one.light}" if one.light else ""
        chance = f", as in {100 * one.green_if_double:.0f} of 100 cases if 2 % did" if one.light == "green" else ""
        return f"{_below(one)} {ahead([one.step])}, {tests}{light}{chance}"

    words = {
        OFTEN: "returns fall below the value at risk (1 %) too often {where}",
        SELDOM: "returns fall below the value at risk (1 %) too seldom {where}",
        NOTHING: "there is no evidence against the value at risk (1 %) {where}",
        TOO_FEW: "there are too few days to tell whether the value at risk (1 %) holds {where}",
    }
    return _said([(one, one.exceeded) for one in steps], words, quote)


def _on_shortfall(steps: Sequence[RiskStep]) -> str:
    def quote(one: RiskStep, found: TailFinding) -> str:
        if not one.exceeded_days:
            return f"there were none {ahead([one.step])}"
        return f"they were {found.value:.2f} times it on average {ahead([one.step])}, {p_value(found.p)}"

    words = {
        SMALL: "returns below the value at risk show an expected shortfall too small {where}",
        LARGE: "returns below the value at risk show an expected shortfall too large {where}",
        NOTHING: "returns below the value at risk are no evidence against the expected shortfall {where}",
        TOO_FEW: "returns below the value at risk are too few to tell of the expected shortfall {where}",
    }
    return _said([(one, one.shortfall) for one in steps], words, quote)


def _on_score(steps: Sequence[RiskStep], whose: str) -> str:
    def quote(one: RiskStep, found: TailFinding) -> str:
        side = "above" if found.value > 0 else "below"
        return f"FZ0 loss {abs(found.value):.3f} {side} {whose} {ahead([one.step])}, {p_value(found.p)}"

    words = {
        BETTER: f"both together are better than {whose} {{where}}",
        WORSE: f"both together are worse than {whose} {{where}}",
        NOTHING: f"there is no evidence that both together are better or worse than {whose} {{where}}",
        TOO_FEW: f"there are too few days to tell whether both together are better than {whose} {{where}}",
    }
    return _said([(one, one.score) for one in steps], words, quote)


def _said(
    cases: Sequence[tuple[RiskStep, TailFinding | None]],
    words: Mapping[str, str],
    quote: Callable[[RiskStep, TailFinding], str],
) -> str:
    """Each word with the steps that earned it, what was found to be off first and with its numbers; "" of nothing."""
    groups: dict[str, list[tuple[RiskStep, TailFinding]]] = {}
    for step, found in sorted(cases, key=lambda case: case[1] is not None and case[1].word in (NOTHING, TOO_FEW)):
        if found is not None:
            groups.setdefault(found.word, []).append((step, found))
    texts: list[str] = []
    for word, group in groups.items():
        everywhere = len(group) == len(cases) > 1
        where = "at every step" if everywhere else ahead([step.step for step, _ in group])
        text = words[word].format(where=where)
        texts.append(text if texts else f"{text}: {quote(*group[0])}")
    return "; ".join(texts)
