"""What may be said of a model: words that its tests have earned.

`RULES` is the whole of it. Each topic has a test at every step; after Holm's correction over all of a topic's tests,
p < 0.05 earns the word for the side on which the statistic lies, and nothing else does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.errors import StockcastError
from stockcast.evaluate import scores
from stockcast.evaluate.persistence import PersistenceCheck, check_persistence
from stockcast.evaluate.significance import (
    Evidence,
    binomial_test,
    diebold_mariano,
    effective_size,
    holm,
    pesaran_timmermann,
)
from stockcast.evaluate.steps import BANDS, Step, jsonable, steps_of

ALPHA = 0.05
UNTESTED = "untested"
QUOTED_FIRST = (0.8, *(band for band in BANDS if band != 0.8))
ROUNDING = 0.0005  # of a usual move


@dataclass(frozen=True)
class Rule:
    """A topic's test, and the word for a statistic below zero, for none (p >= 0.05), and for one above zero."""

    test: str
    below: str
    none: str
    above: str


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "level": Rule("Diebold-Mariano, squared errors against the last price's", "skill", "no evidence", "worse"),
        "direction": Rule("Pesaran-Timmermann, up or down", "wrong", "no evidence", "skill"),
        "bands": Rule("binomial, the 50, 80, 90 and 95 % bands", "too narrow", "honest", "too wide"),
        "sharpness": Rule("Diebold-Mariano, pinball losses against EWMA's", "sharper", "no sharper", "blunter"),
    }
)


@dataclass(frozen=True)
class TopicVerdict:
    """A topic's word, and the numbers to quote for it.

    `step` is the first that earned the word, 1 if none did; `p` the corrected p value there, and `value` the RMSE or
    the pinball loss relative to the opponent's, less 1; the share of right directions; or the coverage of `band`.
    `corrected` holds all corrected p values, in order of steps (and bands).
    """

    word: str
    p: float
    step: int
    value: float
    band: float | None
    corrected: tuple[float, ...]


@dataclass(frozen=True)
class Verdict:
    """The findings on each topic; `sharpness` is None where there is no EWMA, `daily` is true of daily prices.

    `moved` is whether any price differed from the last one.
    """

    model: str
    level: TopicVerdict
    direction: TopicVerdict
    bands: TopicVerdict
    sharpness: TopicVerdict | None
    persistence: PersistenceCheck
    daily: bool
    moved: bool

    @property
    def skilled(self) -> bool:
        """Whether there is evidence of skill in the level or in direction."""
        return self.level.word == RULES["level"].below or self.direction.word == RULES["direction"].above

    def sentences(self) -> tuple[str, ...]:
        """Two plain sentences: one on the forecast, one on its bands."""
        if not self.moved:
            return (
                "The prices did not move: no forecast can be better than the last price.",
                "Bands can't be judged on such prices.",
            )
        forecast = f"{self._opening()}{_level(self.level)}, and {_direction(self.direction)}"
        if self.persistence.distance < ROUNDING and not self.skilled:
            forecast = "the point forecast is the last price itself, and claims no skill in the level or in direction"
        bands = _bands(self.bands) + (f"; they are {_sharpness(self.sharpness)}" if self.sharpness else "")
        return (_capital(f"{forecast}."), _capital(f"{bands}."))

    def _opening(self) -> str:
        late = self.persistence.late
        if self.persistence.repeats:
            what = ("yesterday's price" if self.daily else "the last price") if late == 1 else "past prices"
            return f"the forecast repeats {what}, {_count(late, 'day' if self.daily else 'step')} late: "
        if self.persistence.is_last_price and not self.skilled:
            near = f"{100 * self.persistence.distance:.0f} % of a usual move"
            return f"the forecast stays at the last price (within {near}): "
        return ""

    def as_dict(self) -> dict[str, Any]:
        """The findings as plain values for JSON, with the sentences."""
        shown = {"repeats": self.persistence.repeats, "is_last_price": self.persistence.is_last_price}
        record = {"echo" if key == "persistence" else key: value for key, value in jsonable(self).items()}
        return record | {"echo": record["echo"] | shown, "sentences": list(self.sentences())}


def verdict(model: EvaluatedForecast, baselines: Mapping[str, EvaluatedForecast]) -> Verdict:
    """Judge `model` against baselines evaluated from the same origins: "naive", and "ewma" if there is one."""
    ewma = baselines.get("ewma")
    steps, naive = steps_of(model), steps_of(_same_origins(baselines["naive"], model))
    sharp = steps_of(_same_origins(ewma, model)) if ewma else None
    return Verdict(
        model.model,
        _find("level", [_level_case(mine, other) for mine, other in zip(steps, naive, strict=True)]),
        _find("direction", [_direction_case(mine) for mine in steps]),
        _find("bands", [_band_case(mine, band) for mine in steps for band in QUOTED_FIRST]),
        _find("sharpness", [_sharp_case(a, b) for a, b in zip(steps, sharp, strict=True)]) if sharp else None,
        check_persistence(model),
        _is_daily(model),
        any(bool((step.actual != step.last).any()) for step in steps),
    )


@dataclass(frozen=True)
class _Case:
    evidence: Evidence
    step: int
    value: float
    band: float | None = None


def _find(topic: str, cases: Sequence[_Case]) -> TopicVerdict:
    rule = RULES[topic]
    corrected = holm([case.evidence.p for case in cases])
    earned = [index for index, p in enumerate(corrected) if p < ALPHA]
    quoted = earned[0] if earned else 0
    case = cases[quoted]
    if earned:
        word = rule.below if case.evidence.statistic < 0 else rule.above
    else:
        word = UNTESTED if np.isnan(corrected).all() else rule.none
    return TopicVerdict(word, corrected[quoted], case.step, case.value, case.band, corrected)


def _level_case(mine: Step, naive: Step) -> _Case:
    evidence = diebold_mariano(mine.squared(), naive.squared(), mine.day, mine.number)
    return _Case(evidence, mine.number, _relation(mine.rmse(), naive.rmse()))


def _direction_case(mine: Step) -> _Case:
    move, foreseen = mine.actual - mine.last, mine.point - mine.last
    right = scores.mean(scores.direction_hits(mine.last, mine.actual, mine.point))
    return _Case(pesaran_timmermann(move, foreseen, mine.day, mine.number), mine.number, right)


def _band_case(mine: Step, band: float) -> _Case:
    hits = mine.hits(band)
    size = effective_size(hits, mine.day, mine.number)
    coverage = scores.mean(hits)
    return _Case(binomial_test(coverage * size, size, band), mine.number, coverage, band)


def _sharp_case(mine: Step, ewma: Step) -> _Case:
    loss, other = mine.pinball(), ewma.pinball()
    evidence = diebold_mariano(loss, other, mine.day, mine.number, clustered=True)
    return _Case(evidence, mine.number, _relation(scores.mean(loss), scores.mean(other)))


def _relation(loss: float, other: float) -> float:
    return scores.relative(loss, other) - 1


def _same_origins(baseline: EvaluatedForecast, model: EvaluatedForecast) -> EvaluatedForecast:
    same = baseline.forecast.point.shape == model.forecast.point.shape and (
        np.array_equal(baseline.forecast.series, model.forecast.series)
        and np.array_equal(baseline.origin, model.origin)
    )
    if not same:
        raise StockcastError(f"{baseline.model} and {model.model} were not judged on the same cutoffs.")
    return baseline


def _is_daily(evaluated: EvaluatedForecast) -> bool:
    days = np.unique(evaluated.origin)
    return len(days) < 2 or bool(np.median(np.diff(days)) < np.timedelta64(5, "D"))


def _level(found: TopicVerdict) -> str:
    measure = f"RMSE {_relative(found.value)} the last price's"
    if found.word == RULES["level"].below:
        return f"evidence of skill in the level {_ahead(found.step)} ({measure}, {_p(found.p)})"
    if found.word == RULES["level"].above:
        return f"the level is worse than the last price {_ahead(found.step)} ({measure}, {_p(found.p)})"
    return f"no evidence of skill in the level ({measure}, {_p(found.p)})"


def _direction(found: TopicVerdict) -> str:
    right = f"{100 * found.value:.0f} % right, {_p(found.p)}"
    if found.word == RULES["direction"].above:
        return f"evidence of skill in direction {_ahead(found.step)} ({right})"
    if found.word == RULES["direction"].below:
        return f"its direction is wrong more often than chance {_ahead(found.step)} ({right})"
    return "none in direction" if found.word == UNTESTED else f"no evidence of skill in direction ({right})"


def _bands(found: TopicVerdict) -> str:
    coverage = f"the {100 * (found.band or 0):.0f} % band held {100 * found.value:.1f} % {_ahead(found.step)}"
    if found.word == UNTESTED:
        return f"there are too few forecasts to judge the bands: {coverage}"
    return f"the bands are {found.word}: {coverage}"


def _sharpness(found: TopicVerdict) -> str:
    word = RULES["sharpness"].none if found.word == UNTESTED else found.word
    return f"{word} than EWMA's (pinball loss {_relative(found.value)} EWMA's {_ahead(found.step)}, {_p(found.p)})"


def _relative(share: float) -> str:
    if math.isnan(share):
        return "equal to"
    return f"{100 * abs(share):.1f} % {'above' if share > 0 else 'below'}"


def _ahead(step: int) -> str:
    return f"{_count(step, 'step')} ahead"


def _count(number: int, noun: str) -> str:
    words = ("one", "two", "three", "four", "five")
    return f"{words[number - 1] if number <= len(words) else number} {noun}{'s' if number > 1 else ''}"


def _p(p: float) -> str:
    if math.isnan(p):
        return "not testable"
    return "p < 0.001" if p < 0.001 else f"p = {p:.{3 if p < 0.1 else 2}f}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
