"""The words for bands, on walks that are forecast by bands of known coverage."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import binomtest

from stockcast.data.forecast import LEVELS, QUANTILES, EvaluatedForecast, Forecast
from stockcast.evaluate.band_verdict import KEPT, NARROW, NO_EVIDENCE, TOO_FEW, WIDE, BandsVerdict, judge_bands, margin
from stockcast.evaluate.steps import steps_of


def walk(days: int, coverage: float, seed: int, horizon: int = 1) -> EvaluatedForecast:
    """Forecasts of a random walk whose 80 % band holds the share `coverage` in truth."""
    moves = np.random.default_rng(seed).standard_normal(days + horizon) / 100
    level = np.concatenate([[0.0], np.cumsum(moves)])
    rows = np.arange(days)
    ahead = rows[:, None] + np.arange(1, horizon + 1)
    factor = ndtri((1 + coverage) / 2) / ndtri(0.9)
    spread = factor * ndtri(np.array(QUANTILES)) * np.sqrt(np.arange(1, horizon + 1))[:, None] / 100
    last = 100 * np.exp(level[rows])
    point = np.repeat(last[:, None], horizon, axis=1)
    forecast = Forecast(np.zeros(days, dtype=np.int64), rows, last, point, last[:, None, None] * np.exp(spread))
    dates = np.datetime64("2000-01-03") + np.arange(days + horizon)
    return EvaluatedForecast("walk", ("walk",), forecast, 100 * np.exp(level[ahead]), dates[rows], dates[ahead - 1])


def judged(evaluated: EvaluatedForecast) -> BandsVerdict:
    found = judge_bands(evaluated)
    assert found is not None
    return found


def said(days: int, coverage: float, runs: int, horizon: int = 1) -> list[BandsVerdict]:
    return [judged(walk(days, coverage, seed, horizon)) for seed in range(runs)]


def holding(held: dict[float, int], days: int) -> EvaluatedForecast:
    """One-step forecasts of which each central band held so many of the prices, exactly."""
    bands = np.array([0.95, 0.9, 0.8, 0.5])
    last = np.full(days, 100.0)
    half = np.array([8.0, 6.0, 4.0, 2.0])
    offsets = np.concatenate([-half, [0.0], half[::-1]])
    quantiles = last[:, None, None] + np.repeat(offsets[None, None], days, axis=0)
    counts = np.array([held[band] for band in bands])  # falling
    distance = np.select([np.arange(days)[:, None] < counts[::-1]], [half[::-1] - 1.0], 9.0).min(axis=1)
    actual = (last + distance)[:, None]
    dates = np.datetime64("2000-01-03") + np.arange(days + 1)
    forecast = Forecast(np.zeros(days, dtype=np.int64), np.arange(days), last, last[:, None].copy(), quantiles)
    return EvaluatedForecast("made", ("made",), forecast, actual, dates[:-1], dates[1:, None])


@pytest.mark.parametrize(("days", "coverage"), [(20, 0.558), (60, 0.664), (490, 0.751)])
def test_bands_too_narrow_by_construction_are_hardly_ever_called_kept(days: int, coverage: float) -> None:
    found = said(days, coverage, 100, horizon=5)
    kept = sum(any(step.word == KEPT for step in one.steps) for one in found)
    assert kept <= 5
    assert all(step.word != WIDE for one in found for step in one.steps[:1])


def test_a_thousand_days_earn_the_word_in_four_of_five_cases_and_hundreds_do_not() -> None:
    assert np.mean([one.word == KEPT for one in said(1000, 0.8, 300)]) == pytest.approx(0.8, abs=0.07)
    assert not any(one.word == KEPT for one in said(250, 0.8, 100))


def test_bands_ten_points_narrow_are_found_out_on_as_many_days_as_make_silence_mean_something() -> None:
    found = said(200, 0.7, 100, horizon=5)
    assert np.mean([one.steps[0].word == NARROW for one in found]) > 0.7
    assert {one.steps[0].word for one in found} <= {NARROW, NO_EVIDENCE}
    assert {one.steps[0].word for one in said(199, 0.8, 50)} <= {TOO_FEW, NARROW, WIDE}


def test_kept_is_the_equivalence_of_every_band_by_the_interval_of_scipy() -> None:
    """At the edge: one hit fewer in any band, and the 90 % interval of Clopper and Pearson leaves the margin."""
    days = 4000
    right = {band: round(days * band) for band in (0.5, 0.8, 0.9, 0.95)}
    assert judged(holding(right, days)).word == KEPT
    for band in right:
        fewest = next(
            hits
            for hits in range(right[band], 0, -1)
            if binomtest(hits - 1, days).proportion_ci(0.9, "exact").low < band - margin(band)
        )
        for hits, kept in ((fewest, True), (fewest - 1, False)):
            one = judged(holding({**right, band: hits}, days)).steps[0]
            near = binomtest(hits, days).proportion_ci(0.9, "exact").low >= band - margin(band)
            assert near == kept
            # So many days also show that it is off: what was shown to be wrong is said first.
            assert one.word == NARROW
            assert one.band == band


def test_the_sentence_quotes_the_interval_and_names_the_steps() -> None:
    one = judged(walk(900, 0.8, 3, horizon=5))
    low, high = binomtest(round(900 * one.value), 900).proportion_ci(0.95, "exact")
    assert f"the 80 % band held {100 * one.value:.1f} % ({100 * low:.1f} to {100 * high:.1f} %) one step ahead" in (
        one.sentence()
    )
    assert one.sentence().startswith("the bands kept their promise one to four steps ahead: ")
    assert one.sentence().endswith("; there is no evidence against them five steps ahead")


def test_the_word_of_a_single_binomial_band_is_that_of_the_exact_test() -> None:
    """Ten days, all inside: the 50 % band of one alone would be called too wide, and among four tests it still is."""
    one = judged(holding(dict.fromkeys((0.5, 0.8, 0.9, 0.95), 10), 10))
    p = 2 * comb(10, 10) * 0.5**10
    assert one.corrected[1] == pytest.approx(4 * p)
    assert one.word == WIDE
    assert one.band == 0.5


def test_the_tails_have_no_say_in_the_words() -> None:
    """Were the 98 % band one of them, as many days would no longer earn them."""
    nine = walk(1000, 0.8, 3)
    inner = nine.forecast.quantiles
    eleven = np.concatenate([0.5 * inner[..., :1], inner, 2 * inner[..., -1:]], axis=-1)
    whole = replace(nine, forecast=replace(nine.forecast, quantiles=eleven, levels=LEVELS))
    assert steps_of(whole)[0].bands == (*steps_of(nine)[0].bands, 0.98)
    assert judge_bands(whole) == judge_bands(nine)


def test_without_quantiles_there_is_nothing_to_say_of_bands() -> None:
    made = walk(50, 0.8, 0)
    bare = replace(made, forecast=replace(made.forecast, quantiles=np.empty((50, 1, 0)), levels=()))
    assert judge_bands(bare) is None
