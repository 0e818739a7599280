"""What may be said of bands, step by step: four words, each earned by a test, and a fifth for too few days.

A band that no test rejects is not thereby shown to hold: on twenty days hardly any is rejected. So "kept" asks for
proof of its own, that the coverage lies within `margin` of the promise: two one-sided tests (Schuirmann 1987), which
is to say that the 90 % interval of Clopper and Pearson, on the effective number of forecasts, lies within it. All bands
of the step must pass, each at an error of 5 %; so the word as a whole errs no more often (Berger 1982).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.evaluate import scores
from stockcast.evaluate.levels import central_bands
from stockcast.evaluate.power import FEW
from stockcast.evaluate.significance import Evidence, binomial_interval, binomial_test, effective_size, holm
from stockcast.evaluate.steps import Step, steps_of
from stockcast.evaluate.wording import ahead, interval

ALPHA = 0.05

NARROW, WIDE, KEPT, NO_EVIDENCE, TOO_FEW = "too narrow", "too wide", "kept", "no evidence against", "too few days"
BAND_WORDS = (NARROW, WIDE, KEPT, NO_EVIDENCE, TOO_FEW)

QUOTED_FIRST = 0.8

MARGIN = 0.05


def margin(band: float) -> float:
    """How far from its promise the coverage of a band may be and still be called kept, a share.

    Five points, which 1,000 days of one series can show; but no more than half of the misses that a band promises: a
    95 % band that held 90 % would be missed twice as often as it says.
    """
    return min(MARGIN, (1 - band) / 2)


@dataclass(frozen=True)
class BandStep:
    """The word for one step, and the band to quote for it: the one that earned the word, else the 80 % band, or
    the first where there is none.

    `coverage` is the share of prices inside, `low` and `high` its 95 % interval (Clopper-Pearson), `days` the effective
    number of forecasts behind it; `p` is corrected for all bands of all steps.
    """

    step: int
    word: str
    band: float
    coverage: float
    low: float
    high: float
    p: float
    days: float


@dataclass(frozen=True)
class BandsVerdict:
    """The word for the bands as a whole, and for each step.

    `word` is that of the first step that was found too narrow or too wide, else that of the first step; `step`, `band`,
    `value` (the coverage), `low`, `high` and `p` are quoted for it. `corrected` holds all corrected p values, in order
    of steps and bands.
    """

    word: str
    p: float
    step: int
    value: float
    band: float
    low: float
    high: float
    corrected: tuple[float, ...]
    steps: tuple[BandStep, ...]

    def sentence(self) -> str:
        """One plain sentence without its capital and full stop: each word, with the steps that earned it."""
        (first, *others), (quoted, *_) = self._words(_MAIN, _ALSO), self._groups()[0]
        return "; ".join([f"{first}: {_quote(quoted)}", *others])

    def short(self) -> str:
        """The words and their steps alone, for a picture."""
        return "; ".join(self._words(_SHORT, _SHORT))

    def _words(self, first: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
        groups = self._groups()
        texts = [first, *[other] * (len(groups) - 1)]
        return [text[group[0].word].format(where=self._where(group)) for text, group in zip(texts, groups, strict=True)]

    def _groups(self) -> list[list[BandStep]]:
        """The steps by their word, what was found to be off first."""
        groups: dict[str, list[BandStep]] = {}
        for one in sorted(self.steps, key=lambda one: one.word not in (NARROW, WIDE)):
            groups.setdefault(one.word, []).append(one)
        return list(groups.values())

    def _where(self, group: Sequence[BandStep]) -> str:
        if len(group) == len(self.steps) > 1:
            return "at every step"
        return ahead([one.step for one in group])


_MAIN = {
    NARROW: "the bands are too narrow {where}",
    WIDE: "the bands are too wide {where}",
    KEPT: "the bands kept their promise {where}",
    NO_EVIDENCE: "there is no evidence against the bands {where}",
    TOO_FEW: "there are too few days to tell whether the bands keep their promise {where}",
}

_ALSO = {
    NARROW: "they are too narrow {where}",
    WIDE: "they are too wide {where}",
    KEPT: "they kept their promise {where}",
    NO_EVIDENCE: "there is no evidence against them {where}",
    TOO_FEW: "there are too few days to tell {where}",
}

_SHORT = {
    NARROW: "too narrow {where}",
    WIDE: "too wide {where}",
    KEPT: "kept {where}",
    NO_EVIDENCE: "no evidence against them {where}",
    TOO_FEW: "too few days to tell {where}",
}


def _quote(one: BandStep) -> str:
    held = f"{100 * one.coverage:.1f} % ({interval(one.low, one.high)})"
    return f"the {100 * one.band:.0f} % band held {held} {ahead([one.step])}"


def judge_bands(evaluated: EvaluatedForecast) -> BandsVerdict | None:
    """The words that the bands of a forecast have earned; None where it has no quantiles that make a band."""
    return bands_verdict(steps_of(evaluated))


def bands_verdict(steps: Sequence[Step]) -> BandsVerdict | None:
    """The same of steps that are taken apart already."""
    bands = sorted(central_bands(steps[0].levels), key=lambda band: band != QUOTED_FIRST)
    if not bands:
        return None
    found = [[_coverage(step, band) for band in bands] for step in steps]
    corrected = holm([one.evidence.p for row in found for one in row])
    rows = np.reshape(corrected, (len(steps), len(bands))).tolist()
    words = tuple(_word(step.number, row, p) for step, row, p in zip(steps, found, rows, strict=True))
    first = next((one for one in words if one.word in (NARROW, WIDE)), words[0])
    quoted = (first.word, first.p, first.step, first.coverage, first.band, first.low, first.high)
    return BandsVerdict(*quoted, corrected, words)


@dataclass(frozen=True)
class _Coverage:
    band: float
    share: float
    days: float
    evidence: Evidence

    @property
    def hits(self) -> float:
        return self.share * self.days if self.days else 0.0

    @property
    def kept(self) -> bool:
        low, high = binomial_interval(self.hits, self.days, 1 - 2 * ALPHA)
        return self.band - margin(self.band) <= low and high <= self.band + margin(self.band)


def _coverage(step: Step, band: float) -> _Coverage:
    hits = step.hits(band)
    days = effective_size(hits, step.day, step.overlap)
    share = scores.mean(hits)
    return _Coverage(band, share, days, binomial_test(share * days, days, band))


def _word(step: int, found: Sequence[_Coverage], p: Sequence[float]) -> BandStep:
    earned = [index for index, value in enumerate(p) if value < ALPHA]
    at = earned[0] if earned else 0
    quoted = found[at]
    if earned:
        word = NARROW if quoted.evidence.statistic < 0 else WIDE
    elif all(one.kept for one in found):
        word = KEPT
    else:
        word = TOO_FEW if min(one.days for one in found) < FEW else NO_EVIDENCE
    low, high = binomial_interval(quoted.hits, quoted.days)
    return BandStep(step, word, quoted.band, quoted.share, low, high, p[at], quoted.days)
