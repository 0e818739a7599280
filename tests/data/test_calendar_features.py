"""Weekday, month and ticker as codes, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stockcast.config.sections import DataConfig
from stockcast.data.calendar_features import code, code_names, is_code
from stockcast.data.feature_table import make_features
from stockcast.data.series import PriceSeries

DATES = np.arange("1969-12-20", "1972-02-03", dtype="datetime64[D]")


def series(name: str = "acme") -> PriceSeries:
    return PriceSeries(name, DATES, {"close": np.linspace(1, 2, len(DATES))})


@pytest.mark.parametrize("category", ["weekday", "month"])
def test_codes_of_dates_are_those_of_pandas(category: str) -> None:
    dates = pd.DatetimeIndex(DATES)
    expected = dates.month if category == "month" else dates.day_of_week
    np.testing.assert_array_equal(code(category, series()), expected)
    names = code_names([category], "onehot", ["acme"])
    table = np.column_stack([code(name, series()) for name in names])
    dummies = pd.get_dummies(expected).astype(float)
    np.testing.assert_array_equal(table, dummies.to_numpy())
    assert (table.sum(axis=1) == 1).all()


def test_codes_of_tickers_hold_for_names_of_all_kinds_and_for_new_ones() -> None:
    tickers = ["aa", "b=b", "ticker of"]
    hot = code_names(["ticker"], "onehot", tickers)
    (whole,) = code_names(["ticker"], "integer", tickers)
    for place, ticker in enumerate(tickers):
        assert [code(name, series(ticker))[0] for name in hot] == np.eye(3)[place].tolist()
        assert set(code(whole, series(ticker))) == {place}
    assert set(code(whole, series("new"))) == {-1}
    assert all(code(name, series("new"))[0] == 0 for name in hot)


def test_codes_are_features_like_others() -> None:
    names = code_names(["weekday", "ticker"], "integer", ["acme"])
    assert all(is_code(name) for name in names)
    assert not is_code("close")
    table = make_features([series()], ("close", *names), DataConfig()).values()["acme"][:, :-1]
    np.testing.assert_array_equal(table[:, 1], code("weekday", series()))
