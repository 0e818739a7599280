"""The records of scores: what is counted, in which unit, and what is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from stockcast.data.forecast import EvaluatedForecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.steps import NaiveErrors, naive_errors, pick, score, score_each
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
    assert [band.level for band in bands] == [0.5, 0.8, 0.9, 0.95]
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
