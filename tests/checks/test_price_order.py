"""Which of four columns is the close is proven, or both ways are shown; volumes and a year's extremes are no prices."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.checks.price_order import leads, price_assignments
from stockcast.data.series import PRICE_COLUMNS, PriceSeries

Prices = Callable[..., PriceSeries]


@pytest.mark.parametrize("order", list(permutations(PRICE_COLUMNS)), ids="-".join)
def test_open_high_low_and_close_are_found_in_any_order(prices: Prices, order: tuple[str, ...]) -> None:
    series = prices(rows=300)
    found = price_assignments({index: series.columns[role] for index, role in enumerate(order)}, series.dates)
    assert found == ({role: order.index(role) for role in PRICE_COLUMNS},)


@settings(max_examples=60)
@given(seed=st.integers(0, 40), rows=st.integers(10, 40), order=st.permutations(PRICE_COLUMNS))
def test_the_true_order_is_among_the_ways_of_ten_rows_or_more(
    prices: Prices, seed: int, rows: int, order: list[str]
) -> None:
    series = prices(rows=rows, seed=seed)
    found = price_assignments({index: series.columns[role] for index, role in enumerate(order)}, series.dates)
    assert {role: order.index(role) for role in PRICE_COLUMNS} in found
    assert len(found) <= 2


def test_rows_may_stand_newest_first(prices: Prices) -> None:
    series = prices(rows=60)
    columns = {index: series.columns[role][::-1] for index, role in enumerate(("close", "high", "low", "open"))}
    (found,) = price_assignments(columns, series.dates[::-1])
    assert (found["open"], found["close"]) == (3, 0)


def test_a_share_that_moves_overnight_alone_leaves_two_ways(prices: Prices) -> None:
    close = prices(rows=60).columns["close"]
    opening = close * np.exp(np.random.default_rng(1).normal(0, 0.001, 60))
    high, low = np.maximum(opening, close) * 1.001, np.minimum(opening, close) * 0.999
    dates = prices(rows=60).dates
    found = price_assignments({0: opening, 1: high, 2: low, 3: close}, dates)
    assert [(one["open"], one["close"]) for one in found] == [(0, 3), (3, 0)]


def test_shares_traded_and_turnover_are_no_prices(prices: Prices) -> None:
    series = prices(rows=60)
    volume = series.columns["volume"]
    columns = {0: volume, 1: volume * 100, 2: series.columns["low"], 3: series.columns["high"]}
    assert price_assignments(columns, series.dates) == ()


def test_the_extremes_of_a_year_are_no_session_s(prices: Prices) -> None:
    series = prices(rows=300)
    high, low = np.full(300, series.columns["high"].max()), np.full(300, series.columns["low"].min())
    columns = {0: series.columns["open"], 1: high, 2: low, 3: series.columns["close"]}
    assert price_assignments(columns, series.dates) == ()


def test_a_second_price_within_the_range_leaves_several_ways(prices: Prices) -> None:
    series = prices(rows=300)
    columns = {index: series.columns[role] for index, role in enumerate(PRICE_COLUMNS)}
    middle = (columns[1] + columns[2] + columns[3]) / 3
    assert len(price_assignments({**columns, 4: middle}, series.dates)) > 1
    assert len(price_assignments({**columns, 4: columns[3]}, series.dates)) == 1


def test_the_open_of_currencies_is_the_close_before_without_error() -> None:
    close = np.log([1.0, 1.1, 1.1, 1.2])
    assert leads(np.concatenate([close[:1], close[:-1]]), close) == np.inf
    assert leads(close, close) == 0
