"""Heads: where they begin, and what they can never say, whatever their weights."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist

import keras
import numpy as np
import pytest

from stockcast.config.sections import ModelConfig
from stockcast.data.forecast import QUANTILES
from stockcast.model.network import Shape, build_network

pytestmark = pytest.mark.tensorflow

WINDOWS = np.random.default_rng(0).standard_normal((20, 6, 3)).astype(np.float32)


@pytest.mark.parametrize("head", ["scale", "quantiles"])
@pytest.mark.parametrize("highway", [False, True])
def test_a_distribution_begins_as_the_normal_one_and_never_crosses(head: str, highway: bool) -> None:
    model = ModelConfig.model_validate({"units": [4], "head": head, "highway": highway})
    network = build_network(model, Shape(6, 3, 2))
    normal = [NormalDist().inv_cdf(level) for level in QUANTILES]
    np.testing.assert_allclose(np.asarray(network(WINDOWS)), np.broadcast_to(normal, (20, 2, 9)), atol=1e-5)
    random = np.random.default_rng(1)
    for _ in range(5):
        network.set_weights([3 * random.standard_normal(weight.shape) for weight in network.get_weights()])
        said = np.asarray(network(WINDOWS))
        assert (np.diff(said, axis=-1) >= 0).all()
        assert np.ptp(said[:, 0], axis=0).max() > 0
        if head == "scale":
            np.testing.assert_array_equal(said[..., 4], 0.0)
            np.testing.assert_allclose(said / said[..., -1:], (said / said[..., -1:])[:1].repeat(20, 0), rtol=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_are_probabilities(classes: int) -> None:
    network = build_network(ModelConfig.model_validate({"units": [4], "head": "classes"}), Shape(6, 3, 2, classes))
    network.set_weights([3 * np.ones(weight.shape) for weight in network.get_weights()])
    said = np.asarray(network(WINDOWS))
    assert said.shape == (20, 2, classes)
    assert (said >= 0).all()
    np.testing.assert_allclose(said.sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras saves in a way that numpy calls old
@pytest.mark.parametrize("head", ["point", "scale", "quantiles", "classes"])
def test_a_network_that_keras_has_saved_is_the_same(head: str, tmp_path: Path) -> None:
    network = build_network(ModelConfig.model_validate({"units": [4], "head": head}), Shape(6, 3, 2))
    network.set_weights([np.full(weight.shape, 0.3) for weight in network.get_weights()])
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(np.asarray(again(WINDOWS)), np.asarray(network(WINDOWS)))


@pytest.mark.parametrize("highway", [False, True])
def test_what_is_said_at_the_newest_places_is_the_end_of_what_is_said_at_all(highway: bool) -> None:
    model = ModelConfig.model_validate({"units": [4, 2], "head": "quantiles", "highway": highway})
    whole, last = build_network(model, Shape(6, 3, 2), positions=6), build_network(model, Shape(6, 3, 2))
    draw = np.random.default_rng(2)
    values = [draw.standard_normal(weight.shape) for weight in whole.get_weights()]
    for network in (whole, last):
        network.set_weights(values)
    at_all = np.asarray(whole(WINDOWS))
    assert at_all.shape == (20, 6, 2, 9)
    np.testing.assert_allclose(np.asarray(last(WINDOWS)), at_all[:, -1], rtol=1e-5, atol=1e-5)
    for positions in (1, 2, 5):
        some = build_network(model, Shape(6, 3, 2), positions=positions)
        some.set_weights(values)
        np.testing.assert_allclose(np.asarray(some(WINDOWS)), at_all[:, -positions:], rtol=1e-5, atol=1e-5)
