"""The quantile loss against scikit-learn, and its gradient against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import mean_pinball_loss

from stockcast.model.losses import pinball_loss

pytestmark = pytest.mark.tensorflow

LEVELS = (0.1, 0.5, 0.8)
DRAW = np.random.default_rng(4)
Y = DRAW.normal(size=(6, 4, 2, 1))
OUTPUTS = DRAW.normal(size=(6, 4, 2, len(LEVELS)))


def test_the_quantile_loss_is_the_mean_over_the_levels_of_scikit_learns() -> None:
    by_level = [mean_pinball_loss(Y.ravel(), OUTPUTS[..., at].ravel(), alpha=q) for at, q in enumerate(LEVELS)]
    assert float(pinball_loss(tf.constant(Y), tf.constant(OUTPUTS), LEVELS)) == pytest.approx(np.mean(by_level))


def test_its_gradient_pulls_by_the_level_from_below_and_by_the_rest_from_above() -> None:
    outputs = OUTPUTS.copy()
    outputs[0] = Y[0]  # a forecast that is hit counts as one from below
    variable = tf.constant(outputs)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        loss = 3.0 * pinball_loss(tf.constant(Y), variable, LEVELS)
    expected = -3.0 * np.where(outputs > Y, np.array(LEVELS) - 1, np.array(LEVELS)) / outputs.size
    np.testing.assert_allclose(tape.gradient(loss, variable), expected)
