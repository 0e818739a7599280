"""How the past of prices has changed: every kind is told from two downloads of made-up prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stockcast.checks.changes import ACCEPTABLE, CHANGES, Change
from stockcast.checks.findings import KINDS
from stockcast.checks.rewritten import find_change
from stockcast.checks.two_downloads import Past
from stockcast.data.series import Floats, PriceSeries

Prices = Callable[..., PriceSeries]
ROWS, LATER = 400, 40
"""Sessions that the model was trained on, and those that came since."""

factors = st.floats(0.85, 1.15)
seeds = st.integers(0, 20)


def past_of(series: PriceSeries, rows: int = ROWS) -> Past:
    """What a model of the first `rows` keeps."""
    dates = series.dates[:rows]
    volumes = series.columns.get("volume", np.full(len(series), np.nan))[:rows]
    return Past(series.name, day(dates[0]), day(dates[-1]), dates, series.columns["close"][:rows], volumes)


def day(one: np.datetime64) -> date:
    return date.fromisoformat(str(one))


def times(series: PriceSeries, factor: float | Floats, volume: float | Floats = 1.0) -> PriceSeries:
    """The prices and the volumes multiplied."""
    columns = {key: values * (volume if key == "volume" else factor) for key, values in series.columns.items()}
    return replace(series, columns=columns)


def rounded(series: PriceSeries, decimals: int) -> PriceSeries:
    least = 10.0**-decimals
    columns = {
        key: values if key == "volume" else np.maximum(np.round(values, decimals), least)
        for key, values in series.columns.items()
    }
    return replace(series, columns=columns)


def kept(series: PriceSeries, rows: slice | NDArray[np.bool_]) -> PriceSeries:
    columns = {key: values[rows] for key, values in series.columns.items()}
    return replace(series, dates=series.dates[rows], columns=columns)


def corrected(series: PriceSeries, rows: list[int], by: float = 1.03) -> PriceSeries:
    close = series.columns["close"].copy()
    close[rows] *= by
    return replace(series, columns={**series.columns, "close": close})


@pytest.fixture(scope="module")
def series(prices: Prices) -> Callable[[], PriceSeries]:
    return lambda: prices(rows=ROWS + LATER)


@settings(max_examples=30)
@given(seed=seeds, noise=st.floats(0, 4e-6))
def test_last_digits_are_no_change(prices: Prices, seed: int, noise: float) -> None:
    one = prices(rows=ROWS + LATER, seed=seed)
    random = np.random.default_rng(seed)
    change = find_change(past_of(one), times(one, 1 + noise * random.uniform(-1, 1, ROWS + LATER)))
    assert (change.kinds, change.verdict(), change.said()) == (("same",), "taken", {})


@settings(max_examples=40)
@given(seed=seeds, factor=factors, decimals=st.sampled_from([2, 3, 6, 15]), unit=st.sampled_from([1.0, 0.03]))
def test_one_factor_is_taken_without_a_word_however_the_prices_are_rounded(
    prices: Prices, seed: int, factor: float, decimals: int, unit: float
) -> None:
    exact = times(prices(rows=ROWS + LATER, seed=seed), unit)
    before, now = rounded(exact, decimals), rounded(times(exact, factor), decimals)
    change = find_change(past_of(before), now)
    assert change.verdict() == "taken"
    assert change.kind in ("same", "rescaled")
    coarse = 10.0**-decimals / before.columns["close"].min()
    assert change.factor == pytest.approx(factor, abs=2 * coarse + 1e-5)


@settings(max_examples=40)
@given(
    seed=seeds,
    ratio=st.sampled_from([1.5, 2, 3, 4, 10, 20, 1.1]),
    reverse=st.booleans(),
    dividend=st.floats(0.98, 1.0),
    volume=st.booleans(),
)
def test_a_split_is_known_by_its_volume_and_said(
    prices: Prices, seed: int, ratio: float, reverse: bool, dividend: float, volume: bool
) -> None:
    columns = ("open", "high", "low", "close", "volume") if volume else ("close",)
    one, ratio = prices(rows=ROWS + LATER, seed=seed, columns=columns), 1 / ratio if reverse else ratio
    change = find_change(past_of(one), times(one, dividend / ratio, ratio))
    if ratio in (1.1, 1 / 1.1) and not volume:
        assert change.kinds == ("rescaled",)  # a large dividend could do the same
        return
    assert (change.kinds, change.verdict()) == (("split",), "said")
    (split,) = change.splits
    assert split.ratio == pytest.approx(ratio, rel=1e-6)
    assert (split.day, split.proved) == (None, volume)
    assert change.factor == pytest.approx(dividend / ratio, rel=1e-5)


def test_a_split_that_was_not_worked_in_before_is_dated(series: Callable[..., PriceSeries]) -> None:
    one = series()
    before = np.arange(len(one)) < 150
    change = find_change(past_of(one), times(one, np.where(before, 0.25, 1.0), np.where(before, 4.0, 1.0)))
    assert (change.kinds, change.verdict()) == (("split",), "said")
    assert change.splits[0].day == day(one.dates[150])
    assert "4 for 1 on " in change.sentence("split")


def test_another_unit_is_said(series: Callable[..., PriceSeries]) -> None:
    change = find_change(past_of(series()), times(series(), 100.0))
    assert (change.kinds, change.verdict()) == (("rescaled",), "said")
    assert "another unit" in change.said()["rescaled"]


@settings(max_examples=40)
@given(
    seed=seeds, rows=st.sets(st.integers(0, ROWS - 1), min_size=1, max_size=9), factor=factors, by=st.floats(1.01, 2)
)
def test_corrected_sessions_are_named_and_taken_up_to_a_few(
    prices: Prices, seed: int, rows: set[int], factor: float, by: float
) -> None:
    one = prices(rows=ROWS + LATER, seed=seed)
    change = find_change(past_of(one), times(corrected(one, sorted(rows), by), factor))
    named = {found.day for found in change.corrected}
    assert named <= {day(one.dates[row]) for row in rows} | {day(one.dates[row + 1]) for row in rows}
    assert len(named) <= len(rows)
    apart = all(row + 1 not in rows for row in rows)
    if apart:
        assert named == {day(one.dates[row]) for row in rows}
    assert change.verdict() == ("said" if len(change.corrected) <= 0.005 * ROWS else "refused")
    assert change.refused({"corrected"}) is None


def test_sessions_that_are_gone_or_new_count_as_corrected(series: Callable[..., PriceSeries]) -> None:
    whole, without = series(), kept(series(), np.arange(ROWS + LATER) != 77)
    gone, new = find_change(past_of(whole), without), find_change(past_of(without, ROWS - 1), whole)
    assert [change.kinds for change in (gone, new)] == [("corrected",)] * 2
    assert str(gone.corrected[0]) == f"{whole.dates[77]} (gone)"
    assert str(new.corrected[0]) == f"{whole.dates[77]} (new)"


def test_a_newest_session_that_was_not_over_is_taken_whatever_the_length(prices: Prices) -> None:
    one = prices(rows=60)
    change = find_change(past_of(one, 50), corrected(one, [49]))
    assert (change.kinds, change.verdict()) == (("corrected",), "said")
    assert change.corrected[0].day == day(one.dates[49])


def test_a_dividend_shortly_before_the_model_s_last_session_is_a_step(series: Callable[..., PriceSeries]) -> None:
    one = series()
    change = find_change(past_of(one), times(one, np.where(np.arange(len(one)) < ROWS - 3, 0.99, 1.0)))
    assert (change.kinds, change.verdict()) == (("corrected", "rescaled"), "said")
    assert [found.day for found in change.corrected] == [day(one.dates[ROWS - 3])]
    assert change.factor == pytest.approx(0.99)


@settings(max_examples=30)
@given(seed=seeds, first=st.integers(0, 300), last=st.integers(310, ROWS + LATER), factor=factors)
def test_what_ends_early_is_stale_and_what_begins_late_is_shrunk(
    prices: Prices, seed: int, first: int, last: int, factor: float
) -> None:
    one = prices(rows=ROWS + LATER, seed=seed)
    change = find_change(past_of(one), kept(times(one, factor), slice(first, last)))
    assert ("stale" in change.kinds) == (last < ROWS)
    assert ("shrunk" in change.kinds) == (first > 0)
    assert (change.verdict() == "refused") == (last < ROWS or first > 0)
    assert change.refused({"shrunk"}) == ("stale" if last < ROWS else None)


@settings(max_examples=30)
@given(seed=seeds, factor=factors)
def test_another_vendor_s_roundings_are_said_and_an_average_is_no_rounding(
    prices: Prices, seed: int, factor: float
) -> None:
    one = times(prices(rows=ROWS + LATER, seed=seed), np.pi)  # which no vendor prints in few digits
    noise = np.random.default_rng(seed).uniform(-5e-5, 5e-5, ROWS + LATER)
    change = find_change(past_of(one), times(one, factor * (1 + noise)))
    assert change.kinds[0] == "rough"
    assert change.verdict() == "said"
    assert find_change(past_of(one), times(one, factor * (1 + 100 * noise))).kinds == ("other_price",)


@settings(max_examples=30)
@given(seed=seeds, level=st.floats(0.1, 10))
def test_another_series_is_refused_and_nothing_takes_it(prices: Prices, seed: int, level: float) -> None:
    one, other = prices(rows=ROWS + LATER, seed=seed), prices(rows=ROWS + LATER, seed=seed + 100)
    change = find_change(past_of(one), times(other, level))
    assert change.kinds == ("another",)
    assert change.refused(CHANGES) == "another"


def test_the_sessions_of_another_rhythm_are_another_series(series: Callable[..., PriceSeries]) -> None:
    change = find_change(past_of(series()), kept(series(), slice(0, None, 5)))
    assert change.refused() == "another"
    assert "in one of them alone" in change.sentence("another")


@pytest.mark.parametrize("seed", range(5))
def test_the_day_s_average_or_its_open_is_another_price(prices: Prices, seed: int) -> None:
    one = prices(rows=ROWS + LATER, seed=seed)
    average = np.mean([one.columns[key] for key in ("open", "high", "low", "close")], axis=0)
    for now in (average, one.columns["open"]):
        assert find_change(past_of(one), replace(one, columns={"close": now})).kinds == ("other_price",)


def test_prices_that_lost_their_adjustment_are_another_price(series: Callable[..., PriceSeries]) -> None:
    one = series()
    steps = np.power(1.01, np.arange(len(one)) // 63)
    change = find_change(past_of(one), times(one, steps))
    assert change.refused() == "other_price"
    assert "from each of 6 days on" in change.sentence("other_price")


@pytest.mark.parametrize("days", [-1, 1])
def test_the_same_prices_at_other_dates_are_said_to_be_that(series: Callable[..., PriceSeries], days: int) -> None:
    one = series()
    change = find_change(past_of(one), replace(one, dates=one.dates + days))
    assert change.refused() == "shifted"


def test_a_model_that_kept_nothing_says_that_nothing_can_be_told(series: Callable[..., PriceSeries]) -> None:
    one = series()
    nothing = replace(past_of(one), dates=one.dates[:0], prices=np.zeros(0), volumes=np.zeros(0), whole=False)
    change = find_change(nothing, times(one, 0.99))
    assert (change.kinds, change.verdict()) == (("untold",), "said")


def test_a_column_that_is_gone_is_refused_where_the_model_used_it(series: Callable[..., PriceSeries]) -> None:
    one = replace(series(), columns={"close": series().columns["close"]})
    past = past_of(series())
    assert find_change(replace(past, columns=frozenset({"close"})), one).kinds == ("same",)
    assert find_change(past, one).kinds == ("same",)
    change = find_change(replace(past, columns=frozenset({"close", "volume"})), one)
    assert (change.kinds, change.refused(), change.refused({"lost_columns"})) == (
        ("lost_columns",),
        "lost_columns",
        None,
    )
    assert "volume" in change.sentence("lost_columns")


def test_what_is_accepted_is_remembered_by_its_days_and_no_other(series: Callable[..., PriceSeries]) -> None:
    one = series()
    change = find_change(past_of(one), corrected(one, [10, 20, 30]))
    kept_days = change.remembered({"corrected"})
    assert kept_days == {f"corrected:{one.dates[row]}" for row in (10, 20, 30)}
    assert change.refused(kept_days) is None
    assert find_change(past_of(one), corrected(one, [10, 20, 40])).refused(kept_days) == "corrected"


def test_every_acceptable_kind_can_be_named_to_accept_and_each_has_words() -> None:
    assert all(KINDS[kind][0] == "refused" for kind in ACCEPTABLE)
    some_day = date(2020, 1, 1)
    for kind in CHANGES:
        change = Change("acme", (kind,), some_day, some_day, some_day, some_day)
        assert change.sentence(kind).startswith("acme: ")
        assert change.to_dict()["kind"] == kind
