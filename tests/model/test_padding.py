"""Windows of histories that are shorter or longer than they: against Keras' pad_sequences, and masked."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest

from stockcast.config.run import load_config
from stockcast.data.rows import Rows
from stockcast.data.series import Panel, PriceSeries
from stockcast.data.windows import PAD, Windows, usable_ends
from stockcast.learn import learn
from stockcast.model.export import export_onnx
from stockcast.model.network import Shape, build_network
from stockcast.model.onnx_files.served import ServedNetwork
from stockcast.model.serve import Runner
from stockcast.model.training_run import TrainingRun

pytestmark = pytest.mark.tensorflow


def rows_of(lengths: list[int], padding: str, truncating: str) -> Rows:
    """Noise of two inputs; the first row of each series is not known."""
    total, starts = sum(lengths), np.cumsum([0, *lengths])
    inputs = np.random.default_rng(1).random((total, 2)).astype(np.float32)
    inputs[starts[:-1]] = np.nan
    ones, dates = np.ones(total), np.arange("2020-01-01", total, dtype="datetime64[D]")
    targets = np.ones((total, 1), dtype=np.float32)
    names, skipped = tuple(f"s{number}" for number in range(len(lengths))), np.zeros(len(lengths), dtype=np.int64)
    parts = (inputs, targets, ones, ones[:, None], ones, dates, dates, starts, names, skipped)
    return Rows(*parts, logarithmic=False, padding=padding, truncating=truncating)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_windows_are_those_of_pad_sequences(padding: str, truncating: str) -> None:
    rows = rows_of([4, 12, 3], padding, truncating)
    ends = usable_ends(rows, 5)
    histories = [
        rows.inputs[start + 1 : row + 1] for start, row in zip([0] * 3 + [4] * 11 + [16] * 2, ends, strict=True)
    ]
    assert [len(one) for one in histories] == [1, 2, 3, *range(1, 12), 1, 2]
    expected = keras.utils.pad_sequences(
        histories, maxlen=5, dtype="float32", padding=padding, truncating=truncating, value=PAD
    )
    np.testing.assert_array_equal(Windows(rows, ends, 5).x, expected)


@pytest.mark.parametrize("cell", ["lstm", "gru", "peephole"])
def test_what_is_filled_up_changes_nothing(cell: str) -> None:
    config = load_config("tutorial-google", [f"model.cell={cell}", "model.units=[4]"])
    short = build_network(config.model, Shape(3, 2, 1), fused=False)
    padded = build_network(config.model, Shape(8, 2, 1, padded=True), fused=False)
    padded.set_weights(short.get_weights())
    history = np.random.default_rng(0).random((6, 3, 2)).astype(np.float32)
    gap = np.full((6, 5, 2), PAD, dtype=np.float32)
    for window in (np.concatenate([gap, history], axis=1), np.concatenate([history, gap], axis=1)):
        np.testing.assert_allclose(padded(window), short(history), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            Runner(export_onnx(ServedNetwork(padded), short.get_weights(), window))(window),
            short(history),
            rtol=1e-5,
            atol=1e-6,
        )


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_a_panel_with_a_short_series_is_trained_and_forecast(padding: str, prices: Callable[..., PriceSeries]) -> None:
    long, new = prices(rows=120), prices(rows=9, name="new", start="2020-06-01")
    settings = [f"data.padding={padding}", "data.lookback=12", "model.units=[3]", "fit.epochs=1", "split.test=10"]
    settings += ["data.scale_by=panel", 'data.calendar_features=["weekday", "ticker"]']
    learned = learn(Panel((long, new)), TrainingRun(load_config("tutorial-google", settings), "padded"))
    assert learned.forecaster.features == ("open", *(f"weekday={day}" for day in range(7)), "ticker=acme", "ticker=new")
    assert learned.training_windows > 120 - 10 - 12 + 1
    forecast = learned.forecaster.forecast(Panel((new,)), [np.array([0, 3, 8])])
    assert np.isfinite(forecast.point).all()
    assert len(np.unique(forecast.point)) == 3
