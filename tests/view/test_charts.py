"""The pictures hold the numbers that they were given, no more and no less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from scipy.stats import binom, norm

from stockcast.data.events.records import events_of
from stockcast.data.forecast import QUANTILES, EvaluatedForecast, Forecast, evaluate
from stockcast.data.series import Dates, Floats, Panel, PriceSeries
from stockcast.errors import DataError
from stockcast.view import charts
from stockcast.view.calibration_chart import calibration

Prices = Callable[..., PriceSeries]


def forecast_of(series: PriceSeries, rows: list[int], horizon: int, sigma: float = 0.02) -> Forecast:
    """Normal log returns of volatility `sigma` with a little drift."""
    row = np.array(rows)
    last = series.columns["close"][row]
    step = np.arange(1, horizon + 1)
    spread = sigma * np.sqrt(step)[:, None] * norm.ppf(QUANTILES)  # (H, Q)
    quantiles = last[:, None, None] * np.exp(0.002 * step[:, None] + spread)
    return Forecast(np.zeros(row.size, np.int64), row, last, quantiles[:, :, 4], quantiles)


def judged_of(series: PriceSeries, rows: list[int], horizon: int) -> EvaluatedForecast:
    return evaluate("daily", Panel((series,)), forecast_of(series, rows, horizon), "close")


def joined(one: Forecast, two: Forecast) -> Forecast:
    """The forecasts of a panel of two series."""
    series = np.repeat([0, 1], [len(one), len(two)])
    row = np.concatenate([one.row, two.row])
    last = np.concatenate([one.last, two.last])
    point = np.concatenate([one.point, two.point])
    return Forecast(series, row, last, point, np.concatenate([one.quantiles, two.quantiles]))


def numbers(dates: Dates) -> Floats:
    """Days since 1970, where matplotlib has its dates."""
    return np.asarray(dates).astype("datetime64[D]").astype(np.float64)


def line(axes: Axes, label: str) -> Floats:
    """The points of the one line with this label, (n, 2), dates as days since 1970."""
    (found,) = (each for each in axes.lines if each.get_label() == label)
    return np.asarray(found.get_xydata(), dtype=np.float64)


def edges(axes: Axes, label: str) -> Floats:
    """A filled band's dates, its lowest and its highest point at each of them, (n, 3)."""
    (band,) = (each for each in axes.collections if each.get_label() == label)
    assert isinstance(band, PolyCollection)
    points = np.concatenate([path.vertices for path in band.get_paths()])
    heights = [(day, points[points[:, 0] == day, 1]) for day in np.unique(points[:, 0])]
    return np.array([(day, height.min(), height.max()) for day, height in heights])


class Stairs(NamedTuple):
    values: Floats
    edges: Floats
    baseline: Floats | None


def stairs(axes: Axes) -> list[Stairs]:
    """What is drawn in steps: the range of chance, then the nominal share, then where there is one the observed."""
    return [Stairs(*patch.get_data()) for patch in axes.patches if isinstance(patch, StepPatch)]  # type: ignore[arg-type]  # matplotlib says that a baseline is a float


def words(figure: Figure) -> str:
    """Titles and facts of all axes."""
    return "\n".join(
        text for axes in figure.axes for text in (axes.get_title("left"), *(each.get_text() for each in axes.texts))
    )


def test_a_fan_shows_prices_forecast_and_bands(prices: Prices) -> None:
    series = prices(rows=200)
    forecast = forecast_of(series, [199], 5)
    dates = np.busday_offset(series.dates[-1], np.arange(1, 6))
    figure = charts.fan(series, forecast, dates, "daily")
    (axes,) = figure.axes

    shown = line(axes, "Price")
    np.testing.assert_array_equal(shown[:, 0], numbers(series.dates[-60:]))
    np.testing.assert_array_equal(shown[:, 1], series.columns["close"][-60:])
    ahead = line(axes, "Forecast")
    np.testing.assert_array_equal(ahead[:, 0], numbers(dates))
    np.testing.assert_array_equal(ahead[:, 1], forecast.point[0])
    for label, low, high in (("95 % band", 0, 8), ("80 % band", 2, 6), ("50 % band", 3, 5)):
        last = forecast.last[0]
        expected = np.column_stack([numbers(dates), forecast.quantiles[0][:, [low, high]]])
        start = [*numbers(series.dates[-1:]), last, last]
        np.testing.assert_array_equal(edges(axes, label), np.vstack([start, expected]))
    assert "acme" in words(figure)
    assert "daily" in words(figure)
    assert str(series.dates[-1]) in words(figure)
    assert axes.get_xlabel() == "Date"
    assert axes.get_ylabel() == "Price (close)"


def test_a_fan_from_an_earlier_row_shows_nothing_later(prices: Prices) -> None:
    series = prices(rows=200)
    forecast = forecast_of(series, [50, 150], 3)
    figure = charts.fan(series, forecast, series.dates[151:154], "daily", at=1)
    (axes,) = figure.axes
    shown = line(axes, "Price")
    assert shown[-1].tolist() == [*numbers(series.dates[150:151]), series.columns["close"][150]]
    np.testing.assert_array_equal(line(axes, "Forecast")[:, 1], forecast.point[1])


def test_a_fan_of_fewer_dates_than_steps_draws_the_first_steps(prices: Prices) -> None:
    series = prices(rows=200)
    forecast = forecast_of(series, [199], 5)
    dates = np.busday_offset(series.dates[-1], [1, 2])
    figure = charts.fan(series, forecast, dates, "daily")
    np.testing.assert_array_equal(line(figure.axes[0], "Forecast")[:, 1], forecast.point[0, :2])
    assert f"Forecast for {dates[1]}: {forecast.point[0, 1]:.2f}; 80 % band" in words(figure)


def test_a_fan_marks_the_events_that_were_known_by_its_first_day(prices: Prices) -> None:
    series = prices(rows=200)
    dates = np.busday_offset(series.dates[-1], np.arange(1, 6))
    known, late = series.dates[-1] - 9, series.dates[-1] + 1
    events = [
        (series.dates[190], "acme", "report", "", known),
        (dates[2], "acme", "report", "", known),
        (dates[3], "", "rates", "", known),
        (dates[1], "", "rates", "", late),
        (series.dates[20], "acme", "report", "", known),
        (dates[4] + 30, "acme", "report", "", known),
    ]
    told = replace(series, events=events_of(events))
    axes = charts.fan(told, forecast_of(series, [199], 5), dates, "daily").axes[0]
    np.testing.assert_array_equal(line(axes, "report")[:, 0], numbers(np.array([series.dates[190], dates[2]])))
    np.testing.assert_array_equal(line(axes, "rates")[:, 0], numbers(dates[3:4]))


@pytest.mark.parametrize(("rows", "horizon", "shown"), [(200, 1, 40), (200, 60, 120), (30, 5, 30), (1, 1, 1)])
def test_how_much_of_the_past_a_fan_shows(prices: Prices, rows: int, horizon: int, shown: int) -> None:
    series = prices(rows=rows)
    dates = np.busday_offset(series.dates[-1], np.arange(1, horizon + 1))
    figure = charts.fan(series, forecast_of(series, [rows - 1], horizon), dates, "daily")
    assert len(line(figure.axes[0], "Price")) == shown


def test_the_bands_stay_apart_in_greyscale(prices: Prices) -> None:
    series = prices(rows=50)
    dates = np.busday_offset(series.dates[-1], [1])
    axes = charts.fan(series, forecast_of(series, [49], 1), dates, "daily").axes[0]
    colours = np.concatenate([np.asarray(each.get_facecolor()) for each in axes.collections])  # (3, RGBA)
    grey = colours[:, :3] @ [0.299, 0.587, 0.114]
    assert len(grey) == 3
    assert 1 - grey[0] > 0.1
    assert (np.diff(grey) < -0.1).all()


def test_a_backtest_shows_one_step_ahead_and_the_last_price(prices: Prices) -> None:
    series = prices(rows=200)
    evaluated = judged_of(series, [150, 120, 199, 130], 2)  # out of order; the outcome of row 199 is unknown
    figure = charts.held_out(evaluated, decimals=2, colours=("red", "blue"))
    above, below = figure.axes
    rows, close = np.array([120, 130, 150]), series.columns["close"]
    forecast = forecast_of(series, rows.tolist(), 1)
    np.testing.assert_array_equal(line(above, "Actual")[:, 0], numbers(series.dates[rows + 1]))
    np.testing.assert_array_equal(line(above, "Actual")[:, 1], close[rows + 1])
    np.testing.assert_array_equal(line(above, "Forecast")[:, 1], forecast.point[:, 0])
    np.testing.assert_array_equal(edges(above, "80 % band")[:, 1:], forecast.quantiles[:, 0, [2, 6]])
    assert [each.get_color() for each in above.lines] == ["red", "blue"]
    error = close[rows + 1] - forecast.point[:, 0]
    np.testing.assert_array_equal(below.lines[0].get_ydata(), error)
    ours, naive = (np.sqrt(np.mean(each**2)) for each in (error, close[rows + 1] - close[rows]))
    assert f"RMSE {ours:.4f}; of the last price {naive:.4f}." in words(figure)


def test_a_backtest_counts_the_prices_that_the_band_held(prices: Prices) -> None:
    series = prices(rows=200)
    evaluated = judged_of(series, list(range(100, 150)), 1)
    close, band = series.columns["close"][101:151], evaluated.forecast.quantiles[:, 0, [2, 6]]
    held = int(np.sum((band[:, 0] <= close) & (close <= band[:, 1])))
    assert 0 < held < 50
    assert f"The 80 % band held {held} of 50 prices ({2 * held} %)." in words(charts.held_out(evaluated))


def test_a_backtest_of_a_panel_shows_one_series(prices: Prices) -> None:
    panel = Panel((prices(rows=200), prices(rows=150, name="other", seed=1)))
    one, two = (forecast_of(series, [100, 101], 1) for series in panel.series)
    figure = charts.held_out(evaluate("daily", panel, joined(one, two), "close"), at=1)
    np.testing.assert_array_equal(line(figure.axes[0], "Actual")[:, 1], panel.series[1].columns["close"][101:103])
    assert "other" in words(figure)


def test_a_backtest_without_outcomes_is_refused(prices: Prices) -> None:
    evaluated = judged_of(prices(rows=50), [49], 3)
    with pytest.raises(DataError, match="acme has no forecast whose outcome is known"):
        charts.held_out(evaluated)
    with pytest.raises(DataError, match="no forecast's outcome is known"):
        calibration(evaluated)


def test_the_parts_of_a_series_stand_where_they_belong(prices: Prices) -> None:
    series = prices(rows=80)
    training, test = judged_of(series, list(range(4, 50)), 1), judged_of(series, list(range(50, 80)), 1)
    figure = charts.parts(series, training, test, "tutorial")
    (axes,) = figure.axes
    np.testing.assert_array_equal(line(axes, "Actual")[:, 1], series.columns["close"])
    for label, evaluated, rows in (
        ("Forecast, training part", training, slice(5, 51)),
        ("Forecast, test part", test, slice(51, 80)),
    ):
        found = line(axes, label)
        np.testing.assert_array_equal(found[:, 0], numbers(series.dates[rows]))
        np.testing.assert_array_equal(found[:, 1], evaluated.forecast.point[: len(found), 0])
    moves = np.diff(series.columns["close"])
    assert f"the last price's {np.sqrt(np.mean(moves[4:50] ** 2)):.4f}. Test part" in words(figure)
    with pytest.raises(DataError, match="test part of acme"):
        charts.parts(series, training, judged_of(series, [79], 1), "tutorial")


def test_a_training_that_spans_decades_has_a_log_axis() -> None:
    loss = 0.0457 * np.exp(-np.arange(100) / 20)
    (axes,) = charts.history("google", "tutorial-google", loss, measure="mse").axes
    np.testing.assert_array_equal(line(axes, "Training"), np.column_stack([np.arange(1, 101), loss]))
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("loss", [[0.5, 0.45, 0.44], [0.5, -0.4, -0.6], [0.5, 0.01, 0.0], [0.3]])
def test_other_trainings_have_a_plain_axis(loss: list[float]) -> None:
    (axes,) = charts.history("ibm", "daily", loss, measure="mse").axes
    assert axes.get_yscale() == "linear"


def test_a_training_shows_its_validation_loss_where_it_was_taken() -> None:
    validation = [0.52, np.nan, 0.47]
    (axes,) = charts.history("ibm", "daily", [0.5, 0.45, 0.44], validation, measure="pinball").axes
    np.testing.assert_array_equal(line(axes, "Validation")[:, 1], validation)
    assert axes.get_ylabel() == "Loss (pinball)"
    assert axes.get_xlabel() == "Epoch"


def test_calibration_shows_coverage_per_step(prices: Prices) -> None:
    series = prices(rows=400)
    evaluated = judged_of(series, list(range(200, 399)), 3)
    panels = {axes.get_ylabel(): axes for axes in calibration(evaluated).axes}
    for label, low, high in (("In the 95 % band", 0, 8), ("In the 80 % band", 2, 6), ("In the 50 % band", 3, 5)):
        observed = line(panels[label], "Observed")
        assert observed[:, 0].tolist() == [1, 2, 3]
        for step in range(3):
            known = evaluated.actual[: 199 - step, step]
            band = evaluated.forecast.quantiles[: 199 - step, step]
            expected = np.mean((band[:, low] <= known) & (known <= band[:, high]))
            assert observed[step, 1] == pytest.approx(expected, abs=1e-12)


def test_the_range_of_chance_is_the_binomial_one(prices: Prices) -> None:
    evaluated = judged_of(prices(rows=1300), list(range(298, 1298)), 2)  # 1000 forecasts of step 1, 999 of step 2
    axes = next(each for each in calibration(evaluated).axes if each.get_ylabel() == "In the 80 % band")
    chance, nominal = stairs(axes)
    assert chance.baseline is not None
    assert chance.edges.tolist() == [0.5, 1.5, 2.5]
    assert nominal.values.tolist() == pytest.approx([0.8, 0.8])
    for step, trials in ((0, 1000), (1, 500)):  # overlapping forecasts count as half
        low, high = binom.interval(0.95, trials, 0.8)
        assert [chance.baseline[step], chance.values[step]] == pytest.approx(
            [low / trials, high / trials], abs=1 / trials
        )


def test_the_pit_histogram_compares_each_gap_with_its_probability(prices: Prices) -> None:
    evaluated = judged_of(prices(rows=400), list(range(200, 399)), 1)
    axes = next(each for each in calibration(evaluated).axes if each.get_xlabel().startswith("Quantile"))
    *_, observed = stairs(axes)
    below = np.mean(evaluated.actual[:, :1] <= evaluated.forecast.quantiles[:, 0], axis=0)  # (Q,)
    widths = np.diff([0, *QUANTILES, 1])
    np.testing.assert_array_equal(observed.edges, [0, *QUANTILES, 1])
    np.testing.assert_allclose(observed.values, np.diff([0, *below, 1]) / widths)
    assert np.sum(observed.values * widths) == pytest.approx(1)


def test_calibration_of_a_panel_counts_days_not_series(prices: Prices) -> None:
    series = prices(rows=400)
    panel = Panel((series, PriceSeries("other", series.dates, series.columns)))
    one = judged_of(series, list(range(200, 300)), 1)
    two = evaluate("daily", panel, joined(one.forecast, one.forecast), "close")
    single, double = (calibration(each) for each in (one, two))
    for before, after in zip(single.axes, double.axes, strict=True):
        for first, second in zip(stairs(before), stairs(after), strict=True):
            np.testing.assert_allclose(second.values, first.values)
    assert "2 series: bands of model daily" in words(double)
