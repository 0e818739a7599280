"""Every cell with every head and several horizons: trained, exported, saved, and compared with what it says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from stockcast.config.run import RunConfig, from_table
from stockcast.config.sections import CELLS, FLAT_CELLS, ModelConfig
from stockcast.data.rows import Rows
from stockcast.data.windows import Windows
from stockcast.model import cells
from stockcast.model.body import body
from stockcast.model.cells.common import seeds_of
from stockcast.model.cells.coupled import CoupledCell
from stockcast.model.cells.peephole import PeepholeCell
from stockcast.model.fit import Trained, fit_network
from stockcast.model.network import Shape, build_network
from stockcast.model.serve import Runner
from stockcast.model.training_run import TrainingRun
from stockcast.store.arrays import decode_arrays, encode_arrays
from stockcast.store.onnxfile import check_onnx

pytestmark = pytest.mark.tensorflow

LOSSES = {"point": "mse", "scale": "pinball", "quantiles": "pinball", "classes": "crossentropy"}
NUMBERS = {"point": 1, "scale": 9, "quantiles": 9, "classes": 3}
LOOKBACK, FEATURES = 6, 2


def settings(cell: str, head: str = "point", horizon: int = 1, **more: object) -> RunConfig:
    """One layer of 3 units; `more` are settings of the model and of the training."""
    model: dict[str, object] = {"cell": cell, "head": head, "units": [3], "hidden": [5, 4]}
    fit: dict[str, object] = {"loss": LOSSES[head], "epochs": 3, "batch_size": 8, "warmup": 2}
    fit["positions"] = "last" if cell in FLAT_CELLS else "all"
    for key, value in more.items():
        (model if key in ModelConfig.model_fields else fit)[key] = value
    task = "direction" if head == "classes" else "price"
    return from_table({"data": {"lookback": LOOKBACK, "horizon": horizon, "task": task}, "model": model, "fit": fit})


def made_up_windows(horizon: int, rows: int = 40) -> Windows:
    """Inputs that are noise, and targets that are the mean of the last three of the first input."""
    inputs = np.random.default_rng(3).normal(size=(rows, FEATURES)).astype(np.float32)
    target = np.convolve(inputs[:, 0], np.ones(3) / 3)[:rows]
    targets = np.repeat(target[:, None], horizon, axis=1).astype(np.float32)
    ones, dates = np.ones(rows), np.arange("2020-01-01", rows, dtype="datetime64[D]")
    unit = np.ones((rows, horizon))
    parts = (inputs, targets, ones, unit, ones, dates, dates, np.array([0, rows]))
    table = Rows(*parts, ("s",), np.zeros(1, dtype=np.int64), logarithmic=True)
    return Windows(table, np.arange(LOOKBACK - 1, rows), LOOKBACK)


def test_every_cell_has_the_module_of_its_name() -> None:
    folder = Path(cells.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} == {*CELLS, "__init__", "common"}


def network_of(trained: Trained) -> Any:
    """The network that serves, with what was learned."""
    trained.served.network.set_weights(trained.arrays)
    return trained.served.network


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("head", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_trains_serves_without_tensorflow_and_is_saved(cell: str, head: str, horizon: int) -> None:
    config, windows = settings(cell, head, horizon), made_up_windows(horizon)
    trained = fit_network(windows, None, TrainingRun(config))
    assert trained.history[-1].loss < trained.history[0].loss

    x = windows.x
    expected = np.asarray(network_of(trained)(x))
    assert expected.shape == (len(x), horizon, NUMBERS[head])
    onnx = trained.onnx(x)
    check_onnx(onnx, "model.onnx")
    np.testing.assert_allclose(Runner(onnx)(x), expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())

    kept = decode_arrays(encode_arrays(trained.weights), "weights.npz")
    again = build_network(config.model, Shape(LOOKBACK, FEATURES, horizon), fused=False)
    assert [weight.path for weight in again.weights] == list(kept)
    again.set_weights(list(kept.values()))
    np.testing.assert_array_equal(np.asarray(again(x)), expected)


@pytest.mark.parametrize("cell", sorted({*CELLS} - {*FLAT_CELLS}))
def test_a_network_in_both_directions_serves_too(cell: str) -> None:
    config = settings(cell, bidirectional=True, positions="last")
    windows = made_up_windows(1)
    trained = fit_network(windows, None, TrainingRun(config))
    network = network_of(trained)
    assert network.layers[1].output.shape == (None, 6)
    np.testing.assert_allclose(Runner(trained.onnx(windows.x))(windows.x), network(windows.x), atol=1e-5)


def test_layers_stand_on_each_other() -> None:
    config, windows = settings("peephole", "scale", 3, units=[3, 4]), made_up_windows(3)
    trained = fit_network(windows, None, TrainingRun(config))
    network = network_of(trained)
    assert [layer.output.shape[1:] for layer in network.layers if "peephole" in layer.name] == [(LOOKBACK, 3), (4,)]
    np.testing.assert_allclose(Runner(trained.onnx(windows.x))(windows.x), network(windows.x), atol=1e-5)


def sequence_layer(cell: Any) -> Any:
    """A layer over sequences of 3 inputs whose weights are all far from where they begin."""
    layer = keras.layers.RNN(cell, return_sequences=True, dtype="float64")
    layer.build((None, 7, 3))
    random = np.random.default_rng(5)
    layer.set_weights([random.normal(scale=0.6, size=weight.shape) for weight in layer.get_weights()])
    return layer


X = np.random.default_rng(4).normal(size=(5, 7, 3))


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))


def peephole_by_hand(weights: list[Any]) -> list[Any]:
    kernel, recurrent, bias, (p_i, p_f, p_o) = weights
    h, c = np.zeros((2, 5, 4))
    outputs = []
    for x in X.transpose(1, 0, 2):
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
        c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
        h = sigmoid(o + p_o * c) * np.tanh(c)
        outputs.append(h)
    return outputs


def coupled_by_hand(weights: list[Any]) -> list[Any]:
    kernel, recurrent, bias = weights
    h, c = np.zeros((2, 5, 4))
    outputs = []
    for x in X.transpose(1, 0, 2):
        f, g, o = np.split(x @ kernel + h @ recurrent + bias, 3, axis=1)
        c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return outputs


BY_HAND = [(PeepholeCell, peephole_by_hand), (CoupledCell, coupled_by_hand)]


@pytest.mark.parametrize(("cell", "by_hand"), BY_HAND)
def test_a_cell_of_our_own_does_what_its_formula_says(cell: Any, by_hand: Any) -> None:
    layer = sequence_layer(cell(4, dtype="float64"))
    expected = np.stack(by_hand(layer.get_weights()), axis=1)
    np.testing.assert_allclose(layer(tf.constant(X)), expected, rtol=1e-12)


@pytest.mark.parametrize("cell", [PeepholeCell, CoupledCell])
def test_the_gradient_of_every_weight_is_the_central_difference(cell: Any) -> None:
    layer = sequence_layer(cell(4, dtype="float64"))
    loss = tf.function(lambda: tf.reduce_sum(layer(tf.constant(X)) ** 2))
    with tf.GradientTape() as tape:
        value = loss()
    for gradient, variable in zip(tape.gradient(value, layer.trainable_weights), layer.trainable_weights, strict=True):
        weights, expected = variable.numpy(), np.empty(variable.shape)
        for index in np.ndindex(*weights.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = weights.copy()
                moved[index] += step
                variable.assign(moved)
                sides.append(float(loss()))
            expected[index] = (sides[0] - sides[1]) / 2e-5
        variable.assign(weights)
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("cell", [PeepholeCell, CoupledCell])
def test_a_cell_of_our_own_comes_back_from_its_configuration(cell: Any) -> None:
    layer = keras.layers.RNN(cell(4, kernel_initializer="he_normal"), return_sequences=True)
    twin = keras.layers.RNN.from_config(layer.get_config())
    assert type(twin.cell) is cell
    assert twin.get_config() == layer.get_config()
    for one in (layer, twin):
        one.build((None, 7, 3))
    twin.set_weights(layer.get_weights())
    x = X.astype(np.float32)
    np.testing.assert_array_equal(twin(x), layer(x))
    assert layer.get_weights()[2][slice(4, 8) if cell is PeepholeCell else slice(4)].tolist() == [1] * 4


def test_peepholes_and_coupling_change_the_forecast() -> None:
    x = X.astype(np.float32)
    windows = keras.Input((7, 3))
    outputs = {}
    for cell in ("lstm", "peephole", "coupled"):
        network = keras.Model(
            windows, body(settings(cell).model, windows, every_position=False, fused=False, seeds=seeds_of(0))
        )
        for weight in network.weights:
            if "peephole" in weight.path:
                weight.assign(np.full(weight.shape, 0.5))
        outputs[cell] = network(x).numpy()
    assert np.abs(outputs["lstm"] - outputs["peephole"]).max() > 0.01
    assert np.abs(outputs["lstm"] - outputs["coupled"]).max() > 0.01


@pytest.mark.parametrize(("start", "alike"), [("zeros", True), ("glorot", False), ("he", False), ("orthogonal", False)])
def test_units_that_begin_alike_stay_alike(start: str, alike: bool) -> None:
    """The symmetry problem: the same gradient for every unit of a layer, so that a wide layer is one unit."""
    config = settings("mlp", initializer=start, activation="sigmoid", dropout=0)
    network = network_of(fit_network(made_up_windows(1), None, TrainingRun(config)))
    kernel = network.get_layer("dense_0").get_weights()[0]  # (L * F, units)
    assert bool(np.ptp(kernel, axis=1).max() < 1e-6) is alike


def test_the_linear_unit_finds_the_least_squares_solution() -> None:
    windows = made_up_windows(1)
    config = settings("linear", learning_rate=0.05, epochs=60, clipnorm=0)
    network = network_of(fit_network(windows, None, TrainingRun(config)))
    flat = np.column_stack([windows.x.reshape(len(windows), -1), np.ones(len(windows))])
    best = np.linalg.lstsq(flat, windows.y[:, 0], rcond=None)[0]
    np.testing.assert_allclose(network(windows.x)[:, 0, 0], flat @ best, atol=0.02)
