"""How many digits of a price or an error are printed: enough to tell a band's ends apart, and those of the source."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stockcast.data.forecast import Forecast, levels_of
from stockcast.data.series import Panel, PriceSeries
from stockcast.view.chart_style import price_text
from stockcast.view.predict import decimals_of, prediction_table
from stockcast.view.text import error_text

NORMAL = np.array([-2.326, -1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96, 2.326])


def table(price: float, width: float, decimals: int, tails: bool = True) -> str:
    """The table of a forecast of `price` with bands of `width`, as a share of it, that grow."""
    dates = np.datetime64("2024-01-01") + np.arange(3)
    series = PriceSeries("acme", dates[:1], {"close": np.array([price])}, decimals)
    point = np.full((1, 2), price)
    normal = NORMAL if tails else NORMAL[1:-1]
    quantiles = point[..., None] * np.exp(width * normal * np.array([1, 1.4])[:, None])
    forecast = Forecast(
        np.array([0]), np.array([0]), np.array([price]), point, quantiles, levels_of(quantiles.shape[-1])
    )
    return prediction_table(Panel((series,)), forecast, dates[None, 1:], "acme")


def test_a_model_without_tails_is_printed_as_one_with_them() -> None:
    for width in (0.0001, 0.002, 1 / (1.3 * 202.91)):  # the last makes the 50 % band just wider than 1
        assert table(202.91, width, 2, tails=False) == table(202.91, width, 2)


@given(
    st.floats(-9, 6).map(lambda power: 10.0**power), st.floats(-4, -1).map(lambda power: 10.0**power), st.integers(0, 9)
)
def test_the_ends_of_every_band_differ_by_three_digits(price: float, width: float, decimals: int) -> None:
    bands = re.findall(r"([\d.]+) \.\. ([\d.]+)", table(price, width, decimals))
    assert len(bands) == 6
    for low, high in bands:
        units = int(high.replace(".", "")) - int(low.replace(".", ""))
        assert units >= 99  # each end is rounded
        assert len(low.partition(".")[2]) == len(high.partition(".")[2]) >= decimals


def test_wide_bands_are_printed_as_the_prices_are() -> None:
    assert "202.91" in table(202.91, 0.01, 2)
    assert "202.910" not in table(202.91, 0.01, 2)
    one = PriceSeries("acme", np.array(["2024-01-02"], "datetime64[D]"), {"close": np.ones(1)})
    assert decimals_of(one, np.ones((2, 11))) == 2


def test_an_error_is_never_printed_as_none() -> None:
    assert [error_text(error) for error in (0.0, 2.1046, 0.0512, 0.00521, 2.34e-7)] == [
        *("0.0000", "2.1046", "0.0512", "0.00521", "2.34e-07")
    ]
    assert [price_text(value, 2) for value in (0.05, 1234567.891, 0.0)] == ["0.05", "1,234,567.89", "0.00"]
    assert price_text(1.7882e-05, 6) == "0.0000179"
