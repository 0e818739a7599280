"""State that is carried on: what it makes learnable, where it is set to zero, and the twin without state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from stockcast.config.run import RunConfig, from_table
from stockcast.config.sections import ModelConfig
from stockcast.data.rows import Rows
from stockcast.data.windows import Windows
from stockcast.errors import ConfigError
from stockcast.model.fit import fit_network
from stockcast.model.network import Shape, build_carried, build_network
from stockcast.model.traced_steps import tracks
from stockcast.model.training_run import TrainingRun

pytestmark = pytest.mark.tensorflow

BACK = 3  # the target is the input of so many rows before


def settings(lookback: int, **more: Any) -> RunConfig:
    model: dict[str, Any] = {"cell": "rnn", "head": "point", "units": [32], "dropout": 0}
    fit: dict[str, Any] = {"loss": "mse", "learning_rate": 0.003, "decay": "none", "epochs": 20, "batch_size": 4}
    fit |= {"positions": "all", "warmup": 0, "stride": lookback}
    for key, value in more.items():
        (model if key in ModelConfig.model_fields else fit)[key] = value
    return from_table({"data": {"lookback": lookback, "horizon": 1}, "model": model, "fit": fit})


def windows(lookback: int, rows: int = 480) -> Windows:
    """Windows that touch, of coin tosses; the target is the toss `BACK` rows before the window's end."""
    tosses = np.random.default_rng(2).choice([-1, 1], rows).astype(np.float32)
    targets = np.roll(tosses, BACK)[:, None]
    ones, dates = np.ones(rows), np.arange("2020-01-01", rows, dtype="datetime64[D]")
    parts = (tosses[:, None], targets, ones, ones[:, None], ones, dates, dates, np.array([0, rows]))
    table = Rows(*parts, ("s",), np.zeros(1, dtype=np.int64), logarithmic=False)
    return Windows(table, np.arange(lookback - 1, rows, lookback), lookback)


def last_loss(config: RunConfig) -> float:
    return fit_network(windows(config.data.lookback), None, TrainingRun(config)).history[-1].loss


def test_what_lies_further_back_than_a_window_is_learned_with_state_and_not_without() -> None:
    without = last_loss(settings(2))
    carried = last_loss(settings(2, stateful=True))
    assert without > 0.8  # the tosses' variance is 1, and no window reaches back far enough
    assert carried < 0.1


def test_pieces_hand_on_their_state_and_keep_their_gradients() -> None:
    whole, pieces = (last_loss(settings(12, tbptt=piece, warmup=BACK, epochs=40)) for piece in (0, 2))
    assert whole < 0.1
    assert pieces < 0.1
    assert whole != pieces


def test_one_piece_is_the_window_as_a_whole() -> None:
    plain = fit_network(windows(12), None, TrainingRun(settings(12, epochs=2)))
    one = fit_network(windows(12), None, TrainingRun(settings(12, epochs=2, tbptt=12)))
    assert [epoch.loss for epoch in one.history] == pytest.approx([epoch.loss for epoch in plain.history], rel=1e-5)
    for key, weights in plain.weights.items():
        np.testing.assert_allclose(one.weights[key], weights, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "peephole", "coupled"])
def test_the_twin_without_state_answers_as_the_carried_network_does(cell: str) -> None:
    config = settings(12, cell=cell, units=[3, 2], highway=True)
    shape = Shape(12, 1, 1)
    carried, twin = build_carried(config.model, shape), build_network(config.model, shape, fused=False)
    assert [weight.path for weight in carried.weights] == [weight.path for weight in twin.weights]
    twin.set_weights(carried.get_weights())
    x = tf.constant(windows(12).x)
    states = [tf.zeros((len(x), state.shape[-1])) for state in carried.inputs[1:]]
    for begin, end in ((0, 5), (5, 9), (9, 12)):
        outputs, *states = carried([x[:, begin:end], *states])
    np.testing.assert_allclose(outputs, twin(x), rtol=1e-5, atol=1e-6)


def test_each_window_follows_the_one_at_its_place_in_the_batch_before() -> None:
    batches = tracks(np.arange(10, 130, 10), 3).reshape(-1, 3)
    assert (np.diff(batches, axis=0) == 10).all()
    assert sorted(np.ravel(batches)) == list(range(10, 130, 10))


def test_a_batch_that_does_not_divide_the_windows_is_refused_with_one_that_does() -> None:
    with pytest.raises(ConfigError, match=r"fit\.batch_size 7 must divide the 240 training windows") as refused:
        fit_network(windows(2), None, TrainingRun(settings(2, stateful=True, batch_size=7)))
    assert refused.value.fix == "--set fit.batch_size=6"


def test_no_state_passes_from_one_series_to_the_next() -> None:
    config = settings(4, stateful=True, batch_size=1, epochs=1, learning_rate=1e-9)
    table = windows(4).rows
    apart = Windows(table, np.array([3, 7, 11, 100, 104]), 4)
    joined, first, second = (
        fit_network(apart.take(part), None, TrainingRun(config)).history[0].loss
        for part in (slice(None), slice(3), slice(3, None))
    )
    assert joined == pytest.approx((3 * first + 2 * second) / 5, rel=1e-4)
