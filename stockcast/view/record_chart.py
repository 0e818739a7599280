"""The picture of a live record: what was forecast against what came, and how often the bands held lately."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import Floats, PriceSeries
from stockcast.errors import DataError
from stockcast.evaluate.live import ROLLING, ROLLING_BAND, Rolling
from stockcast.view import chart_style
from stockcast.view.chart_style import BAND_COLOURS, BLUE, CHANCE, INK, one_line

MOST_WEEKS = 52
"""More fans than these can't be told apart."""

_BEFORE = 10


@chart_style.style()
def record_fans(
    series: PriceSeries, every: EvaluatedForecast, at: int, rolled: Rolling | None, model: str, *, price: str = "close"
) -> Figure:
    """Fans of the past, one origin a week, over the prices that came; below, the rolling coverage of the 80 % band.

    `every` are the forecasts that count, in prices as `series` has them now, and `at` is its index among their names.
    Raises `DataError` if nothing was forecast of it.
    """
    shown = weekly(every, at)
    if not shown.size:
        raise DataError(f"no forecast of {series.name} counts.", "record one: stockcast predict --record")
    figure = chart_style.blank()
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    title = f"{one_line(series.name)}: what model {one_line(model, 24)} forecast, week by week"
    first, last = every.origin[shown[0]], every.origin[shown[-1]]
    chart_style.headline(above, title, f"{shown.size} of its live forecasts, issued from {first} to {last}.")
    draw_weekly_fans(above, series, every, shown, price)
    draw_rolling(below, rolled, series.dates[_begin(series, first)])
    chart_style.date_axis(above)
    above.set_xlabel("")
    below.set_xlabel("Date")
    chart_style.legend_below(figure, above)
    return figure


def weekly(every: EvaluatedForecast, at: int) -> NDArray[np.int64]:
    """The newest forecast of each week of one series, oldest first: rows of `every`, no more than `MOST_WEEKS`."""
    mine = np.flatnonzero(every.forecast.series == at)
    mine = mine[np.argsort(every.origin[mine], kind="stable")]
    week = (every.origin[mine].astype("datetime64[D]").astype(np.int64) + 3) // 7  # 1970-01-01 was a Thursday
    newest = np.append(week[1:] != week[:-1], True) if mine.size else np.zeros(0, dtype=bool)
    rows: NDArray[np.int64] = mine[newest][-MOST_WEEKS:]
    return rows


def draw_weekly_fans(
    axes: Axes, series: PriceSeries, every: EvaluatedForecast, shown: NDArray[np.int64], price: str = "close"
) -> None:
    """The forecasts `shown`, rows of `every` from the oldest on, over the prices that came."""
    begin = _begin(series, every.origin[shown[0]])
    axes.plot(series.dates[begin:], series.columns[price][begin:], color=INK, linewidth=1.5, label="Price", zorder=3)
    _draw_fans(axes, every, shown)
    chart_style.price_axis(axes, f"Price ({price})")


def _begin(series: PriceSeries, first: np.datetime64) -> int:
    """The row from which prices are drawn: some before the first origin."""
    return max(int(np.searchsorted(series.dates, first)) - _BEFORE, 0)


def _draw_fans(axes: Axes, every: EvaluatedForecast, rows: NDArray[np.int64]) -> None:
    """The bands of each forecast, from its origin's price to the last session that it was made for.

    They are drawn in one go, with a gap after each: shape by shape they take several times as long.
    """
    made, gap = every.forecast, np.full(len(rows), np.nan)
    days = np.column_stack([every.origin[rows], every.dates[rows], np.full(len(rows), np.datetime64("NaT"))]).ravel()

    def joined(values: Floats) -> Floats:
        return np.column_stack([made.last[rows], values[rows], gap]).ravel()

    for tail in (0.025, 0.1):
        which = made.levels.index(tail)
        low, high = (joined(made.quantiles[..., end]) for end in (which, len(made.levels) - 1 - which))
        label = f"{100 - 200 * tail:.0f} % band"
        axes.fill_between(days, low, high, color=BAND_COLOURS[tail], linewidth=0, label=label)
    axes.plot(days, joined(made.point), color=BLUE, linewidth=1.2, label="Forecast")


def draw_rolling(axes: Axes, rolled: Rolling | None, begin: np.datetime64) -> None:
    """The coverage over the last sessions up to each day, beside what was promised and what chance allows."""
    axes.set_ylabel(f"In the {100 * ROLLING_BAND:.0f} % band,\n{ROLLING} sessions")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    if rolled is None:
        axes.text(0.5, 0.5, f"fewer than {ROLLING} sessions judged", transform=axes.transAxes, ha="center", va="center")
        axes.set_ylim(0, 1)
        return
    spread = 1.96 * np.sqrt(ROLLING_BAND * (1 - ROLLING_BAND) / ROLLING)
    axes.axhspan(ROLLING_BAND - spread, ROLLING_BAND + spread, color=CHANCE, linewidth=0)
    axes.text(0.005, ROLLING_BAND - spread, "grey: range of chance (95 %)", transform=axes.get_yaxis_transform())
    axes.axhline(ROLLING_BAND, color=INK, linewidth=1, linestyle="--")
    shown = rolled.days >= begin
    axes.plot(rolled.days[shown], rolled.coverage[shown], color=BLUE, linewidth=1.5)
    axes.set_ylim(min(0.6, float(rolled.coverage[shown].min(initial=1)) - 0.05), 1)
