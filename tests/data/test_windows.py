"""Windows against pandas' shift() framing, targets against their definition, and what no window may contain."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockcast.config.sections import DataConfig
from stockcast.data.feature_table import make_features
from stockcast.data.returns import return_series
from stockcast.data.rows import STILL, Rows, scaled_rows, with_realized_volatility
from stockcast.data.scaling import fit_scalers
from stockcast.data.series import PriceSeries
from stockcast.data.windows import origins_between, strided, usable_ends, windows_between


def series(rows: int, name: str = "acme", start: str = "2020-01-01", seed: int = 0) -> PriceSeries:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(rows)))
    dates = np.busday_offset(start, np.arange(rows), roll="forward")
    return PriceSeries(name, dates, {"close": close, "volume": random.integers(1, 1000, rows).astype(np.float64)})


def rows_of(*all_series: PriceSeries, features: tuple[str, ...] = ("close",), **settings: object) -> Rows:
    config = DataConfig.model_validate({"target": "level", "features": features, **settings})
    table = make_features(all_series, features, config)
    return scaled_rows(table, fit_scalers(table.values(), config), config)


@pytest.mark.parametrize("features", [("close",), ("close", "volume")])
@pytest.mark.parametrize("horizon", [1, 3])
def test_windows_equal_the_framing_with_shift(features: tuple[str, ...], horizon: int) -> None:
    lookback = 4
    rows = rows_of(series(30), features=features, horizon=horizon)
    windows = windows_between(rows, lookback, None, rows.dates[-1])
    table = pd.DataFrame(rows.inputs, columns=list(features))
    past = pd.concat([table.shift(lag) for lag in range(lookback - 1, -1, -1)], axis=1)
    ahead = pd.concat([table["close"].shift(-step) for step in range(1, horizon + 1)], axis=1)
    framed = pd.concat([past, ahead], axis=1).dropna().to_numpy()
    assert windows.x.shape == (30 - lookback - horizon + 1, lookback, len(features))
    np.testing.assert_array_equal(windows.x.reshape(len(windows), -1), framed[:, : lookback * len(features)])
    np.testing.assert_allclose(windows.y, framed[:, lookback * len(features) :], rtol=1e-6, atol=1e-7)


def test_the_tutorials_have_as_many_windows_as_their_texts_say() -> None:
    for lookback, count in ((60, 1198), (40, 1218)):
        rows = rows_of(series(1258), horizon=1)
        assert windows_between(rows, lookback, None, rows.dates[-1]).x.shape == (count, lookback, 1)


def test_a_return_target_is_the_log_return_in_units_of_its_volatility() -> None:
    one = series(100)
    rows = rows_of(one, features=("return",), target="return", horizon=3)
    volatility = return_series(one, "close", 20).volatility
    close = one.columns["close"]
    expected = np.log(close[53] / close[50]) / (volatility[50] * np.sqrt(3))
    assert rows.targets[50, 2] == pytest.approx(expected, rel=1e-6)


def test_what_is_realized_is_the_log_volatility_of_the_sessions_that_a_target_spans() -> None:
    short, one = series(40, seed=1), series(60)
    config = DataConfig(horizon=3)
    table = make_features([short, one], ["close"], config)
    scaled = scaled_rows(table, fit_scalers(table.values(), config), config)
    realized = with_realized_volatility(scaled, table).realized[40:]
    returns = np.diff(np.log(one.columns["close"]), prepend=np.nan)
    for row, step in ((20, 1), (35, 3), (56, 3), (58, 1)):
        mean = np.mean(returns[row + 1 : row + 1 + step] ** 2) / return_series(one, "close", 20.0).volatility[row] ** 2
        assert realized[row, step - 1] == pytest.approx(0.5 * np.log(mean + STILL), rel=1e-5)
    assert np.isnan(realized[57:, 2]).all()
    assert np.isnan(realized[59]).all()


@pytest.mark.parametrize("target", ["level", "return"])
def test_targets_become_the_prices_they_came_from(target: str) -> None:
    one = series(80)
    rows = rows_of(one, features=("return",), target=target, horizon=2)
    ends = usable_ends(rows, 5)[:-2]
    back = rows.to_price(ends, rows.targets[ends][:, :, None].astype(np.float64))[..., 0]
    np.testing.assert_allclose(back[:, 1], one.columns["close"][ends + 2], rtol=1e-6)


@given(st.lists(st.integers(25, 60), min_size=1, max_size=4), st.integers(1, 24))
def test_no_window_crosses_from_one_series_into_the_next(lengths: list[int], lookback: int) -> None:
    rows = rows_of(*(series(length, f"s{i}") for i, length in enumerate(lengths)), features=("close",))
    ends = usable_ends(rows, lookback)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    assert (owner[ends] == owner[ends - lookback + 1]).all()
    assert len(ends) == sum(length - lookback + 1 for length in lengths)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 12), st.integers(0, 99))
def test_every_window_of_known_inputs_is_found_and_no_other(lengths: list[int], lookback: int, seed: int) -> None:
    rows = rows_of(*(series(length, f"s{i}") for i, length in enumerate(lengths)), features=("close", "volume"))
    random = np.random.default_rng(seed)
    rows.inputs[random.random(rows.inputs.shape) < 0.05] = random.choice([np.nan, np.inf])
    expected = [
        end
        for start, stop in pairwise(rows.starts)
        for end in range(start + lookback - 1, stop)
        if np.isfinite(rows.inputs[end - lookback + 1 : end + 1]).all()
    ]
    assert usable_ends(rows, lookback).tolist() == expected


@given(st.integers(40, 90), st.integers(1, 5))
def test_no_target_of_a_part_lies_after_its_end(cut: int, horizon: int) -> None:
    one = series(100)
    rows = rows_of(one, horizon=horizon)
    end = one.dates[cut]
    training = windows_between(rows, 10, None, end)
    assert training.rows.last_target[training.ends].max() == end
    later = windows_between(rows, 10, end, one.dates[-1])
    assert later.first_dates.min() > end
    assert rows.dates[origins_between(rows, 10, end, one.dates[-1])[0]].min() == end


def test_strides_keep_each_series_newest_window() -> None:
    rows = rows_of(series(50, "a"), series(45, "b"))
    windows = windows_between(rows, 10, None, rows.dates.max())
    kept = strided(windows, 7)
    for start, stop in ((0, 50), (50, 95)):
        mine = kept.ends[(kept.ends >= start) & (kept.ends < stop)]
        every = windows.ends[(windows.ends >= start) & (windows.ends < stop)]
        assert mine[-1] == every[-1]
        assert (np.diff(mine) == 7).all()


@pytest.mark.parametrize("clip", [False, True])
def test_a_series_whose_newest_rows_left_the_fitted_range_is_marked(clip: bool) -> None:
    features = ("close", "volume")
    config = DataConfig.model_validate({"target": "level", "features": features, "lookback": 5, "clip": clip})
    one = series(60)
    leaps = one.columns["close"].copy()
    leaps[-5] *= 3
    another = PriceSeries("leaps", one.dates, {**one.columns, "close": leaps})
    forgotten = PriceSeries("forgotten", one.dates, {**one.columns, "close": np.roll(leaps, -1)})
    table = make_features([one, another, forgotten], features, config)
    fitted = table.values()[one.name]
    scalers = fit_scalers(dict.fromkeys(table.series, fitted), config)
    rows = scaled_rows(table, scalers, config)
    assert rows.outside.tolist() == [[False, False], [True, False], [False, False]]
