"""Tests of forecasts: their size under the null hypothesis, their power, and oracles where there are any."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from stockcast.evaluate.significance import (
    basel_light,
    binomial_interval,
    binomial_test,
    christoffersen,
    daily_mean,
    diebold_mariano,
    effective_size,
    green_chance,
    holm,
    kupiec,
    mean_test,
    pesaran_timmermann,
    variance_of_mean,
)

Random = np.random.Generator


def overlapping(random: Random, days: int, step: int) -> np.ndarray:
    """Moves over `step` days, made daily: their neighbours share days, so they are correlated."""
    return np.convolve(random.standard_normal(days + step - 1), np.ones(step), "valid")


def two_equal_forecasts(random: Random, days: int, step: int) -> float:
    actual, one, other = (overlapping(random, days, step) for _ in range(3))
    return diebold_mariano((actual - one) ** 2, (actual - other) ** 2, np.arange(days), step).p


def two_equal_forecasts_of_a_panel(random: Random, days: int, step: int) -> float:
    """Ten series whose losses are the day's, and little of their own."""
    day = np.tile(np.arange(days), 10)
    shared = overlapping(random, days, step)
    loss = np.tile(shared, 10) + 0.1 * random.standard_normal(10 * days)
    return diebold_mariano(loss, np.zeros_like(loss), day, step).p


def two_equal_forecasts_in_clusters(random: Random, days: int, step: int) -> float:
    noise = random.standard_normal(days + 100)
    for row in range(1, len(noise)):
        noise[row] += 0.4 * noise[row - 1]
    return diebold_mariano(noise[100:], np.zeros(days), np.arange(days), step, clustered=True).p


def unforeseen_direction(random: Random, days: int, step: int) -> float:
    move, foreseen = overlapping(random, days, step) + 0.1, random.standard_normal(days) + 0.2
    return pesaran_timmermann(move, foreseen, np.arange(days), step).p


def right_coverage(random: Random, days: int, step: int) -> float:
    hits = (np.abs(overlapping(random, days, step)) < stats.norm.ppf(0.9) * np.sqrt(step)).astype(float)
    size = effective_size(hits, np.arange(days), step)
    return kupiec(hits.mean() * size, size, 0.8).p


def right_coverage_of_a_panel(random: Random, days: int, step: int) -> float:
    """Ten series that share half of their variance."""
    own = np.stack([overlapping(random, days, step) for _ in range(10)])
    moves = np.sqrt(0.5) * (overlapping(random, days, step) + own)
    hits = (np.abs(moves) < stats.norm.ppf(0.9) * np.sqrt(step)).astype(float).ravel()
    size = effective_size(hits, np.tile(np.arange(days), 10), step)
    return binomial_test(hits.mean() * size, size, 0.8).p


def misses_without_clusters(random: Random, days: int, step: int) -> float:
    hits = (np.abs(overlapping(random, days, step)) < stats.norm.ppf(0.9) * np.sqrt(step)).astype(float)
    return christoffersen(hits, step).p


@pytest.mark.parametrize("step", [1, 5])
@pytest.mark.parametrize(
    "null",
    [
        two_equal_forecasts,
        two_equal_forecasts_of_a_panel,
        two_equal_forecasts_in_clusters,
        unforeseen_direction,
        right_coverage,
        right_coverage_of_a_panel,
        misses_without_clusters,
    ],
)
def test_a_true_null_hypothesis_is_rejected_in_five_percent(
    null: Callable[[Random, int, int], float], step: int
) -> None:
    random = np.random.default_rng(3)
    p = np.array([null(random, 500, step) for _ in range(1000)])
    assert 0.035 <= (p < 0.05).mean() <= 0.065


def test_one_step_ahead_the_test_of_a_mean_is_students() -> None:
    values = np.random.default_rng(4).normal(0.2, 1, 40)
    oracle = stats.ttest_1samp(values, 0)
    found = mean_test(values, 1)
    assert (found.statistic, found.p) == pytest.approx((oracle.statistic, oracle.pvalue))


@given(arrays(np.float64, st.integers(8, 40), elements=st.floats(-1e3, 1e3)), st.integers(0, 12))
def test_a_variance_is_never_negative(values: np.ndarray, lags: int) -> None:
    assert variance_of_mean(values, lags) >= 0


def test_a_variance_adds_the_covariances_of_neighbours() -> None:
    values = np.array([1.0, 2.0, 4.0, 3.0, 0.0, -1.0])
    products = np.outer(values - values.mean(), values - values.mean())
    apart = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    for lags in (0, 1, 2):
        assert variance_of_mean(values, lags) == pytest.approx(products[apart <= lags].sum() / 36)


def test_where_the_plain_sum_is_negative_bartletts_weights_give_a_variance() -> None:
    """Of +1, -1, +1, ...: the plain sum of one lag is near 1 - 2, Bartlett's of two lags near 1 - 4/3 + 2/3."""
    assert variance_of_mean(np.tile([1.0, -1.0], 500), 1) == pytest.approx(1 / 3 / 1000, rel=0.01)


def test_a_short_sample_of_overlapping_steps_is_not_taken_for_a_long_one() -> None:
    random = np.random.default_rng(5)
    p = np.array([mean_test(overlapping(random, 30, 5), 5).p for _ in range(2000)])
    assert (p < 0.05).mean() < 0.075


def test_a_panel_over_few_days_has_a_wider_interval_than_its_days_seem_to_say() -> None:
    random = np.random.default_rng(6)
    p = np.array([right_coverage_of_a_panel(random, 12, 1) for _ in range(2000)])
    assert (p < 0.05).mean() < 0.075


def test_the_better_forecast_has_the_negative_statistic() -> None:
    random = np.random.default_rng(6)
    better, worse, day = random.exponential(1, 300), random.exponential(2, 300), np.arange(300)
    found = diebold_mariano(better, worse, day, 1)
    assert found.statistic < 0
    assert found.p < 0.001
    assert diebold_mariano(worse, better, day, 1).statistic == -found.statistic


def test_fifty_copies_of_a_series_are_no_more_evidence_than_one() -> None:
    random = np.random.default_rng(7)
    loss, other, day = random.exponential(1, 100), random.exponential(1.2, 100), np.arange(100)
    hits = (loss < 1).astype(float)
    one = diebold_mariano(loss, other, day, 1)
    fifty = diebold_mariano(np.repeat(loss, 50), np.repeat(other, 50), np.repeat(day, 50), 1)
    assert fifty.p == pytest.approx(one.p)
    assert fifty.days == 100
    assert effective_size(np.repeat(hits, 50), np.repeat(day, 50), 1) < 150
    assert effective_size(hits, day, 1) == 100


def test_independent_series_count_in_full() -> None:
    hits = (np.random.default_rng(8).random(20 * 500) < 0.8).astype(float)
    assert effective_size(hits, np.tile(np.arange(500), 20), 1) > 6000


def test_bands_that_overlap_count_for_less() -> None:
    random = np.random.default_rng(9)
    hits = (np.abs(overlapping(random, 1000, 10)) < 3).astype(float)
    assert effective_size(hits, np.arange(1000), 10) < 400
    assert effective_size(np.ones(100), np.arange(100), 10) == pytest.approx(100 * 30 / 201)


def test_direction_equals_the_papers_statistic_where_days_are_independent() -> None:
    random = np.random.default_rng(10)
    move = random.normal(0.1, 1, 2000)
    foreseen = move + random.normal(0.1, 8, 2000)
    up, call = (move > 0).mean(), (foreseen > 0).mean()
    right, by_chance = ((move > 0) == (foreseen > 0)).mean(), up * call + (1 - up) * (1 - call)
    variance_right = by_chance * (1 - by_chance) / 2000
    variance_chance = ((2 * up - 1) ** 2 * call * (1 - call) + (2 * call - 1) ** 2 * up * (1 - up)) / 2000
    variance_chance += 4 * up * call * (1 - up) * (1 - call) / 2000**2
    paper = (right - by_chance) / np.sqrt(variance_right - variance_chance)
    assert pesaran_timmermann(move, foreseen, np.arange(2000), 1).statistic == pytest.approx(paper, rel=0.01)


def test_a_forecast_that_never_changes_its_mind_shows_nothing_about_direction() -> None:
    move = np.random.default_rng(11).normal(1, 1, 100)
    assert np.isnan(pesaran_timmermann(move, np.ones(100), np.arange(100), 1).p)
    assert np.isnan(pesaran_timmermann(move, np.zeros(100), np.arange(100), 1).p)


@given(st.integers(1, 400), st.data())
def test_the_binomial_interval_is_scipys_exact_one(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    oracle = stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
    assert binomial_interval(hits, n) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@given(st.integers(8, 400), st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.data())
def test_the_binomial_test_rejects_just_what_lies_outside_of_the_interval(
    n: int, probability: float, data: st.DataObject
) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = binomial_interval(hits, n)
    found = binomial_test(hits, n, probability)
    assert (found.p < 0.05) == (not low <= probability <= high)
    assert (found.statistic > 0) == (hits / n > probability)


@pytest.mark.parametrize("n", [12, 15])
def test_the_mean_of_few_skewed_values_is_tested_on_both_sides_alike(n: int) -> None:
    """Of exponential numbers the plain t finds a mean too small three to four times as often as it should."""
    rates = {}
    for skewed in (False, True):
        found = [mean_test(np.random.default_rng(seed).exponential(size=n) - 1, 1, skewed) for seed in range(1000)]
        rates[skewed] = np.mean([one.p < 0.05 and one.statistic < 0 for one in found])
    far = np.random.default_rng(0).exponential(size=n) / 20 - 1
    assert mean_test(far, 1, skewed=True).statistic < -10  # the cubic turns nowhere
    assert rates[False] > 0.07
    assert rates[True] < 0.06


@given(st.integers(8, 400), st.data())
def test_kupiecs_ratio_is_that_of_binomial_likelihoods(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    ratio = 2 * (stats.binom.logpmf(hits, n, hits / n) - stats.binom.logpmf(hits, n, 0.9))
    assert kupiec(hits, n, 0.9).p == pytest.approx(stats.chi2.sf(ratio, 1), rel=1e-6, abs=1e-9)


def test_the_light_is_that_of_basels_own_table_and_of_the_binomial_for_other_lengths() -> None:
    lights = [basel_light(exceptions, 250, 0.01) for exceptions in range(13)]
    assert lights == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 3
    for days in (60, 500, 1300):
        for exceptions in range(45):
            at_most = stats.binom.cdf(exceptions, days, 0.01)
            expected = "green" if at_most < 0.95 else "yellow" if at_most < 0.9999 else "red"
            assert basel_light(exceptions, days, 0.01) == expected
        greens = [exceptions for exceptions in range(45) if basel_light(exceptions, days, 0.01) == "green"]
        assert green_chance(days, 0.01, 0.03) == pytest.approx(stats.binom.cdf(max(greens), days, 0.03))
    assert basel_light(0, 5, 0.01) is None
    assert np.isnan(green_chance(5, 0.01, 0.02))


def test_christoffersens_ratio_is_that_of_the_table_of_transitions() -> None:
    hits = (np.random.default_rng(12).random(300) < 0.8).astype(int)
    table = np.zeros((2, 2))
    np.add.at(table, (hits[:-1], hits[1:]), 1)
    oracle = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    found = christoffersen(hits.astype(float))
    assert (found.statistic, found.p) == pytest.approx((oracle.statistic, oracle.pvalue))


def test_misses_in_clusters_are_found_in_one_series_and_in_a_panel() -> None:
    wild = np.repeat(np.random.default_rng(13).random(100) < 0.2, 5)
    assert christoffersen((~wild).astype(float)).p < 0.001
    assert christoffersen(np.where(wild, 0.5, 0.9)).p < 0.001


def test_holms_correction_is_that_of_the_textbook() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.5, 0.9]) == pytest.approx((1.0, 1.0))
    corrected = holm([0.02, float("nan"), 0.01])
    assert (corrected[0], corrected[2]) == pytest.approx((0.02, 0.02))
    assert np.isnan(corrected[1])


def test_too_few_days_or_no_difference_can_not_be_tested() -> None:
    day = np.arange(7)
    assert np.isnan(diebold_mariano(np.arange(7.0), np.zeros(7), day, 1).p)
    assert np.isnan(diebold_mariano(np.ones(30), np.ones(30), np.arange(30), 1).p)
    assert np.isnan(mean_test(np.random.default_rng(14).random(30), 10).p)
    assert np.isnan([kupiec(3, 5, 0.8).p, binomial_test(3, 5, 0.8).p, christoffersen(np.empty(0), 5).p]).all()
    assert effective_size(np.empty(0), np.empty(0, dtype=np.int64), 5) == 0


def test_a_days_mean_skips_days_without_values() -> None:
    np.testing.assert_array_equal(daily_mean(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 2])), [2, 5])
