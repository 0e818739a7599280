"""Several steps ahead: one network with an output a step, or one of a single step that is fed back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stockcast.config.run import load_config
from stockcast.data.series import Panel, PriceSeries
from stockcast.learn import learn
from stockcast.model.fit import Trained
from stockcast.model.network import Shape, build_network, fed_back
from stockcast.model.onnx_files.served import ServedNetwork
from stockcast.model.serve import Runner
from stockcast.model.training_run import TrainingRun
from stockcast.store.onnxfile import check_onnx

pytestmark = pytest.mark.tensorflow

TINY = ("model.units=[3]", "fit.epochs=2", "data.horizon=3")


@pytest.mark.parametrize("cell", ["lstm", "gru", "linear"])
def test_a_network_fed_its_own_answers_takes_each_for_the_newest_input(cell: str) -> None:
    config = load_config("tutorial-next5", [*TINY, f"model.cell={cell}"])
    one = build_network(config.model, Shape(5, 1, 1), fused=False)
    many = fed_back(one, 3)
    windows = np.random.default_rng(0).random((7, 5, 1)).astype(np.float32)
    rolling, expected = windows, []
    for _ in range(3):
        step = np.asarray(one(rolling))  # (7, 1, 1)
        expected.append(step)
        rolling = np.concatenate([rolling[:, 1:], step], axis=1)
    np.testing.assert_allclose(many(windows), np.concatenate(expected, axis=1), rtol=1e-6)
    trained = Trained(ServedNetwork(many), many.get_weights(), (), 0)
    onnx = trained.onnx(windows)
    check_onnx(onnx, "model.onnx")
    np.testing.assert_allclose(Runner(onnx)(windows), many(windows), rtol=1e-5, atol=1e-6)
    assert list(trained.weights) == [weight.path for weight in one.weights]


def test_direct_and_recursive_forecast_the_same_steps(prices: Callable[..., PriceSeries]) -> None:
    panel = Panel((prices(rows=160),))
    direct = learn(panel, TrainingRun(load_config("tutorial-next5", TINY), "direct"))
    recursive = learn(
        panel, TrainingRun(load_config("tutorial-next5", [*TINY, "model.multistep=recursive"]), "recursive")
    )
    for learned in (direct, recursive):
        assert learned.assessment.evaluated.forecast.point.shape[1] == 3
    assert direct.weights["head/dense/bias"].shape == (3,)
    assert recursive.weights["head/dense/bias"].shape == (1,)
    np.testing.assert_array_equal(direct.assessment.evaluated.actual, recursive.assessment.evaluated.actual)
