"""The records of scores: what is counted, in which unit, and what is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stockcast.data.forecast import EvaluatedForecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.levels import central_bands, shared_levels
from stockcast.evaluate.steps import NaiveErrors, naive_errors, pick, score, score_each, steps_of
from stockcast.model.baselines import build

Prices = Callable[..., PriceSeries]


def evaluated(panel: Panel, name: str = "naive", horizon: int = 3) -> EvaluatedForecast:
    """The last hundred cutoffs of each series, those without any known step left out."""
    train = panel.upto(panel.series[0].dates[-101])
    origins = [np.arange(len(one) - 101, len(one) - 1) for one in panel.series]
    return evaluate(name, panel, build(name, train, "close", horizon).forecast(panel, origins), "close")


def training(panel: Panel, horizon: int = 3) -> NaiveErrors:
    return naive_errors(panel.upto(panel.series[0].dates[-101]), "close", horizon)


def test_steps_after_the_end_of_the_data_are_left_out(prices: Prices) -> None:
    panel = Panel((prices(),))
    steps = score(evaluated(panel), training(panel))
    assert [one.step for one in steps] == [1, 2, 3]
    assert [one.n for one in steps] == [100, 99, 98]


def test_the_last_prices_scores_are_those_done_by_hand(prices: Prices) -> None:
    panel = Panel((prices(),))
    level = panel.series[0].columns["close"]
    first, _, third = score(evaluated(panel), training(panel))
    known = level[:-100]
    move = level[-100:] - level[-101:-1]
    assert first.rmse == pytest.approx(np.sqrt(np.mean(move**2)))
    assert first.mae_percent == pytest.approx(np.mean(100 * np.abs(move) / level[-101:-1]))
    assert first.mase == pytest.approx(np.abs(move).mean() / np.abs(np.diff(known)).mean())
    assert first.rmsse == pytest.approx(np.sqrt((move**2).mean() / (np.diff(known) ** 2).mean()))
    third_move = np.abs(level[-98:] - level[-101:-3])
    assert third.mase == pytest.approx(third_move.mean() / np.abs(known[3:] - known[:-3]).mean())
    assert first.direction == 0.5
    assert first.skill(first) == {"rmse_percent": 0, "mae_percent": 0, "pinball": 0}


def test_each_bands_coverage_lies_in_its_interval_and_wider_bands_hold_more(prices: Prices) -> None:
    panel = Panel((prices(),))
    bands = score(evaluated(panel), training(panel))[0].bands
    assert [band.level for band in bands] == [0.5, 0.8, 0.9, 0.95, 0.98]
    assert all(band.low <= band.coverage <= band.high for band in bands)
    assert all(narrow.width < wide.width for narrow, wide in pairwise(bands))


def test_series_are_scored_together_and_each(prices: Prices) -> None:
    cheap = prices(seed=1, name="cheap")
    dear = PriceSeries("dear", cheap.dates, {"close": 1000 * cheap.columns["close"]})
    panel = Panel((cheap, dear))
    both = evaluated(panel)
    together, each = score(both, training(panel))[0], score_each(both, training(panel))
    assert list(each) == ["cheap", "dear"]
    assert together.n == each["cheap"][0].n + each["dear"][0].n
    assert together.days == 100
    assert np.isnan([together.mae, together.rmse]).all()
    assert each["dear"][0].rmse == pytest.approx(1000 * each["cheap"][0].rmse)
    for one in ("pinball", "rmse_percent", "mase", "crps"):
        assert getattr(each["dear"][0], one) == pytest.approx(getattr(each["cheap"][0], one))
        assert getattr(together, one) == pytest.approx(getattr(each["cheap"][0], one))


def test_a_series_that_was_not_in_training_has_no_scaled_error_but_the_others_have(prices: Prices) -> None:
    old, new = prices(name="old"), prices(seed=2, name="new")
    both = evaluated(Panel((old, new)))
    first = score(both, training(Panel((old,))))[0]
    assert first.mase == pytest.approx(score_each(both, training(Panel((old,))))["old"][0].mase)
    assert np.isnan(score_each(both, training(Panel((old,))))["new"][0].mase)


def test_the_record_is_json_with_null_for_what_is_unknown(prices: Prices) -> None:
    panel = Panel((prices(seed=1, name="one"), prices(seed=2, name="two")))
    record = score(evaluated(panel), training(panel))[2].as_dict()
    text = json.dumps(record, allow_nan=False)
    assert json.loads(text)["rmse"] is None
    assert json.loads(text)["bands"][1]["level"] == 0.8


def test_a_step_that_no_price_has_reached_is_scored_as_unknown(prices: Prices) -> None:
    panel = Panel((prices(),))
    whole = evaluated(panel)
    last = pick(whole, np.arange(len(whole.origin)) == len(whole.origin) - 1)
    first, second, _ = score(last, training(panel))
    assert (first.n, second.n) == (1, 0)
    assert np.isnan(second.pinball)
    assert np.isnan(second.bands[0].coverage)


def at_levels(whole: EvaluatedForecast, levels: tuple[float, ...]) -> EvaluatedForecast:
    """The same forecasts with quantiles at some of their levels alone."""
    old = whole.forecast
    kept = [old.levels.index(level) for level in levels]
    return replace(whole, forecast=replace(old, quantiles=old.quantiles[:, :, kept], levels=levels))


@pytest.mark.parametrize(
    ("levels", "bands"),
    [
        ((), ()),
        ((0.5,), ()),
        ((0.1, 0.9), (0.8,)),
        ((0.025, 0.1, 0.5, 0.9), (0.8,)),
        ((0.05, 0.2, 0.8), (0.6,)),
        ((0.16, 0.3, 0.7, 0.84), (0.4, 0.68)),
        (tuple(level / 10 for level in range(1, 10)), (0.8,)),
        (tuple(level / 100 for level in range(1, 100)), (0.5, 0.8, 0.9)),
        ((0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975), (0.5, 0.8, 0.9, 0.95)),
    ],
)
def test_a_band_is_judged_where_both_its_ends_are(levels: tuple[float, ...], bands: tuple[float, ...]) -> None:
    assert central_bands(levels) == bands


def test_a_band_that_is_not_there_is_not_taken_for_the_nearest(prices: Prices) -> None:
    panel = Panel((prices(),))
    whole = evaluated(panel)
    (first, *_), (full, *_) = score(at_levels(whole, (0.1, 0.9)), training(panel)), score(whole, training(panel))
    assert first.bands == (full.bands[1],)
    assert len(first.pit) == 3
    point_alone = score(at_levels(whole, ()), training(panel))[0]
    assert (point_alone.bands, point_alone.pit) == ((), ())
    assert np.isnan([point_alone.pinball, point_alone.crps]).all()
    assert point_alone.rmse == full.rmse


def test_losses_are_compared_over_the_levels_that_all_have(prices: Prices) -> None:
    panel = Panel((prices(),))
    whole = evaluated(panel)
    few, none = at_levels(whole, (0.1, 0.5, 0.9)), at_levels(whole, ())
    shared = shared_levels([one.forecast.levels for one in (whole, none, few)])
    assert shared == (0.1, 0.5, 0.9)
    assert score(whole, training(panel), shared)[0].pinball == pytest.approx(score(few, training(panel))[0].pinball)
    assert score(whole, training(panel), shared)[0].bands == score(whole, training(panel))[0].bands
    assert shared_levels([(0.2, 0.8), (0.1, 0.9)]) == shared_levels([(), ()]) == ()


@pytest.mark.parametrize(("every", "overlaps"), [(1, [1, 2, 3]), (2, [1, 1, 2]), (5, [1, 1, 1])])
def test_forecasts_overlap_as_often_as_they_are_made(prices: Prices, every: int, overlaps: list[int]) -> None:
    whole = evaluated(Panel((prices(),)))
    thinned = pick(whole, np.arange(len(whole.origin)) % every == 0)
    assert [step.overlap for step in steps_of(thinned)] == overlaps


def test_a_step_of_three_sessions_overlaps_as_three_steps_do(prices: Prices) -> None:
    whole = evaluated(Panel((prices(),)))
    third = replace(whole.forecast, point=whole.forecast.point[:, 2:], quantiles=whole.forecast.quantiles[:, 2:])
    (step,) = steps_of(replace(whole, forecast=third, actual=whole.actual[:, 2:], dates=whole.dates[:, 2:]))
    assert (step.number, step.overlap) == (1, 3)


def test_steps_that_were_not_forecast_are_left_out(prices: Prices) -> None:
    panel = Panel((prices(),))
    whole = evaluated(panel)
    gap = np.where(np.arange(3) == 1, np.nan, 1.0)
    forecast = replace(whole.forecast, point=whole.forecast.point * gap)
    with_gap = replace(whole, forecast=forecast, actual=whole.actual * gap)
    first, _, third = score(whole, training(panel))
    assert score(with_gap, training(panel)) == (first, third)
