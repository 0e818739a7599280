"""Scaling against scikit-learn, and what a scaler may know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from stockcast.config.sections import DataConfig
from stockcast.data.scaling import Scaler, Scalers, fit_scaler, fit_scalers
from stockcast.errors import DataError

ORACLES = {"minmax": MinMaxScaler((-1, 2)), "standard": StandardScaler()}


def config(kind: str, scale_by: str = "series", trim: float = 0.0) -> DataConfig:
    fields = {"scaler": kind, "range_low": -1, "range_high": 2, "scale_by": scale_by, "trim": trim}
    return DataConfig.model_validate(fields)


@pytest.mark.parametrize("kind", sorted(ORACLES))
def test_transform_and_inverse_equal_scikit_learns(kind: str) -> None:
    random = np.random.default_rng(0)
    fitted_on, later = random.normal(5, 3, (50, 3)), random.normal(7, 9, (20, 3))
    scaler = Scaler.from_dict(fit_scaler(fitted_on, config(kind)).to_dict())
    oracle = ORACLES[kind].fit(fitted_on)
    np.testing.assert_allclose(scaler.transform(later), oracle.transform(later), rtol=1e-12)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(later)), later, rtol=1e-9)


@given(arrays(np.float64, (12, 2), elements=st.floats(-1e6, 1e6)))
def test_fitted_values_fill_the_range_and_none_lies_outside(values: np.ndarray) -> None:
    scaler = fit_scaler(values, config("minmax"))
    scaled = scaler.transform(values)
    assert scaled.min() >= -1 - 1e-6
    assert scaled.max() <= 2 + 1e-6
    assert scaler.outside(values).tolist() == [0, 0]


def test_values_beyond_the_fitted_range_are_counted() -> None:
    scaler = fit_scaler(np.array([[0.0], [10.0]]), config("minmax"))
    assert scaler.outside(np.array([[-1.0], [5.0], [11.0], [10.0]])).tolist() == [0.5]


@pytest.mark.parametrize("kind", sorted(ORACLES))
def test_tails_that_are_trimmed_lie_beyond_what_the_middle_fills(kind: str) -> None:
    values = np.random.default_rng(0).standard_t(2, (1000, 3))
    least, most = np.quantile(values, [0.05, 0.95], axis=0)
    scaler = fit_scaler(values, config(kind, trim=0.05))
    oracle = ORACLES[kind].fit(np.clip(values, least, most))
    np.testing.assert_allclose(scaler.transform(scaler.clip(values)), oracle.transform(values), rtol=1e-9)
    np.testing.assert_array_equal(scaler.clip(2 * values).max(axis=0), values.max(axis=0))
    assert scaler.outside(values).tolist() == [0, 0, 0]


def test_a_column_that_hardly_ever_moves_has_no_tails_to_trim() -> None:
    rare = np.zeros((1000, 1))
    rare[7] = 36.0
    scaled = fit_scaler(rare, config("minmax", trim=0.01)).transform(rare)
    assert [scaled.min(), scaled.max()] == [-1, 2]


def test_a_scaler_of_a_time_when_trimmed_tails_were_clipped_clips_them() -> None:
    kept = fit_scaler(np.array([[0.0], [10.0]]), config("minmax")).to_dict()
    old = Scaler.from_dict({"clip_low": [1.0], "clip_high": [9.0], **kept})
    assert old.clip(np.array([[-1.0], [5.0], [11.0]])).ravel().tolist() == [1, 5, 9]


def test_rows_that_are_not_known_yet_are_left_out() -> None:
    values = np.array([[np.nan, 1.0], [2.0, 3.0], [4.0, 9.0]])
    assert fit_scaler(values, config("minmax")).low.tolist() == [2.0, 3.0]
    with pytest.raises(DataError, match="all the network's inputs"):
        fit_scaler(values[:1], config("minmax"))


def test_series_are_scaled_each_by_itself_or_all_together() -> None:
    values = {"a": np.array([[0.0], [1.0]]), "b": np.array([[0.0], [100.0]])}
    each = Scalers.from_dict(fit_scalers(values, config("minmax")).to_dict())
    assert each.of("b").high.tolist() == [100.0]
    with pytest.raises(DataError, match="not trained on 'c'"):
        each.of("c")
    together = fit_scalers(values, config("minmax", "panel"))
    assert together.of("c") == together.of("a")
    assert together.of("a").high.tolist() == [100.0]
