"""The doctor finds each fault that is put into sound prices, where it is, and nothing in sound prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stockcast.checks.findings import KINDS, Finding, refuse
from stockcast.checks.price_checks import examine, examine_all
from stockcast.data.series import Floats, PriceSeries
from stockcast.errors import DataError

Prices = Callable[..., PriceSeries]
OHLC = ("open", "high", "low", "close")


def changed(series: PriceSeries, **columns: Floats) -> PriceSeries:
    return PriceSeries(series.name, series.dates, {**series.columns, **columns}, series.decimals)


def without(series: PriceSeries, rows: list[int]) -> PriceSeries:
    kept = np.delete(np.arange(len(series)), rows)
    return PriceSeries(series.name, series.dates[kept], {key: v[kept] for key, v in series.columns.items()})


def split(series: PriceSeries, row: int, ratio: float, roles: tuple[str, ...] = OHLC) -> PriceSeries:
    """The prices as they were before a split of `ratio` for 1 on `row` was adjusted for."""
    before = np.arange(len(series)) < row
    columns = {role: np.where(before, series.columns[role] * ratio, series.columns[role]) for role in roles}
    if roles == OHLC:
        columns["volume"] = np.where(before, series.columns["volume"] / ratio, series.columns["volume"])
    return changed(series, **columns)


def found(series: PriceSeries, **known: object) -> dict[str, Finding]:
    return {one.kind: one for one in examine(series, **known)}  # type: ignore[arg-type]  # only dates and a day are given


@pytest.mark.parametrize("seed", range(8))
def test_sound_prices_have_no_finding(prices: Prices, seed: int) -> None:
    series = prices(rows=700, seed=seed)
    assert examine(series, expected=series.dates, today=date(2030, 1, 1)) == ()


@settings(max_examples=60)
@given(
    seed=st.integers(0, 30),
    row=st.integers(1, 299),
    ratio=st.sampled_from([1.5, 2, 3, 4, 5, 7, 10, 20]),
    reverse=st.booleans(),
)
def test_a_split_is_found_with_its_day_and_ratio(
    prices: Prices, seed: int, row: int, ratio: float, reverse: bool
) -> None:
    series = prices(rows=300, seed=seed)
    one = found(split(series, row, 1 / ratio if reverse else ratio))["splits"]
    assert (one.count, one.first, one.verdict) == (1, series.dates[row].item(), "refused")
    assert f"{f'1 for {ratio:g}' if reverse else f'{ratio:g} for 1'} on {series.dates[row]}" in one.message


def test_a_split_is_found_in_closes_alone(prices: Prices) -> None:
    series = prices(rows=300, columns=("close",))
    assert found(split(series, 120, 2.0, ("close",)))["splits"].first == series.dates[120].item()


def test_a_crash_on_high_volume_is_no_split(prices: Prices) -> None:
    series = prices(rows=300)
    volume = series.columns["volume"].copy()
    volume[150] *= 25
    assert "splits" not in found(changed(split(series, 150, 2.0), volume=volume))


def test_a_crash_with_a_wide_range_is_no_split(prices: Prices) -> None:
    series = split(prices(rows=300), 150, 2.0)
    low = series.columns["low"].copy()
    low[150] *= 0.88
    assert "splits" not in found(changed(series, low=low))


@pytest.mark.parametrize(("usual", "splits"), [(0.01, 1), (0.15, 0)])
def test_a_third_less_is_a_split_only_where_moves_are_small(usual: float, splits: int) -> None:
    moves = usual * np.random.default_rng(2).standard_normal(200)
    moves[100] = -np.log(1.5)
    dates = np.datetime64("2005-01-31") + np.timedelta64(31, "D") * np.arange(200)
    series = PriceSeries("monthly", dates, {"close": 100 * np.exp(np.cumsum(moves))})
    assert sum(one.count for one in examine(series) if one.kind == "splits") == splits


@pytest.mark.parametrize(("back", "splits"), [(0.0, 1), (0.12, 0)])
def test_a_jump_that_wears_off_within_days_is_no_split(back: float, splits: int) -> None:
    # As a fear index does, which also moves by 7 % on a usual day.
    moves = 0.07 * np.random.default_rng(5).standard_normal(300)
    moves[150], moves[152:156] = np.log(2), -back
    close = 20 * np.exp(np.cumsum(moves) - np.linspace(0, moves.sum(), 300))
    opening = np.concatenate([close[:1], close[:-1]])
    opening[150] = close[150]
    columns = {"open": opening, "high": np.maximum(opening, close), "low": np.minimum(opening, close), "close": close}
    dates = np.busday_offset("2020-01-01", np.arange(300), roll="forward")
    found = [one for one in examine(PriceSeries("fear", dates, columns)) if one.kind == "splits"]
    assert len(found) == splits


def test_many_splits_of_one_series_are_all_found(prices: Prices) -> None:
    series = prices(rows=300)
    for row in (50, 60, 70, 80):
        series = split(series, row, 2.0)
    assert found(series)["splits"].count == 4


@pytest.mark.parametrize(("roles", "kind"), [(("close",), "close_outside"), (("open",), "open_outside")])
def test_one_column_that_was_not_adjusted_is_found_with_the_day_it_ends(
    prices: Prices, roles: tuple[str, ...], kind: str
) -> None:
    series = prices(rows=300)
    findings = found(split(series, 200, 2.0, roles))
    assert (findings[kind].count, findings[kind].first) == (200, series.dates[0].item())
    assert f"about 2 times the other prices before {series.dates[200]}" in findings[kind].message
    assert "splits" not in findings


def test_rows_whose_close_alone_stays_unadjusted_to_the_end_are_told(prices: Prices) -> None:
    series = prices(rows=300)
    after = np.arange(300) >= 250
    close = np.where(after, series.columns["close"] / 3, series.columns["close"])
    one = found(changed(series, close=close))["close_outside"]
    assert f"from {series.dates[250]} on" in one.message


def test_a_close_outside_by_more_than_rounding_is_found(prices: Prices) -> None:
    series = prices(rows=300)
    high = series.columns["high"].copy()
    close = series.columns["close"]
    high[40], high[50] = close[40] - 0.004, close[50] - 0.02
    one = found(changed(series, high=high))["close_outside"]
    assert (one.count, one.first) == (1, series.dates[50].item())
    assert f"Farthest off on {series.dates[50]}" in one.message


def test_a_high_below_the_low_is_found(prices: Prices) -> None:
    series = prices(rows=300)
    high, low = series.columns["high"].copy(), series.columns["low"].copy()
    high[7], low[7] = low[7] - 0.5, high[7]
    assert found(changed(series, high=high, low=low))["high_below_low"].first == series.dates[7].item()


@pytest.mark.parametrize("factor", [10, 0.1, 1.6])
def test_a_spike_that_comes_back_is_a_bad_print_and_no_split(prices: Prices, factor: float) -> None:
    series = prices(rows=300, columns=("close",))
    close = series.columns["close"].copy()
    close[99] *= factor
    findings = found(changed(series, close=close))
    assert (findings["bad_prints"].count, findings["bad_prints"].first) == (1, series.dates[99].item())
    assert "splits" not in findings


def test_a_high_far_above_the_row_s_other_prices_is_a_bad_print(prices: Prices) -> None:
    series = prices(rows=300)
    high = series.columns["high"].copy()
    high[33] *= 2
    assert found(changed(series, high=high))["bad_prints"].first == series.dates[33].item()


def test_five_repeated_sessions_are_stale_and_four_are_not(prices: Prices) -> None:
    series = prices(rows=300)
    for repeats, stale in ((4, False), (5, True)):
        columns = {key: values.copy() for key, values in series.columns.items()}
        for values in columns.values():
            values[101 : 101 + repeats] = values[100]
        findings = found(changed(series, **columns))
        assert ("stale" in findings) is stale
    assert (findings["stale"].count, findings["stale"].first) == (5, series.dates[101].item())


def test_missing_sessions_are_counted_against_the_expected_ones(prices: Prices) -> None:
    series = prices(rows=300)
    one = found(without(series, [50, 51, 120]), expected=series.dates)["missing_sessions"]
    assert (one.count, one.first) == (3, series.dates[50].item())


def test_without_a_calendar_long_gaps_are_found(prices: Prices) -> None:
    series = prices(rows=300)
    assert "gaps" not in found(without(series, list(range(50, 54))))
    one = found(without(series, list(range(50, 62))))["gaps"]
    assert (one.count, one.first) == (1, series.dates[49].item())


def test_a_missing_month_is_a_gap() -> None:
    months = (np.datetime64("2000-01") + np.arange(40)).astype("datetime64[D]")
    kept = np.delete(np.arange(40), 17)
    series = PriceSeries("monthly", months[kept], {"close": np.linspace(100, 120, 39)})
    assert found(series)["gaps"].first == date(2001, 5, 1)


def test_some_weekend_rows_are_found_but_not_in_a_market_that_never_closes(prices: Prices) -> None:
    series = prices(rows=300)
    dates = series.dates.copy()
    dates[2] += np.timedelta64(1, "D")  # from the Friday to the Saturday
    moved = PriceSeries("moved", dates, series.columns)
    assert (found(moved)["weekend_rows"].count, found(moved)["weekend_rows"].first) == (1, dates[2].item())
    always = PriceSeries("coin", np.datetime64("2020-01-01") + np.arange(300), series.columns)
    assert found(always) == {}


def on(days: np.ndarray) -> PriceSeries:
    """Prices that move a little, dated `days`."""
    return PriceSeries("acme", days, {"close": np.array(100 + np.arange(len(days)) % 7 * 0.5, dtype=np.float64)})


@pytest.mark.parametrize("rows", [8, 39, 700])
def test_a_market_that_is_open_on_sundays_has_no_weekend_rows_but_strays_are_found(rows: int) -> None:
    every = np.arange("2022-01-02", "2026-01-01", dtype="datetime64[D]")
    sessions = every[np.is_busday(every, weekmask="1111001")][:rows]
    assert "weekend_rows" not in found(on(sessions))
    stray = np.datetime64("2022-01-08")  # a Saturday
    one = found(on(np.sort(np.append(sessions, stray))))["weekend_rows"]
    assert (one.count, one.first) == (1, stray.item())


@pytest.mark.parametrize("start", ["2024-01-01", "2024-01-05", "2024-01-06", "2024-01-07"])  # Mon, Fri, Sat, Sun
def test_a_row_of_its_own_for_the_running_week_is_found(start: str) -> None:
    weekly = np.datetime64(start) + 7 * np.arange(60)
    assert "running" not in found(on(weekly))
    monday = start == "2024-01-01"
    for days in range(1, 7) if start != "2024-01-05" else (1, 2):
        if monday or start > "2024-01-05":
            one = found(on(np.append(weekly, weekly[-1] + days)))["running"]
            assert (one.count, one.first) == (1, (weekly[-1] + days).item())


def test_weeks_that_holidays_shift_have_no_row_too_many(prices: Prices) -> None:
    series = prices(rows=900)
    last_of_week = np.append(np.diff((series.dates.astype(int) + 3) // 7) > 0, True)
    kept = np.flatnonzero(last_of_week)
    kept[5] -= 1  # a Thursday
    kept[9] -= 2
    assert "running" not in found(on(series.dates[kept]))


def test_a_row_of_its_own_for_the_running_month_is_found() -> None:
    monthly = np.arange("2018-01", "2024-01", dtype="datetime64[M]").astype("datetime64[D]")
    assert "running" not in found(on(monthly))
    assert found(on(np.append(monthly, np.datetime64("2023-12-14"))))["running"].count == 1


def test_zero_volume_is_found_and_unknown_volume_is_not(prices: Prices) -> None:
    series = prices(rows=300)
    volume = series.columns["volume"].copy()
    volume[[3, 9]], volume[5] = 0, np.nan
    one = found(changed(series, volume=volume))["zero_volume"]
    assert (one.count, one.first) == (2, series.dates[3].item())


def test_rows_after_tomorrow_are_in_the_future(prices: Prices) -> None:
    series = prices(rows=300)
    today = (series.dates[-1] - np.timedelta64(2, "D")).item()
    assert found(series, today=today)["future"].count == 1


def test_the_findings_of_several_series_are_added_up(prices: Prices) -> None:
    several = [split(prices(rows=300, seed=seed, name=f"s{seed}"), 100 + seed, 2.0) for seed in range(5)]
    (one,) = examine_all(several)
    assert (one.kind, one.count, one.first) == ("splits", 5, several[0].dates[100].item())
    assert "5 series (s0, s1, s2, ...)" in one.message


def test_what_is_refused_is_raised_with_the_flag_that_accepts_it(prices: Prices) -> None:
    findings = examine(split(prices(rows=300), 100, 2.0))
    with pytest.raises(DataError, match=r"acme\.csv: unadjusted splits: 1 split") as raised:
        refuse(findings, frozenset(), "acme.csv")
    assert "--accept splits" in str(raised.value.fix)
    refuse(findings, frozenset({"splits"}), "acme.csv")


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_shortest_series_can_be_examined(rows: int) -> None:
    dates = np.datetime64("2020-01-01") + np.arange(rows)
    column = np.full(rows, 5.0)
    series = PriceSeries("short", dates, dict.fromkeys((*OHLC, "volume"), column))
    assert examine(series, expected=dates, today=date(2021, 1, 1)) == ()


def test_every_verdict_is_one_of_three() -> None:
    assert {verdict for verdict, _, _ in KINDS.values()} == {"repaired", "warned", "refused"}


def sampled(series: PriceSeries, step: int) -> PriceSeries:
    """Each so many sessions as one row, as weekly and monthly files have them."""
    first, last = np.arange(0, len(series) - step + 1, step), np.arange(step - 1, len(series), step)
    columns = {
        "open": series.columns["open"][first],
        "high": np.maximum.reduceat(series.columns["high"][: last[-1] + 1], first),
        "low": np.minimum.reduceat(series.columns["low"][: last[-1] + 1], first),
        "close": series.columns["close"][last],
        "volume": np.add.reduceat(series.columns["volume"][: last[-1] + 1], first),
    }
    return PriceSeries(series.name, series.dates[last], columns)


@pytest.mark.parametrize(("step", "ratio", "share"), [(5, 1.5, 0.97), (5, 2.0, 0.97), (21, 1.5, 0.8), (21, 0.5, 0.9)])
def test_splits_between_weeks_or_months_are_seen_from_close_to_open(
    prices: Prices, step: int, ratio: float, share: float
) -> None:
    """Even of prices that move half as much again as most stocks', where a month's moves hide a split of closes."""
    hits = 0
    for seed in range(10):
        daily = prices(rows=100 * step, seed=seed)
        series = sampled(changed(daily, **{role: daily.columns[role] ** 1.5 for role in OHLC}), step)
        assert "splits" not in found(series)
        for row in (17, 40, 63, 86):
            one = found(split(series, row, ratio)).get("splits")
            hits += one is not None and one.dates == (series.dates[row].item(),)
    assert hits >= share * 40
