"""The fused LSTM against `keras.layers.LSTM`, and its gradient against finite differences."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from stockcast.model.cells.peephole import PeepholeCell
from stockcast.model.kernels import FusedLSTM, FusedPeephole

pytestmark = pytest.mark.tensorflow

X = np.random.default_rng(7).normal(size=(6, 11, 3)).astype(np.float32)  # (batch, time, features)
STATE = list(np.random.default_rng(8).normal(size=(2, 6, 5)).astype(np.float32))  # h and c, each (batch, units)


def twins(**options: Any) -> tuple[Any, Any]:
    """A fused layer and a plain Keras layer of 5 units made from its configuration and its weights."""
    fused = FusedLSTM(5, seed=3, **options)
    fused.build(X.shape)
    draw = np.random.default_rng(9)
    fused.set_weights([draw.normal(scale=0.5, size=weight.shape) for weight in fused.get_weights()])
    plain = keras.layers.LSTM.from_config(fused.get_config())
    plain.build(X.shape)
    plain.set_weights(fused.get_weights())
    return fused, plain


def peephole_twins(**options: Any) -> tuple[Any, Any]:
    """The same with peepholes: in one operation, and step by step."""
    layers = [loop(PeepholeCell(5), **options) for loop in (FusedPeephole, keras.layers.RNN)]
    draw = np.random.default_rng(10)
    for layer in layers:
        layer.build(X.shape)
    values = [draw.normal(scale=0.5, size=weight.shape) for weight in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(values)
    return layers[0], layers[1]


def operations(layer: Any, **call: Any) -> set[str]:
    """The kinds of operation in the graph of `layer`."""
    graph = tf.function(lambda x: layer(x, **call)).get_concrete_function(X).graph
    return {operation.type for operation in graph.get_operations()}


def assert_close(found: Any, expected: Any, tolerance: float = 1e-6) -> None:
    found, expected = tf.nest.flatten(found), tf.nest.flatten(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_sequences": True},
        {"return_state": True},
        {"return_sequences": True, "return_state": True, "go_backwards": True},
        {"return_sequences": True, "dropout": 0.4},
    ],
    ids=str,
)
@pytest.mark.parametrize("state", [[], STATE], ids=["from zero", "from a state"])
def test_outputs_and_gradients_are_those_of_keras(options: dict[str, Any], state: Any) -> None:
    assert_the_same(*twins(**options), state)


@pytest.mark.parametrize(
    "options", [{}, {"return_sequences": True, "return_state": True, "go_backwards": True}], ids=str
)
@pytest.mark.parametrize("state", [[], STATE], ids=["from zero", "from a state"])
def test_peepholes_in_one_operation_are_those_of_the_cell(options: dict[str, Any], state: Any) -> None:
    assert_the_same(*peephole_twins(**options), state)


def assert_the_same(fused: Any, plain: Any, state: Any) -> None:
    """Outputs, and gradients of a loss of them with respect to the inputs, the first state and all weights."""
    assert "BlockLSTMV2" in operations(fused)

    def run(layer: Any) -> tuple[Any, Any]:
        x = tf.constant(X)
        start = [tf.constant(part) for part in state]
        with tf.GradientTape() as tape:
            tape.watch([x, *start])
            outputs = layer(x, initial_state=start or None, training=True)
            loss = tf.add_n([tf.reduce_sum(tf.sin(output)) for output in tf.nest.flatten(outputs)])
        return outputs, tape.gradient(loss, [x, *start, *layer.trainable_variables])

    (outputs, gradients), (keras_outputs, keras_gradients) = run(fused), run(plain)
    assert_close(outputs, keras_outputs)
    assert_close(gradients, keras_gradients, 2e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"use_bias": False},
        {"use_cudnn": False},
        {"unroll": True},
        {"recurrent_dropout": 0.3},
        {"dtype": "float64"},
        {"dtype": "mixed_bfloat16"},
    ],
    ids=str,
)
def test_what_the_operation_cannot_do_runs_as_in_keras(options: dict[str, Any]) -> None:
    fused, plain = twins(**options)
    assert "BlockLSTMV2" not in operations(fused)
    assert_close(tf.cast(fused(X, training=True), "float32"), tf.cast(plain(X, training=True), "float32"))


def test_a_mask_is_obeyed() -> None:
    fused, plain = twins()
    mask = tf.sequence_mask([11, 3, 7, 1, 9, 11])
    assert "BlockLSTMV2" not in operations(fused, mask=mask)
    assert_close(fused(X, mask=mask), plain(X, mask=mask))


def test_a_gpu_keeps_the_path_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"] if kind == "GPU" else [])
    assert "BlockLSTMV2" not in operations(FusedLSTM(5))


def test_a_layer_without_the_operation_can_be_compiled_by_xla() -> None:
    layer = twins(use_bias=False)[0]
    assert_close(tf.function(layer, jit_compile=True)(X), layer(X))


def network(lstm: Any, dtype: str = "float32", dropout: float = 0.0) -> Any:
    keras.utils.set_random_seed(5)
    layers = [
        keras.Input(X.shape[1:], dtype=dtype),
        lstm(4, return_sequences=True, dtype=dtype),
        keras.layers.Dropout(dropout, dtype=dtype),
        lstm(3, dtype=dtype),
        keras.layers.Dense(1, dtype=dtype),
    ]
    return keras.Sequential(layers)


def test_the_gradient_of_every_weight_is_the_central_difference() -> None:
    """The differences are those of plain Keras in float64: the operation itself knows no float64."""
    fused, plain = network(FusedLSTM), network(keras.layers.LSTM, "float64")
    plain.set_weights(fused.get_weights())

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(fused(X, training=True) ** 2)
    gradients = tape.gradient(loss, fused.trainable_variables)

    plain_loss = tf.function(lambda: tf.reduce_sum(plain(tf.cast(X, tf.float64)) ** 2))
    for gradient, variable in zip(gradients, plain.trainable_variables, strict=True):
        np.testing.assert_allclose(gradient, central_difference(plain_loss, variable), rtol=1e-4, atol=1e-6)


def central_difference(loss: Any, variable: Any, step: float = 1e-5) -> NDArray[np.float64]:
    """(f(w + e) - f(w - e)) / 2e for each element of `variable`, in its shape."""
    weights: NDArray[np.float64] = variable.numpy()
    result = np.empty_like(weights)
    for index in np.ndindex(*weights.shape):
        sides = []
        for sign in (1, -1):
            moved = weights.copy()
            moved[index] += sign * step
            variable.assign(moved)
            sides.append(float(loss()))
        result[index] = (sides[0] - sides[1]) / (2 * step)
    variable.assign(weights)
    return result


def test_the_loss_curve_is_that_of_keras_and_the_weights_can_be_handed_over() -> None:
    draw = np.random.default_rng(11)
    x = draw.normal(size=(70, *X.shape[1:])).astype(np.float32)  # two full batches and a short one
    y = x[:, -3:, 0].sum(axis=1)

    def train(lstm: Any) -> tuple[Any, list[float]]:
        model = network(lstm, dropout=0.2)
        model.compile(keras.optimizers.Adam(0.01), "mse")
        return model, model.fit(x, y, batch_size=32, epochs=6, verbose=0).history["loss"]

    fused, losses = train(FusedLSTM)
    np.testing.assert_allclose(losses, train(keras.layers.LSTM)[1], rtol=1e-5)
    assert losses[-1] < 0.97 * losses[0]

    served = network(keras.layers.LSTM)
    served.set_weights(fused.get_weights())
    assert_close(served(x), fused(x))
