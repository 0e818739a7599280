"""Scores of probabilities against scikit-learn and closed forms, and the verdict's words."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, brier_score_loss

from stockcast.data.forecast import QUANTILES, Directions, EvaluatedForecast, Forecast
from stockcast.data.series import Floats
from stockcast.evaluate.directions import evaluate_directions

RANDOM = np.random.default_rng(5)


def evaluated(probabilities: Floats, came: list[int] | Floats) -> EvaluatedForecast:
    """Forecasts one step ahead from the price 100, with edges 99 and 101 (or 100 alone), of which `came` came."""
    n, classes = probabilities.shape
    edges = np.array([99.0, 101.0]) if classes == 3 else np.array([100.0])
    actual = np.array([98.0, 100.0, 102.0] if classes == 3 else [99.0, 101.0])[np.asarray(came, dtype=int)][:, None]
    directions = Directions(probabilities[:, None, :], np.broadcast_to(edges, (n, 1, len(edges))))
    flat = np.full((n, 1, len(QUANTILES)), 100.0)
    forecast = Forecast(np.zeros(n, int), np.arange(n), flat[:, 0, 0], flat[..., 0], flat, QUANTILES, directions)
    dates = np.datetime64("2020-01-01") + np.arange(n + 1)
    return EvaluatedForecast("m", ("acme",), forecast, actual, dates[:-1], dates[1:, None])


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_those_of_scikit_learn_and_of_the_formulas(classes: int) -> None:
    probabilities = RANDOM.dirichlet(np.ones(classes), 80)
    came = RANDOM.integers(0, classes, 80)
    verdict = evaluate_directions(evaluated(probabilities, came.astype(float)))
    assert verdict is not None
    (one,) = verdict.steps
    said = probabilities.argmax(axis=1)
    assert one.accuracy == pytest.approx(np.mean(said == came))
    assert one.balanced_accuracy == pytest.approx(balanced_accuracy_score(came, said))
    assert one.log_loss == pytest.approx(-np.mean(np.log(probabilities[np.arange(80), came])))
    if classes == 2:
        assert one.brier == pytest.approx(2 * brier_score_loss(came, probabilities[:, 1]))
    assert np.array(one.confusion).sum() == one.n == 80
    assert [sum(row) for row in one.confusion] == np.bincount(came, minlength=classes).tolist()
    assert one.majority_accuracy == np.bincount(came).max() / 80
    assert one.majority == (("down", "up") if classes == 2 else ("down", "flat", "up"))[np.bincount(came).argmax()]


def test_only_a_forecaster_that_knows_more_than_the_majority_shows_skill() -> None:
    came = RANDOM.choice(3, 300, p=[0.2, 0.5, 0.3])
    knowing = np.full((300, 3), 0.1)
    right = RANDOM.random(300) < 0.7
    knowing[np.arange(300), np.where(right, came, RANDOM.integers(0, 3, 300))] = 0.8
    found = evaluate_directions(evaluated(knowing, came.astype(float)))
    assert found is not None
    assert found.skilled
    assert "evidence of skill" in found.sentence()
    assert "no evidence" not in found.sentence()

    always = np.tile([0.2, 0.5, 0.3], (300, 1))
    found = evaluate_directions(evaluated(always, came.astype(float)))
    assert found is not None
    assert not found.skilled
    assert "no evidence of skill" in found.sentence()

    guessing = RANDOM.dirichlet(np.ones(3), 300)
    found = evaluate_directions(evaluated(guessing, came.astype(float)))
    assert found is not None
    assert "worse than the majority class" in found.sentence()
    assert found.steps[0].p_chance > 0.01


def test_a_class_that_never_came_counts_in_no_mean() -> None:
    probabilities = np.tile([0.6, 0.3, 0.1], (40, 1))
    found = evaluate_directions(evaluated(probabilities, [0] * 30 + [2] * 10))
    assert found is not None
    assert found.steps[0].balanced_accuracy == 0.5
    assert found.as_dict()["steps"][0]["confusion"] == [[30, 0, 0], [0, 0, 0], [10, 0, 0]]
