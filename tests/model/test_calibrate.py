"""Calibration against its guarantees: the conformal rank, and the long run of adaptive conformal inference."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import genpareto

from stockcast.data.forecast import QUANTILES
from stockcast.data.series import Floats
from stockcast.data.tails import INDEX
from stockcast.model.calibrate import REGIME, Calibration, PendingForecasts, calibrate, with_tails

LEVELS = np.array(QUANTILES)
NORMAL = np.array([-1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96])
BEGIN = np.datetime64("2024-01-01")


def adaptive(conformal_rate: float = 0.0, series_rate: float = 0.0, horizon: int = 1) -> Calibration:
    return Calibration(np.zeros((horizon, 9)), 100, False, conformal_rate, series_rate, since=BEGIN)


def pending_daily(targets: Floats, horizon: int = 1) -> PendingForecasts:
    """A forecast of each series a day: targets (days, series), each answered one to `horizon` days later."""
    days, count = targets.shape
    made = np.repeat(BEGIN + np.arange(days), count)
    came = made[:, None] + np.arange(1, horizon + 1)
    series = np.tile(np.arange(count), days)
    answers = np.repeat(targets.reshape(-1, 1), horizon, axis=1)
    return PendingForecasts(tuple(f"s{number}" for number in range(count)), series, made, came, answers)


def constant(forecasts: int, horizon: int = 1) -> Floats:
    return np.tile(NORMAL, (forecasts, horizon, 1))


def held(quantiles: Floats, targets: Floats) -> float:
    """The share of targets (n,) inside the 80 % band of the first step."""
    return float(((targets >= quantiles[:, 0, 2]) & (targets <= quantiles[:, 0, 6])).mean())


@pytest.mark.parametrize("n", [39, 100])
def test_a_new_answer_lies_below_a_conformal_quantile_with_its_rank_s_probability(n: int) -> None:
    trials = 20_000  # each step is a trial of its own
    errors = np.random.default_rng(0).standard_cauchy((n + 1, trials))
    quantiles = calibrate(np.zeros((n, trials, 1)), errors[:n], in_sample=False, days=n).apply(np.zeros((1, trials, 1)))
    below = (errors[n][:, None] <= quantiles[0]).mean(axis=0)
    rank = np.where(LEVELS >= 0.5, np.ceil((n + 1) * LEVELS), np.floor((n + 1) * LEVELS))
    np.testing.assert_allclose(below, np.clip(rank, 1, n) / (n + 1), atol=0.01)


def test_a_distribution_keeps_its_median_and_moves_as_far_as_its_days_are_worth() -> None:
    answers = 3.0 * np.random.default_rng(1).standard_normal((4000, 2)) + 1.0
    outputs = constant(4000, 2)
    few, many = (calibrate(outputs, answers, in_sample=False, days=days) for days in (REGIME, 10**9))
    np.testing.assert_array_equal(few.shift[:, 4], 0.0)
    np.testing.assert_allclose(few.shift, many.shift / 2, rtol=1e-5)
    below = (answers[:, :, None] <= many.apply(outputs)).mean(axis=0)
    np.testing.assert_allclose(np.delete(below, 4, axis=1), np.tile(np.delete(LEVELS, 4), (2, 1)), atol=0.01)


@given(
    arrays(np.float64, (5, 2, 9), elements=st.floats(-10, 10)),
    arrays(np.float64, (2, 9), elements=st.floats(-5, 5)),
    st.floats(-2, 2),
)
def test_corrected_quantiles_never_cross(outputs: Floats, shift: Floats, series_log_scale: float) -> None:
    calibration = Calibration(
        shift, 9, False, 0.1, 0.1, series_log_scale={"s0": np.full(2, series_log_scale)}, since=BEGIN
    )
    one = PendingForecasts(
        ("s0",), np.zeros(5, dtype=np.int64), BEGIN + np.arange(5), np.full((5, 2), np.datetime64("NaT")), shift
    )
    for quantiles in (calibration.apply(np.sort(outputs)), calibration.adapt(np.sort(outputs), one)):
        assert (np.diff(quantiles, axis=-1) >= 0).all()


@settings(max_examples=30)
@given(arrays(np.float64, 300, elements=st.floats(0.01, 50)), st.sampled_from([0.05, 0.3]))
def test_whatever_sizes_come_the_share_below_a_quantile_nears_its_level(sizes: Floats, conformal_rate: float) -> None:
    """Gibbs and Candes (2021), proposition 4.1: the gap is at most how far the quantile was moved, over rate x days."""
    targets = (sizes * np.tile([-1.0, 1.0], 150))[:, None]
    outputs = constant(300)
    quantiles = adaptive(conformal_rate).adapt(outputs, pending_daily(targets))
    gap = np.abs(LEVELS - (targets <= quantiles[:, 0]).mean(axis=0))
    width = NORMAL[6] - NORMAL[2]
    moved = np.abs(quantiles - outputs).max() / width + conformal_rate
    assert moved <= (np.abs(targets).max() + 2) / width + 2 * conformal_rate  # a quantile beyond all answers comes back
    assert (np.delete(gap, 4) <= moved / (conformal_rate * 300) + 1 / 300).all()


def test_bands_that_are_too_narrow_come_to_hold_what_they_promise() -> None:
    targets = 2.0 * np.random.default_rng(2).standard_normal((2500, 1))
    outputs = constant(2500)
    assert held(outputs, targets[:, 0]) < 0.5
    for calibration in (adaptive(conformal_rate=0.02), adaptive(series_rate=0.05)):
        quantiles = calibration.adapt(outputs, pending_daily(targets))
        assert held(quantiles[500:], targets[500:, 0]) == pytest.approx(0.8, abs=0.02)


def test_each_series_comes_to_its_own_width() -> None:
    targets = np.random.default_rng(3).standard_normal((1500, 2)) * [0.6, 1.4]
    pending, outputs = pending_daily(targets), constant(3000)
    flat = targets.reshape(-1)
    together = adaptive(conformal_rate=0.02).adapt(outputs, pending)
    apart = adaptive(conformal_rate=0.02, series_rate=0.04).adapt(outputs, pending)
    for series in (0, 1):
        mine = pending.series == series
        assert abs(held(together[mine], flat[mine]) - 0.8) > 0.06
        assert held(apart[mine], flat[mine]) == pytest.approx(0.8, abs=0.025)


def test_no_forecast_knows_an_answer_that_came_after_it() -> None:
    random = np.random.default_rng(4)
    targets = random.standard_normal((60, 3))
    other = targets.copy()
    other[30:] *= 10
    calibration = adaptive(conformal_rate=0.1, series_rate=0.1, horizon=4)
    first, second = (calibration.adapt(constant(180, 4), pending_daily(one, 4)) for one in (targets, other))
    known = 3 * 31  # the forecast of day 30 is answered from day 31 on
    np.testing.assert_array_equal(first[:known], second[:known])
    assert (first[known:] != second[known:]).any()


def test_before_the_day_that_it_follows_from_a_forecast_knows_no_answer() -> None:
    targets = np.full((20, 1), 9.0)
    late = Calibration(np.zeros((1, 9)), 9, False, 0.1, 0.1, since=BEGIN + np.timedelta64(10, "D"))
    quantiles = late.adapt(constant(20), pending_daily(targets))
    np.testing.assert_array_equal(quantiles[:11], constant(11))
    assert (quantiles[11:, 0, 8] > NORMAL[8]).all()


def heavy(n: int, seed: int = 5, scale: float = 0.5) -> Floats:
    """Targets (n, 2) whose lower tail is a Pareto's beyond the normal 2.5 % quantile, and normal else."""
    random = np.random.default_rng(seed)
    targets = random.standard_normal((n, 2))
    beyond = genpareto(INDEX, scale=scale).rvs(targets.shape, random_state=random)
    return np.where(targets < NORMAL[0], NORMAL[0] - beyond, targets)


def test_a_tail_is_set_where_one_outcome_in_a_hundred_lies_beyond() -> None:
    outputs, targets = constant(40_000, 2), heavy(40_000)
    found = with_tails(Calibration(np.zeros((2, 9)), 9, False), outputs, targets)
    quantiles = found.apply(outputs[:1])[0]
    truth = NORMAL[0] - genpareto(INDEX, scale=0.5).isf(0.4)
    np.testing.assert_allclose(quantiles[:, 0], truth, atol=0.03)
    np.testing.assert_allclose((targets < quantiles[:, 0]).mean(axis=0), 0.01, atol=0.001)
    np.testing.assert_array_equal(quantiles[:, 1:-1], outputs[0])


def test_a_point_forecasts_tail_is_set_on_its_errors_whatever_the_size_of_a_step() -> None:
    targets = heavy(40_000) * [1.0, 30.0]
    bands = calibrate(np.zeros((40_000, 2, 1)), targets, in_sample=False, days=300)
    quantiles = with_tails(bands, np.zeros((40_000, 2, 1)), targets).apply(np.zeros((1, 2, 1)))[0]
    np.testing.assert_array_equal(quantiles[:, 1:-1], bands.apply(np.zeros((1, 2, 1)))[0])
    np.testing.assert_allclose((targets < quantiles[:, 0]).mean(axis=0), 0.01, atol=0.001)


def test_errors_that_are_all_the_same_have_no_tail() -> None:
    bands = calibrate(np.zeros((30, 2, 1)), np.ones((30, 2)), in_sample=False, days=30)
    np.testing.assert_array_equal(with_tails(bands, np.zeros((30, 2, 1)), np.ones((30, 2))).shift, np.ones((2, 11)))


def test_where_nothing_lies_beyond_a_tail_goes_on_as_its_two_neighbours_do() -> None:
    outputs = constant(50)
    quantiles = with_tails(Calibration(np.zeros((1, 9)), 9, False), outputs, np.zeros((50, 1))).apply(outputs[:1])[0, 0]
    before = genpareto(INDEX)  # beyond the 5 % quantile, on whose half and fifth the two others lie
    expected = before.isf(0.2) / before.isf(0.5) * (NORMAL[1] - NORMAL[0])
    assert NORMAL[1] - quantiles[0] == pytest.approx(expected)
    assert quantiles[-1] == pytest.approx(-quantiles[0])


@settings(max_examples=30)
@given(arrays(np.float64, (80, 2), elements=st.floats(-6, 6)), st.sampled_from([0.0, 0.05]))
def test_the_others_are_the_same_to_the_bit_with_and_without_tails(targets: Floats, series_rate: float) -> None:
    bare, outputs = adaptive(0.05, series_rate), constant(160)
    whole = with_tails(bare, outputs, targets.reshape(-1, 1))
    quantiles = whole.adapt(outputs, pending_daily(targets))
    assert quantiles.shape[-1] == 11
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    np.testing.assert_array_equal(quantiles[..., 1:-1], bare.adapt(outputs, pending_daily(targets)))


def test_tails_come_to_hold_what_they_promise() -> None:
    targets = 2.0 * np.random.default_rng(6).standard_t(4, (6000, 1))
    outputs = constant(6000)
    calibration = with_tails(adaptive(conformal_rate=0.05), outputs, np.zeros((6000, 1)))
    quantiles = calibration.adapt(outputs, pending_daily(targets))[:, 0]
    assert (targets[:1000] < quantiles[:1000, :1]).mean() > 0.015
    assert (targets[1000:] < quantiles[1000:, :1]).mean() == pytest.approx(0.01, abs=0.003)


def test_it_comes_back_from_json_as_it_was() -> None:
    series_log_scale = {"s0": np.array([0.1, -0.2])}
    whole = Calibration(np.arange(18.0).reshape(2, 9), 7, True, 0.1, 0.2, np.ones((2, 9)), series_log_scale, BEGIN)
    back = Calibration.from_dict(json.loads(json.dumps(whole.to_dict())))
    assert back.to_dict() == whole.to_dict()
    outputs, pending = constant(6, 2), pending_daily(np.ones((3, 2)), 2)
    np.testing.assert_array_equal(back.adapt(outputs, pending), whole.adapt(outputs, pending))
