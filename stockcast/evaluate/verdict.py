"""What may be said of a model: words that its tests have earned.

`RULES` is the whole of it. Each topic has a test at every step; after Holm's correction over all of a topic's tests,
p < 0.05 earns the word for the side on which the statistic lies, and nothing else does. Where nothing is earned, that
is said as what it is: no evidence, or too few days to tell; never as evidence of the contrary. What may be said of
bands is in `band_verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.errors import StockcastError
from stockcast.evaluate import scores
from stockcast.evaluate.band_verdict import ALPHA, TOO_FEW, BandsVerdict, bands_verdict
from stockcast.evaluate.levels import shared_levels
from stockcast.evaluate.persistence import PersistenceCheck, check_persistence
from stockcast.evaluate.power import FEW, separate_days
from stockcast.evaluate.significance import FEWEST_DAYS, Evidence, diebold_mariano, holm, pesaran_timmermann
from stockcast.evaluate.steps import Step, jsonable, steps_of
from stockcast.evaluate.wording import above_or_below, ahead, capital, count, p_value

UNTESTED = "untested"
ROUNDING = 0.0005  # of a usual move

OPPONENTS: Mapping[str, str] = MappingProxyType({"har": "HAR's", "ewma": "EWMA's"})
"""Whose bands those of a model are held against, the hardest first, and what they are called."""


@dataclass(frozen=True)
class Rule:
    """A topic's test, and the word for a statistic below zero and for one above, where p < 0.05."""

    test: str
    below: str
    above: str


NO_EVIDENCE = "no evidence"
"""For whatever was tested on days enough and earned nothing."""

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "level": Rule("Diebold-Mariano, squared errors against the last price's", "skill", "worse"),
        "direction": Rule("Pesaran-Timmermann, up or down", "wrong", "skill"),
        "sharpness": Rule("Diebold-Mariano, pinball losses against the hardest baseline's", "sharper", "blunter"),
    }
)


@dataclass(frozen=True)
class TopicVerdict:
    """A topic's word, and the numbers to quote for it.

    `step` is the first that earned the word, 1 if none did; `p` the corrected p value there, `days` the separate days
    behind it, and `value` the RMSE or the pinball loss relative to the opponent's, less 1, or the share of right
    directions. `corrected` holds all corrected p values, in order of steps.
    """

    word: str
    p: float
    step: int
    value: float
    days: float
    corrected: tuple[float, ...]


@dataclass(frozen=True)
class Verdict:
    """The findings on each topic; `daily` is true of daily prices.

    `bands` is None where there are none. `sharpness` is against the bands of `opponent`, one of `OPPONENTS`; both are
    None where there is none, or none at the same levels. `moved` is whether any price differed from the last one.
    """

    model: str
    level: TopicVerdict
    direction: TopicVerdict
    bands: BandsVerdict | None
    sharpness: TopicVerdict | None
    opponent: str | None
    persistence: PersistenceCheck
    daily: bool
    moved: bool

    @property
    def skilled(self) -> bool:
        """Whether there is evidence of skill in the level or in direction."""
        return self.level.word == RULES["level"].below or self.direction.word == RULES["direction"].above

    def sentences(self) -> tuple[str, ...]:
        """Plain sentences: one on the forecast, one on its bands, and one on their sharpness if it was judged."""
        if not self.moved:
            return (
                "The prices did not move: no forecast can be better than the last price.",
                "Bands can't be judged on such prices.",
            )
        joined = " or " if self.level.word == self.direction.word == TOO_FEW else ", and "
        forecast = f"{self._opening()}{_level(self.level)}{joined}{_direction(self.direction, joined)}"
        if self.persistence.distance < ROUNDING and not self.skilled:
            forecast = "the point forecast is the last price itself, and claims no skill in the level or in direction"
        sharpness = [_sharpness(self.sharpness, OPPONENTS[self.opponent])] if self.sharpness and self.opponent else []
        bands = self.bands.sentence() if self.bands else "there are no bands to judge"
        return tuple(f"{capital(sentence)}." for sentence in (forecast, bands, *sharpness))

    def _opening(self) -> str:
        late = self.persistence.late
        if self.persistence.repeats:
            what = ("yesterday's price" if self.daily else "the last price") if late == 1 else "past prices"
            return f"the forecast repeats {what}, {count(late, 'day' if self.daily else 'step')} late: "
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
    """Judge `model` against baselines evaluated from the same origins: "naive", and some of `OPPONENTS`."""
    shared = {name: _shared_levels(model, baselines[name]) for name in OPPONENTS if name in baselines}
    opponent = next((name for name, levels in shared.items() if levels), None)
    steps, naive = steps_of(model), steps_of(_same_origins(baselines["naive"], model))
    sharp: list[_Case] = []
    if opponent:
        theirs = steps_of(_same_origins(baselines[opponent], model))
        sharp = [_sharp_case(mine, other, shared[opponent]) for mine, other in zip(steps, theirs, strict=True)]
    return Verdict(
        model.model,
        _find("level", [_level_case(mine, other) for mine, other in zip(steps, naive, strict=True)]),
        _find("direction", [_direction_case(mine) for mine in steps]),
        bands_verdict(steps),
        _find("sharpness", sharp) if sharp else None,
        opponent,
        check_persistence(model),
        _is_daily(model),
        any(bool((step.actual != step.last).any()) for step in steps),
    )


@dataclass(frozen=True)
class _Case:
    evidence: Evidence
    mine: Step
    value: float

    @property
    def days(self) -> float:
        return separate_days(len(np.unique(self.mine.day)), self.mine.overlap)


def _find(topic: str, cases: Sequence[_Case]) -> TopicVerdict:
    rule = RULES[topic]
    corrected = holm([case.evidence.p for case in cases])
    earned = [index for index, p in enumerate(corrected) if p < ALPHA]
    quoted = earned[0] if earned else 0
    case = cases[quoted]
    if earned:
        word = rule.below if case.evidence.statistic < 0 else rule.above
    elif np.isnan(corrected).all() and case.days >= FEWEST_DAYS:
        word = UNTESTED
    else:
        word = TOO_FEW if case.days < FEW else NO_EVIDENCE
    return TopicVerdict(word, corrected[quoted], case.mine.number, case.value, case.days, corrected)


def _level_case(mine: Step, naive: Step) -> _Case:
    evidence = diebold_mariano(mine.squared(), naive.squared(), mine.day, mine.overlap)
    return _Case(evidence, mine, _relation(mine.rmse(), naive.rmse()))


def _direction_case(mine: Step) -> _Case:
    move, foreseen = mine.actual - mine.last, mine.point - mine.last
    right = scores.mean(scores.direction_hits(mine.last, mine.actual, mine.point))
    return _Case(pesaran_timmermann(move, foreseen, mine.day, mine.overlap), mine, right)


def _sharp_case(mine: Step, opponent: Step, levels: tuple[float, ...]) -> _Case:
    loss, other = mine.pinball(levels), opponent.pinball(levels)
    evidence = diebold_mariano(loss, other, mine.day, mine.overlap, clustered=True)
    return _Case(evidence, mine, _relation(scores.mean(loss), scores.mean(other)))


def _shared_levels(model: EvaluatedForecast, other: EvaluatedForecast) -> tuple[float, ...]:
    both = [model.forecast.levels, other.forecast.levels]
    return shared_levels(both) if all(both) else ()


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
    measure = f"RMSE {above_or_below(found.value)} the last price's, {p_value(found.p)}"
    if found.word == RULES["level"].below:
        return f"evidence of skill in the level {ahead([found.step])} ({measure})"
    if found.word == RULES["level"].above:
        return f"the level is worse than the last price {ahead([found.step])} ({measure})"
    if found.word == TOO_FEW:
        return f"too few days to tell of skill in the level ({measure})"
    return f"no evidence of skill in the level ({measure})"


def _direction(found: TopicVerdict, joined: str) -> str:
    right = f"{100 * found.value:.0f} % right, {p_value(found.p)}"
    if found.word == RULES["direction"].above:
        return f"evidence of skill in direction {ahead([found.step])} ({right})"
    if found.word == RULES["direction"].below:
        return f"its direction is wrong more often than chance {ahead([found.step])} ({right})"
    if found.word == TOO_FEW:
        return f"{'' if joined == ' or ' else 'too few days to tell of skill '}in direction ({right})"
    return "none in direction" if found.word == UNTESTED else f"no evidence of skill in direction ({right})"


def _sharpness(found: TopicVerdict, whose: str) -> str:
    measure = f"pinball loss {above_or_below(found.value)} {whose} {ahead([found.step])}, {p_value(found.p)}"
    if found.word in (RULES["sharpness"].below, RULES["sharpness"].above):
        return f"they are {found.word} than {whose} ({measure})"
    if found.word == TOO_FEW:
        return f"there are too few days to tell whether they are sharper than {whose} ({measure})"
    return f"there is no evidence that they are sharper or blunter than {whose} ({measure})"
