"""What is said of the lower tail, on returns whose tail is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, genpareto, norm

from stockcast.data.forecast import LEVELS, QUANTILES, EvaluatedForecast, Forecast
from stockcast.data.series import Floats
from stockcast.data.tails import INDEX
from stockcast.evaluate.power import FEW_EXCEEDED, FEW_OF_TAIL
from stockcast.evaluate.risk import (
    BETTER,
    LARGE,
    NOTHING,
    OFTEN,
    SELDOM,
    SMALL,
    TOO_FEW,
    WORSE,
    RiskStep,
    RiskVerdict,
    judge_risk,
)

TAIL = genpareto(INDEX, scale=0.4)
OUTER = float(norm.ppf(0.025))
SIZE = 0.01  # of a log return


def moves(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Normal numbers whose lower tail is a Pareto's from the 2.5 % quantile on."""
    numbers = random.standard_normal(shape)
    return np.where(numbers < OUTER, OUTER - TAIL.rvs(shape, random_state=random), numbers)


def forecasts(answers: Floats, wide: float = 1.0, tail: float = 1.0, horizon: int = 1) -> EvaluatedForecast:
    """One-step forecasts of `answers` (days, series), right if `wide` and `tail` are 1.

    All quantiles are `wide` times as far out as they should be, and that of the tail `tail` times as far beyond the
    next. Every further step is as the first.
    """
    days, count = answers.shape
    numbers = np.array([OUTER - tail * TAIL.isf(0.4), *(norm.ppf(level) for level in LEVELS[1:])])
    n = days * count
    last = np.full(n, 50.0)
    quantiles = np.tile(50 * np.exp(SIZE * wide * numbers), (n, horizon, 1))
    actual = np.repeat(50 * np.exp(SIZE * answers.reshape(-1, 1)), horizon, axis=1)
    dates = np.datetime64("2000-01-03") + np.arange(days + horizon)
    origin = np.repeat(np.arange(days), count)
    forecast = Forecast(np.tile(np.arange(count), days), origin, last, actual * 0 + 50, quantiles, LEVELS)
    ahead = dates[origin[:, None] + np.arange(1, horizon + 1)]
    return EvaluatedForecast("made", tuple(f"s{one}" for one in range(count)), forecast, actual, dates[origin], ahead)


def judged(evaluated: EvaluatedForecast, **others: EvaluatedForecast) -> RiskVerdict:
    found = judge_risk(evaluated, others)
    assert found is not None
    return found


def first(evaluated: EvaluatedForecast) -> RiskStep:
    return judged(evaluated).steps[0]


def year(exceptions: int, days: int = 250) -> EvaluatedForecast:
    """So many days, of which so many lie below the value at risk."""
    answers = np.zeros((days, 1))
    answers[np.linspace(5, days - 5, exceptions).astype(int)] = -5.0
    return forecasts(answers)


@pytest.mark.parametrize(
    ("exceptions", "light"), [(0, "green"), (4, "green"), (5, "yellow"), (9, "yellow"), (10, "red")]
)
def test_a_year_has_the_light_that_basel_gives_it(exceptions: int, light: str) -> None:
    one = first(year(exceptions))
    assert one.light == light
    assert one.exceeded.value == exceptions / 250
    assert one.green_if_double == pytest.approx(binom.cdf(4, 250, 0.02))
    exact = 2 * min(binom.cdf(exceptions, 250, 0.01), binom.sf(exceptions - 1, 250, 0.01))
    assert one.exceeded.p == pytest.approx(min(1, exact))
    assert one.exceeded.word == (OFTEN if exact < 0.05 else TOO_FEW)


def test_a_year_is_too_short_for_more_than_one_sentence() -> None:
    (said,) = judged(year(3)).sentences()
    assert said == (
        "There are too few days to tell of the value at risk (1 %): 1.2 % of the returns fell below it (0.2 to 3.5 %) "
        "one step ahead."
    )


def test_a_green_light_stands_beside_how_little_it_is() -> None:
    said = judged(year(12, days=1200)).sentences()[0]
    assert said.startswith("There is no evidence against the value at risk (1 %) one step ahead: 1.0 % of the returns ")
    assert said.endswith("Basel light green, as in 8 of 100 cases if 2 % did.")


def test_a_right_tail_is_hardly_ever_found_wrong_and_a_wrong_one_mostly() -> None:
    right, often, seldom = [], [], []
    for seed in range(120):
        answers = moves(np.random.default_rng(seed), (FEW_OF_TAIL, 1))
        right.append(first(forecasts(answers)).exceeded.word)
        often.append(first(forecasts(answers, tail=0.21)).exceeded.word)  # 2 % fall below
        seldom.append(first(forecasts(answers, tail=2.8)).exceeded.word)  # 0.2 % do
    assert set(right) <= {NOTHING, OFTEN, SELDOM}
    assert np.mean([word == NOTHING for word in right]) > 0.93
    assert np.mean([word == OFTEN for word in often]) > 0.75
    assert np.mean([word == SELDOM for word in seldom]) > 0.75


def test_stocks_of_one_day_are_not_counted_as_independent() -> None:
    """Twenty stocks that move alike say no more than one: the words err as seldom."""
    words = []
    for seed in range(120):
        random = np.random.default_rng(seed)
        together, own = random.random((1500, 1)) < 0.5, moves(random, (1500, 20))
        answers = np.where(together, own[:, :1], own)
        words.append(first(forecasts(answers)).exceeded.word)
    assert np.mean([word in (OFTEN, SELDOM) for word in words]) < 0.08


def test_a_shortfall_is_held_against_the_returns_beyond_the_value_at_risk() -> None:
    right, small, large = [], [], []
    for seed in range(120):
        answers = moves(np.random.default_rng(seed), (200 * FEW_EXCEEDED, 1))
        one = first(forecasts(answers)).shortfall
        assert one is not None
        right.append(one)
        worse = np.where(answers < OUTER - TAIL.isf(0.4), 1.25 * answers, answers)
        tail = OUTER - TAIL.isf(0.4)
        better = np.where(answers < tail, tail + 0.2 * (answers - tail), answers)
        small.append(first(forecasts(worse)).shortfall)
        large.append(first(forecasts(better)).shortfall)
    assert np.mean([one.value for one in right]) == pytest.approx(1, abs=0.02)
    assert np.mean([one.word in (SMALL, LARGE) for one in right]) < 0.1
    assert np.mean([one is not None and one.word == SMALL for one in small]) > 0.75
    assert np.mean([one is not None and one.word == LARGE for one in large]) > 0.9


def test_both_together_are_held_against_the_hardest_baseline_that_has_them() -> None:
    calm = np.random.default_rng(3).random((4000, 1)) < 0.5
    answers = moves(np.random.default_rng(4), (4000, 1)) * np.where(calm, 0.5, 1.5)
    made = forecasts(answers)
    width = np.where(calm, 0.5, 1.5)[:, :, None]
    knowing = replace(made, forecast=replace(made.forecast, quantiles=50 * (made.forecast.quantiles / 50) ** width))
    found = judged(knowing, ewma=made, naive=made)
    assert found.opponent == "ewma"
    assert found.steps[0].score is not None
    assert found.steps[0].score.word == BETTER
    assert found.sentences()[2].startswith("Both together are better than EWMA's one step ahead: FZ0 loss 0.")
    other = judged(made, har=knowing, ewma=made).steps[0].score
    assert other is not None
    assert other.word == WORSE
    assert other.value == pytest.approx(-found.steps[0].score.value)
    nine = replace(
        made, forecast=replace(made.forecast, quantiles=made.forecast.quantiles[..., 1:-1], levels=QUANTILES)
    )
    assert judged(knowing, har=nine, ewma=made).opponent == "ewma"


def test_what_is_not_there_is_not_judged() -> None:
    made = year(3)

    def at(*levels: float) -> EvaluatedForecast:
        places = [LEVELS.index(level) for level in levels]
        return replace(
            made, forecast=replace(made.forecast, quantiles=made.forecast.quantiles[..., places], levels=levels)
        )

    assert judge_risk(at(*QUANTILES), {}) is None
    alone = judged(at(0.01, 0.5), ewma=made)
    assert (alone.opponent, alone.steps[0].shortfall, alone.steps[0].score) == (None, None, None)
    assert len(alone.sentences()) == 1
    assert alone.steps[0].exceeded == first(made).exceeded


def test_a_shortfall_that_is_a_gain_measures_nothing() -> None:
    made = year(3)
    rosy = replace(made, forecast=replace(made.forecast, quantiles=made.forecast.quantiles * 1.2))
    assert first(rosy).shortfall is None
    assert first(rosy).exceeded.word == OFTEN


def test_steps_with_the_same_word_are_named_together_and_too_few_days_have_no_light() -> None:
    answers = np.concatenate([year(9).actual, np.full((1, 1), 50.0)])
    every = judged(forecasts(np.log(answers / 50) / SIZE, horizon=3))
    assert every.sentences()[0].startswith("Returns fall below the value at risk (1 %) too often at every step: 3.6 %")
    few = judged(forecasts(np.zeros((5, 1))))
    assert few.steps[0].light is None
    (said,) = few.sentences()
    assert "0.0 % of the returns fell below it (0.0 to 52.2 %)" in said
