"""Training choices against closed forms, and a training that is broken off and taken up again."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from stockcast.config.run import RunConfig, from_table, reseeded
from stockcast.config.sections import ModelConfig
from stockcast.data.rows import Rows
from stockcast.data.windows import Windows
from stockcast.model.fit import Trained, fit_network
from stockcast.model.losses import volatility_loss
from stockcast.model.network import Shape, build_network
from stockcast.model.training_run import Epoch, TrainingRun
from stockcast.store.store import Store

pytestmark = pytest.mark.tensorflow

LOOKBACK, ROWS = 4, 40


def settings(**more: object) -> RunConfig:
    """The linear unit trained by plain gradient descent, a step an epoch; `more` are settings of the training."""
    model: dict[str, object] = {"cell": "linear", "head": "point", "units": [3], "dropout": 0.2}
    fit: dict[str, object] = {"loss": "mse", "optimizer": "sgd", "learning_rate": 0.1, "decay": "none", "clipnorm": 0}
    fit |= {"epochs": 1, "batch_size": 1000, "positions": "last", "warmup": 0, "stride": 1}
    for key, value in more.items():
        (model if key in ModelConfig.model_fields else fit)[key] = value
    return from_table({"data": {"lookback": LOOKBACK, "horizon": 1}, "model": model, "fit": fit})


def windows(first: int = LOOKBACK - 1) -> Windows:
    draw = np.random.default_rng(3)
    inputs = draw.normal(size=(ROWS, 2)).astype(np.float32)
    targets = (3 * inputs[:, :1] + draw.normal(size=(ROWS, 1))).astype(np.float32)
    ones, dates = np.ones(ROWS), np.arange("2020-01-01", ROWS, dtype="datetime64[D]")
    parts = (inputs, targets, ones, ones[:, None], ones, dates, dates, np.array([0, ROWS]))
    table = Rows(*parts, ("s",), np.zeros(1, dtype=np.int64), logarithmic=False)
    return Windows(table, np.arange(first, ROWS), LOOKBACK)


def begin(config: RunConfig) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The inputs with a 1 for the bias, the targets, and the weights that training begins with."""
    kernel, bias = build_network(config.model, Shape(LOOKBACK, 2, 1), seed=config.fit.seed).get_weights()
    data = windows()
    x = np.column_stack([data.x.reshape(len(data), -1), np.ones(len(data))])
    return x.astype(np.float64), data.y[:, 0].astype(np.float64), np.append(kernel[:, 0], bias).astype(np.float64)


def ended(trained: Trained) -> NDArray[np.float64]:
    kernel, bias = trained.arrays
    return np.append(kernel[:, 0], bias)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"l2": 0.3},
        {"l1": 0.2},
        {"clipnorm": 0.5},
        {"clipvalue": 0.4},
        {"momentum": 0.9, "epochs": 3},
        {"l1": 0.1, "l2": 0.1, "momentum": 0.5, "clipvalue": 1.0, "epochs": 2},
    ],
    ids=str,
)
def test_a_step_of_gradient_descent_is_the_closed_form(more: dict[str, Any]) -> None:
    config = settings(**more)
    x, y, w = begin(config)
    kernels = np.append(np.ones(len(w) - 1), 0)
    velocity = np.zeros_like(w)
    for _ in range(config.fit.epochs):
        gradient = 2 * x.T @ (x @ w - y) / len(y) + kernels * (2 * config.fit.l2 * w + config.fit.l1 * np.sign(w))
        if config.fit.clipnorm:
            gradient *= min(1.0, config.fit.clipnorm / float(np.linalg.norm(gradient)))
        if config.fit.clipvalue:
            gradient = np.clip(gradient, -config.fit.clipvalue, config.fit.clipvalue)
        velocity = config.fit.momentum * velocity - config.fit.learning_rate * gradient
        w = w + velocity
    np.testing.assert_allclose(ended(fit_network(windows(), None, TrainingRun(config))), w, rtol=1e-5, atol=1e-6)


def huber(error: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(error) <= 1, error**2 / 2, np.abs(error) - 0.5)


@pytest.mark.parametrize(("loss", "by_hand"), [("mse", np.square), ("mae", np.abs), ("huber", huber)])
def test_the_loss_is_its_formula_and_leaves_the_penalty_out(loss: str, by_hand: Any) -> None:
    config = settings(loss=loss, l2=5.0)
    x, y, w = begin(config)
    found = fit_network(windows(), windows(20), TrainingRun(config)).history[0]
    assert found.loss == pytest.approx(by_hand(x @ w - y).mean(), rel=1e-5)
    assert found.validation_loss is not None


def bands(realised: float, **more: object) -> RunConfig:
    """A linear model of how wide the bands are."""
    data = {"lookback": LOOKBACK, "horizon": 2, "target": "return"}
    model = {"cell": "linear", "head": "scale", "dropout": 0}
    fit = {"loss": "pinball", "positions": "last", "warmup": 0, "realised": realised, "batch_size": 100, **more}
    return from_table({"data": data, "model": model, "fit": fit})


def silent_returns() -> Windows:
    """Returns of which the input says nothing, over sessions whose ranges it foretells."""
    draw = np.random.default_rng(7)
    inputs = draw.normal(size=(2000, 1)).astype(np.float32)
    targets = draw.normal(size=(2000, 2)).astype(np.float32)
    shown = (0.5 * inputs + 0.1 * draw.normal(size=(2000, 2))).astype(np.float32)
    ones, dates = np.ones(2000), np.arange("2020-01-01", 2000, dtype="datetime64[D]")
    parts = (inputs, targets, ones, np.ones((2000, 2)), ones, dates, dates, np.array([0, 2000]))
    table = Rows(*parts, ("s",), np.zeros(1, dtype=np.int64), logarithmic=True, realized=shown)
    return Windows(table, np.arange(LOOKBACK - 1, 2000), LOOKBACK)


def test_bands_learn_their_width_from_what_the_ranges_showed() -> None:
    data = silent_returns()
    for weight, least, most in ((1.0, 0.9, 1.0), (0.0, -0.6, 0.6)):
        trained = fit_network(data, None, TrainingRun(bands(weight, learning_rate=0.02, epochs=30)))
        width = np.log(np.ptp(trained.infer()(data.x)[:, 1], axis=-1))
        slope = np.polyfit(data.x[:, -1, 0], width, 1)[0] / 0.5
        assert least < slope < most + 0.1, weight


def test_the_second_loss_is_not_in_what_is_reported() -> None:
    first, second = (
        fit_network(
            silent_returns(), silent_returns(), TrainingRun(bands(weight, learning_rate=1e-9, epochs=1))
        ).history[0]
        for weight in (0.0, 10.0)
    )
    assert second.loss == pytest.approx(first.loss, rel=1e-6)
    assert second.validation_loss == pytest.approx(first.validation_loss, rel=1e-6)


def test_a_misjudged_width_is_the_spread_of_its_log_error_at_each_step() -> None:
    draw = np.random.default_rng(0)
    realised, quantiles = draw.normal(size=(5, 7, 2)), np.sort(draw.normal(size=(5, 7, 2, 9)))
    error = np.log(quantiles[..., 6] - quantiles[..., 2]) - realised
    found = float(volatility_loss(tf.constant(realised), tf.constant(quantiles)))
    assert found == pytest.approx(error.reshape(35, 2).var(axis=0).mean())


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("batch", [1, 32, 37, 1000])
def test_every_optimiser_learns_with_every_batch_size(optimizer: str, batch: int) -> None:
    config = settings(optimizer=optimizer, batch_size=batch, learning_rate=0.02, epochs=4)
    history = fit_network(windows(), None, TrainingRun(config)).history
    assert history[-1].loss < 0.97 * history[0].loss


class Killed(BaseException):
    """What ends a training in the middle."""


def killed_after(number: int) -> Any:
    def on_epoch(epoch: Epoch) -> None:
        if epoch.number > number:
            raise Killed

    return on_epoch


@pytest.mark.parametrize(
    "more",
    [
        {"cell": "mlp", "optimizer": "adam", "decay": "cosine", "batch_size": 8},
        {"cell": "lstm", "units": [3, 2], "optimizer": "rmsprop", "batch_size": 5},
        {"cell": "mlp", "momentum": 0.9, "learning_rate": 0.01, "batch_size": 36},
    ],
    ids=str,
)
def test_a_training_that_was_broken_off_ends_with_the_same_bits(more: dict[str, Any], tmp_path: Path) -> None:
    config = settings(epochs=5, patience=5, dropout=0.3, **more)
    validation = windows(25)
    whole = fit_network(windows(), validation, TrainingRun(config))
    store = Store(tmp_path)
    with store.lock("acme"):
        for broken_after in (0, 1, 2, 4):
            progress = store.progress("acme", "this run")
            assert progress.take_up() is (broken_after > 1)
            with pytest.raises(Killed):
                fit_network(windows(), validation, TrainingRun(config, "x", killed_after(broken_after), progress))
        progress = store.progress("acme", "this run")
        assert progress.take_up()
        heard: list[Epoch] = []
        again = fit_network(windows(), validation, TrainingRun(config, "x", heard.append, progress))
    assert [epoch.number for epoch in heard] == [5]
    assert again.history == whole.history
    assert again.best == whole.best
    assert again.weights.keys() == whole.weights.keys()
    for key, weights in whole.weights.items():
        np.testing.assert_array_equal(again.weights[key], weights)


@pytest.mark.parametrize("thresholds", [[0.5], [-1.0, 0.5]])
def test_cross_entropy_is_minus_the_log_of_the_class_that_came(thresholds: list[float]) -> None:
    data = {"lookback": LOOKBACK, "horizon": 1, "task": "direction", "thresholds": thresholds}
    fit = {"loss": "crossentropy", "positions": "last", "epochs": 1, "batch_size": 1000}
    config = from_table({"data": data, "model": {"cell": "linear", "head": "classes"}, "fit": fit})
    classes = len(thresholds) + 1
    probabilities = build_network(config.model, Shape(LOOKBACK, 2, 1, classes))(windows().x).numpy()[:, 0]
    came = np.digitize(windows().y[:, 0], thresholds)
    assert probabilities.shape == (len(came), classes)
    expected = -np.log(probabilities[np.arange(len(came)), came]).mean()
    assert fit_network(windows(), None, TrainingRun(config)).history[0].loss == pytest.approx(expected, rel=1e-5)


def test_a_training_leaves_nothing_to_the_next_of_its_kind() -> None:
    config = settings(cell="lstm", units=[3], optimizer="adam", decay="cosine", batch_size=8, dropout=0.3, epochs=2)
    other = reseeded(config, 2)[1]
    shorter = windows(25)
    first = fit_network(windows(), shorter, TrainingRun(config))
    between = fit_network(shorter, None, TrainingRun(other))
    again = fit_network(windows(), shorter, TrainingRun(config))
    assert again.history == first.history
    assert between.history != first.history
    for key, weights in first.weights.items():
        np.testing.assert_array_equal(again.weights[key], weights)


def test_whoever_else_draws_random_numbers_meanwhile_changes_nothing() -> None:
    """As the threads of a cluster's worker do."""
    config = settings(cell="mlp", units=[3] * 8)
    alone, ended_drawing = fit_network(windows(), None, TrainingRun(config)).arrays, threading.Event()

    def draw() -> None:
        while not ended_drawing.is_set():
            random.random()

    other = threading.Thread(target=draw)
    other.start()
    beside = fit_network(windows(), None, TrainingRun(config)).arrays
    ended_drawing.set()
    other.join()
    assert all(map(np.array_equal, alone, beside))
