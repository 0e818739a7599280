"""The recipe as a whole: what it may know, that it repeats itself, and that what serves is what was trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from stockcast.config.run import RunConfig, load_config
from stockcast.data.forecast import QUANTILES
from stockcast.data.prepared import prepare
from stockcast.data.rows import Floats32
from stockcast.data.series import Panel, PriceSeries
from stockcast.data.windows import windows_between
from stockcast.errors import DataError, TrainingDiverged
from stockcast.learn import BASELINES, Learned, fit, learn
from stockcast.model.baselines import build
from stockcast.model.training_run import TrainingRun

pytestmark = pytest.mark.tensorflow

TINY = ("model.units=[4,4]", "fit.epochs=2", "data.lookback=10", "fit.warmup=2", "data.horizon=3")
LEVEL = (*TINY, "data.lookback=8", "data.horizon=1", "model.units=[3]", "fit.warmup=0")

Prices = Callable[..., PriceSeries]


def tiny(preset: str = "daily", *settings: str) -> RunConfig:
    return load_config(preset, (*(TINY if preset == "daily" else LEVEL), *settings))


def changed_after(panel: Panel, cutoff: np.datetime64) -> Panel:
    """The panel with every later price half as high again, and its volume, if any, at ten times its own."""
    factors = {"volume": 10.0}
    return Panel(
        tuple(
            replace(
                one,
                columns={
                    key: np.where(one.dates > cutoff, values * factors.get(key, 1.5), values)
                    for key, values in one.columns.items()
                },
            )
            for one in panel.series
        )
    )


def assert_same_model(first: Learned, second: Learned) -> None:
    for key, weights in first.weights.items():
        np.testing.assert_array_equal(weights, second.weights[key])
    assert first.forecaster.scalers.to_dict() == second.forecaster.scalers.to_dict()
    assert first.forecaster.calibration is not None
    assert second.forecaster.calibration is not None
    assert first.forecaster.calibration.to_dict() == second.forecaster.calibration.to_dict()


@pytest.mark.parametrize("preset", ["daily", "tutorial-google"])
def test_nothing_that_is_learned_depends_on_a_price_after_the_cutoff(prices: Prices, preset: str) -> None:
    panel = Panel((prices(rows=260, name="a"), prices(rows=240, name="b", seed=1)))
    config = tiny(preset, "split.validation=0.1", "split.calibration=0.1")
    learned = learn(panel, TrainingRun(config, preset))
    later = learn(changed_after(panel, learned.cuts.calibration), TrainingRun(config, preset))
    assert_same_model(learned, later)
    first = learned.assessment.evaluated.origin == learned.cuts.calibration
    assert first.any()
    np.testing.assert_array_equal(
        learned.assessment.evaluated.forecast.point[first], later.assessment.evaluated.forecast.point[first]
    )


def test_one_series_alone_has_a_unit_of_its_own_and_a_panel_does_not(prices: Prices) -> None:
    one, another = prices(rows=260, name="a"), prices(rows=240, name="b", seed=1)

    def learned(panel: Panel, *settings: str) -> Learned:
        return learn(panel, TrainingRun(tiny("daily", *settings)))

    alone, panel = Panel((one,)), Panel((one, another))
    mine = learned(alone, "data.halflife_alone=7")
    assert_same_model(mine, learned(alone, "data.halflife=7", "data.halflife_alone=0"))
    assert mine.forecaster.data.halflife == 7
    assert_same_model(learned(panel, "data.halflife_alone=7"), learned(panel, "data.halflife_alone=0"))


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(prices: Prices) -> None:
    panel = Panel((prices(),))
    once = learn(panel, TrainingRun(tiny(), "daily"))
    assert_same_model(once, learn(panel, TrainingRun(tiny(), "daily")))
    other = learn(panel, TrainingRun(tiny("daily", "fit.seed=1"), "daily"))
    assert any((weights != other.weights[key]).any() for key, weights in once.weights.items())


@pytest.mark.parametrize("preset", ["daily", "tutorial-google"])
def test_what_serves_answers_as_keras_does_with_the_same_weights(prices: Prices, preset: str) -> None:
    from stockcast.model.network import Shape, build_network

    config = tiny(preset)
    learned = learn(Panel((prices(),)), TrainingRun(config, preset))
    features = len(learned.forecaster.features)
    network = build_network(config.model, Shape(config.data.lookback, features, config.data.horizon), fused=False)
    network.set_weights(list(learned.weights.values()))
    windows = np.random.default_rng(0).random((50, config.data.lookback, features)).astype(np.float32)
    keras_says = np.asarray(network(windows))
    np.testing.assert_allclose(
        learned.forecaster.infer(windows), keras_says, rtol=1e-5, atol=1e-5 * np.abs(keras_says).max()
    )


def test_every_forecast_is_judged_on_later_dates_and_quantiles_never_cross(prices: Prices) -> None:
    learned = learn(Panel((prices(),)), TrainingRun(tiny(), "daily"))
    evaluated = learned.assessment.evaluated
    known = ~np.isnat(evaluated.dates)
    assert (evaluated.dates > evaluated.origin[:, None])[known].all()
    assert (np.diff(evaluated.forecast.quantiles, axis=-1) >= 0).all()
    assert evaluated.origin.min() == learned.cuts.calibration
    for baseline in learned.assessment.baselines.values():
        np.testing.assert_array_equal(baseline.origin, evaluated.origin)


def test_the_baselines_follow_the_answers_as_fast_as_the_model_does(prices: Prices) -> None:
    panel, config = Panel((prices(),)), tiny()
    learned = learn(panel, TrainingRun(config, "daily"))
    known, calibration = panel.upto(learned.cuts.calibration), learned.forecaster.calibration
    assert calibration is not None
    rates = (calibration.conformal_rate, calibration.series_rate)
    assert min(rates) > 0
    assert set(learned.assessment.baselines) == set(BASELINES) == {"naive", "ewma", "har"}
    for name, judged in learned.assessment.baselines.items():
        expected = build(name, known, "close", 3, *rates).forecast(panel, [judged.forecast.row])
        np.testing.assert_array_equal(judged.forecast.quantiles, expected.quantiles)
        fixed = build(name, known, "close", 3).forecast(panel, [judged.forecast.row])
        assert (judged.forecast.quantiles != fixed.quantiles).any()


def test_early_stopping_keeps_the_best_epoch(prices: Prices) -> None:
    config = tiny("daily", "split.validation=0.2", "fit.epochs=30", "fit.patience=2", "fit.learning_rate=0.05")
    learned = learn(Panel((prices(),)), TrainingRun(config, "daily"))
    losses = [epoch.validation_loss for epoch in learned.history]
    assert None not in losses
    assert learned.best_epoch == 1 + int(np.argmin(np.array(losses, dtype=np.float64)))
    assert len(losses) in (30, learned.best_epoch + 2)


@pytest.mark.parametrize("positions", ["all", "last"])
def test_early_stopping_looks_at_no_price_from_before_the_validation_part(prices: Prices, positions: str) -> None:
    """The loss is that of the forecasts made from the cut on, each from a full window, as it serves: by numpy."""
    panel = Panel((prices(rows=260, name="a"), prices(rows=240, name="b", seed=1)))
    config = tiny("daily", "split.validation=40", f"fit.positions={positions}", "fit.epochs=1", "fit.refit=false")
    prepared = prepare(panel, config)
    cuts = prepared.cuts
    fitted = fit(prepared.table.upto(cuts.calibration), cuts, TrainingRun(config))
    held_back = windows_between(fitted.train.rows, config.data.lookback, cuts.fit, cuts.validation)
    assert held_back.first_dates.min() > cuts.fit
    outputs = fitted.forecaster.outputs(held_back.rows, held_back.ends)  # (n, H, Q)
    errors = held_back.y[..., None] - outputs
    pinball = np.maximum(np.array(QUANTILES) * errors, (np.array(QUANTILES) - 1) * errors)
    (epoch,) = fitted.trained.history
    assert epoch.validation_loss == pytest.approx(pinball.mean(), rel=1e-5)


def test_a_loss_that_is_no_number_stops_with_the_setting_to_change(prices: Prices) -> None:
    config = tiny(
        "tutorial-google", "fit.learning_rate=10", "fit.optimizer=sgd", "fit.epochs=50", "data.range_high=1e9"
    )
    with pytest.raises(TrainingDiverged, match="step size") as refused:
        learn(Panel((prices(),)), TrainingRun(config, "tutorial-google"))
    assert "--set fit.learning_rate=1" in (refused.value.fix or "")


@pytest.mark.parametrize("lookback", [1, 10])
def test_prices_alone_can_forecast_returns_whose_unit_is_known_later(prices: Prices, lookback: int) -> None:
    config = tiny("daily", 'data.features=["close"]', f"data.lookback={lookback}", "fit.warmup=0", "fit.stride=1")
    learned = learn(Panel((prices(),)), TrainingRun(config, "daily"))
    assert np.isfinite([epoch.loss for epoch in learned.history]).all()


def test_a_short_series_says_how_many_sessions_are_needed(prices: Prices) -> None:
    with pytest.raises(DataError, match="acme has 98 sessions; lookback 60 and horizon 5 need at least 130") as refused:
        learn(Panel((prices(rows=98),)), TrainingRun(load_config(), "daily"))
    assert "--set data.lookback=" in (refused.value.fix or "")


def test_what_is_saved_forecasts_as_what_was_judged_and_need_not_go_over_that_part_again(prices: Prices) -> None:
    panel = Panel((prices(rows=260, name="a"), prices(rows=260, name="b", seed=1)))
    learned = learn(panel, TrainingRun(tiny("daily", "fit.follow=0.05", "split.calibration=0.1"), "daily"))
    newest = [np.array([len(one) - 1]) for one in panel.series]
    evaluated, saved = (one.forecast(panel, newest) for one in (learned.forecaster, learned.serving))
    np.testing.assert_allclose(saved.quantiles, evaluated.quantiles, rtol=1e-9)
    asked: list[int] = []

    def infer(windows: Floats32) -> Floats32:
        asked.append(len(windows))
        return learned.serving.infer(windows)

    replace(learned.serving, infer=infer).forecast(panel, newest)
    assert asked == [2]
