"""The picture of a live record shows a fan a week, the prices that came, and the rolling coverage."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from stockcast.data.forecast import QUANTILES, EvaluatedForecast, Forecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import DataError
from stockcast.evaluate.live import ROLLING, rolling
from stockcast.view.chart_style import render
from stockcast.view.record_chart import MOST_WEEKS, record_fans, weekly

Prices = Callable[..., PriceSeries]


def judged(series: PriceSeries, rows: np.ndarray, width: float = 0.02) -> EvaluatedForecast:
    last = series.columns["close"][rows]
    spread = width * (np.array(QUANTILES) - 0.5)
    quantiles = last[:, None, None] * np.exp(np.sqrt(np.arange(1.0, 4))[:, None] * spread)
    made = Forecast(np.zeros(len(rows), np.int64), rows, last, quantiles[..., 4], quantiles)
    return evaluate("acme", Panel((series,)), made, "close")


def test_a_week_has_one_fan_its_newest(prices: Prices) -> None:
    series = prices(rows=300)
    every = judged(series, np.arange(100, 120))
    shown = weekly(every, 0)
    weeks = [day.isocalendar()[:2] for day in every.origin.tolist()]
    assert [weeks[row] for row in shown] == sorted(set(weeks))
    assert all(weeks[row] != weeks[row + 1] for row in shown[:-1])
    assert len(weekly(judged(series, np.arange(0, 290)), 0)) == MOST_WEEKS
    assert len(weekly(every, 1)) == 0


def test_the_picture_holds_the_fans_and_the_coverage(prices: Prices) -> None:
    series = prices(rows=300)
    every = judged(series, np.arange(100, 250))
    rolled = rolling(every, {"naive": judged(series, np.arange(100, 250), 0.04)})
    assert rolled is not None
    assert len(rolled.days) == 150 - ROLLING + 1
    hits = (every.forecast.quantiles[:, 0, 2] <= every.actual[:, 0]) & (
        every.actual[:, 0] <= every.forecast.quantiles[:, 0, 6]
    )
    assert rolled.coverage[-1] == pytest.approx(hits[-ROLLING:].mean())
    assert rolled.low < rolled.coverage[-1] < rolled.high
    figure = record_fans(series, every, 0, rolled, "acme")
    above, below = figure.axes
    fans = len(weekly(every, 0))
    assert [len(band.get_paths()) for band in above.collections] == [fans, fans]
    _, points = above.lines
    assert np.count_nonzero(np.isnan(np.asarray(points.get_ydata(), dtype=float))) == fans  # a gap after each
    (_, coverage) = below.lines
    np.testing.assert_allclose(np.asarray(coverage.get_ydata()), rolled.coverage)
    assert render(figure, ".svg") == render(record_fans(series, every, 0, rolled, "acme"), ".svg")


def test_too_few_sessions_are_said_and_none_refused(prices: Prices) -> None:
    series = prices(rows=300)
    every = judged(series, np.arange(100, 110))
    assert rolling(every, {}) is None
    _, below = record_fans(series, every, 0, None, "acme").axes
    assert "fewer than 60" in below.texts[0].get_text()
    with pytest.raises(DataError, match="no forecast of acme counts"):
        record_fans(series, every, 1, None, "acme")
