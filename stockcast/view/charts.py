"""The pictures: prices, forecasts and scores in, a matplotlib `Figure` out. No file is read or written here."""

from __future__ import annotations

from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from stockcast.data.events.records import Events
from stockcast.data.forecast import EvaluatedForecast, Forecast
from stockcast.data.series import Dates, PriceSeries
from stockcast.errors import DataError
from stockcast.evaluate.levels import band_edges, central_bands
from stockcast.evaluate.scores import inside, rmse
from stockcast.view import chart_style
from stockcast.view.calibration_chart import first_known_step
from stockcast.view.chart_style import BAND_COLOURS, BLUE, INK, RED, dots, one_line, price_text
from stockcast.view.predict import decimals_of

_LEAST_SHOWN, _MOST_SHOWN = 40, 120
EVENT_MARKS = ("^", "D", "s", "v")
_LOG_FROM = 10.0  # a loss that falls by more than this factor is drawn on a log axis


@chart_style.style()
def fan(
    series: PriceSeries, forecast: Forecast, dates: Dates, model: str, *, price: str = "close", at: int = 0
) -> Figure:
    """Recent prices and one forecast of them, its bands opening like a fan from the last price.

    `forecast` may hold many forecasts; number `at` is drawn, which was made from row `forecast.row[at]` of `series`.
    `dates` (K,) are those of its first K steps, K <= H, and only these are drawn. Twelve past sessions are shown for
    each step, but no fewer than 40 and no more than 120. Below them stand the events of `series` that were known then,
    as far as they lie between these days.
    """
    figure = chart_style.blank()
    axes = figure.add_subplot()
    chart_style.headline(axes, *_fan_words(series, forecast, dates, model, at))
    draw_fan(axes, series, forecast, dates, price=price, at=at)
    chart_style.legend_below(figure, axes)
    return figure


def draw_fan(
    axes: Axes, series: PriceSeries, forecast: Forecast, dates: Dates, *, price: str = "close", at: int = 0
) -> None:
    """The picture of `fan` on axes of the caller's, without title and legend."""
    known, steps = int(forecast.row[at]) + 1, len(dates)
    shown = min(max(12 * steps, _LEAST_SHOWN), _MOST_SHOWN)
    past = slice(max(known - shown, 0), known)
    last = float(forecast.last[at])
    days = np.concatenate([series.dates[known - 1 : known], dates])  # (1 + K,)
    axes.plot(series.dates[past], series.columns[price][past], color=INK, linewidth=1.5, label="Price")
    for tail, colour in BAND_COLOURS.items():
        low, high = (np.append(last, side[at, :steps]) for side in band_edges(forecast, 1 - 2 * tail))  # (1 + K,)
        axes.fill_between(days, low, high, color=colour, linewidth=0, label=f"{100 - 200 * tail:.0f} % band")
    axes.plot(days[1:], forecast.point[at, :steps], color=BLUE, linewidth=1.6, label="Forecast", **dots(steps))
    axes.plot(days[[0, -1]], [last, last], color=INK, linewidth=1, linestyle=":", label="Last price")
    axes.plot(days[:1], [last], color=INK, marker="o", markersize=6)
    _mark_events(axes, series.events.known_by(days[0]), series.dates[past][0], days[-1])
    chart_style.date_axis(axes)
    chart_style.price_axis(axes, f"Price ({price})")


def _mark_events(axes: Axes, events: Events, first: np.datetime64, last: np.datetime64) -> None:
    """A mark on the date of each event from `first` to `last`, at the foot of the picture, of a shape for each kind."""
    shown = events.take((events.dates >= first) & (events.dates <= last))
    foot = axes.get_xaxis_transform()
    for kind, mark in zip(np.unique(shown.kinds), cycle(EVENT_MARKS), strict=False):
        days = shown.dates[shown.kinds == kind]
        height = np.full(len(days), 0.03)
        label = one_line(str(kind), 24)
        axes.plot(days, height, mark, color=RED, markersize=7, transform=foot, label=label)


def _fan_words(series: PriceSeries, forecast: Forecast, dates: Dates, model: str, at: int) -> tuple[str, str]:
    origin, step = series.dates[int(forecast.row[at])], len(dates) - 1
    title = f"{one_line(series.name)}: forecast by model {one_line(model, 24)}, {origin}"
    prices = (forecast.last[at], forecast.point[at, step], *(side[at, step] for side in band_edges(forecast, 0.8)))
    decimals = decimals_of(series, forecast.quantiles[at])
    last, final, low, high = (price_text(value, decimals) for value in prices)
    facts = f"Last price {last}. Forecast for {dates[-1]}: {final}; 80 % band {low} to {high}."
    return title, facts


@chart_style.style()
def held_out(
    evaluated: EvaluatedForecast,
    *,
    at: int = 0,
    decimals: int = 2,
    price: str = "close",
    colours: tuple[str, str] = (INK, BLUE),
) -> Figure:
    """What one series did on the held-out dates against what the model had said one step before.

    Above prices, below the errors with the 80 % band around the forecast, or the nearest to it that there is. Where no
    forecast was made one step ahead, the first step that there is is drawn. `at` is the series' index in
    `evaluated.names`, `colours` are those of the actual and the forecast price.

    Raises `DataError` if the series has nothing to show.
    """
    step = first_known_step(evaluated)
    mine = np.flatnonzero((evaluated.forecast.series == at) & np.isfinite(evaluated.actual[:, step]))
    if mine.size == 0:
        raise DataError(f"{evaluated.names[at]} has no forecast whose outcome is known.")
    mine = mine[np.argsort(evaluated.dates[mine, step])]
    days, actual = evaluated.dates[mine, step], evaluated.actual[mine, step]
    point, last = evaluated.forecast.point[mine, step], evaluated.forecast.last[mine]

    figure = chart_style.blank()
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    ahead = "one step" if step == 0 else f"{step + 1} steps"
    whose = f"{one_line(evaluated.names[at])}: {ahead} ahead by model {one_line(evaluated.model, 24)}"
    ours, naive = (price_text(rmse(actual, said), decimals + 2) for said in (point, last))
    facts = f"RMSE {ours}; of the last price {naive}."
    marks = dots(mine.size)
    for band in sorted(central_bands(evaluated.forecast.levels), key=lambda one: abs(one - 0.8))[:1]:
        low, high = (side[mine, step] for side in band_edges(evaluated.forecast, band))
        held, name = int(inside(actual, low, high).sum()), f"{100 * band:g} % band"
        facts += f" The {name} held {held} of {mine.size} prices ({100 * held / mine.size:.0f} %)."
        edge = 3 if mine.size == 1 else 0  # a single date has no width to fill
        above.fill_between(days, low, high, color=BAND_COLOURS[0.1], linewidth=edge, label=name)
        below.fill_between(days, low - point, high - point, color=BAND_COLOURS[0.1], linewidth=edge)
    chart_style.headline(above, f"{whose}, {days[0]} to {days[-1]}", facts)
    above.plot(days, actual, color=colours[0], linewidth=1.5, label="Actual", **marks)
    above.plot(days, point, color=colours[1], linewidth=1.2, linestyle="--", label="Forecast", **marks)
    chart_style.price_axis(above, f"Price ({price})")
    below.plot(days, actual - point, color=colours[0], linewidth=1, **marks)
    below.axhline(0, color=colours[1], linewidth=1.2, linestyle="--")
    chart_style.price_axis(below, "Actual \N{MINUS SIGN} forecast")
    chart_style.date_axis(below)
    chart_style.legend_below(figure, above)
    return figure


@chart_style.style()
def parts(
    series: PriceSeries, training: EvaluatedForecast, test: EvaluatedForecast, model: str, *, price: str = "close"
) -> Figure:
    """A whole series, and what the model says one step ahead of it: on the part that it learned, and on the part after.

    Each forecast stands on the date that it is about. Raises `DataError` if a part has nothing to show.
    """
    figure = chart_style.blank()
    axes = figure.add_subplot()
    axes.plot(series.dates, series.columns[price], color=INK, linewidth=1.5, label="Actual")
    facts = []
    # Blue and red are one grey to whoever prints them: the strokes tell them apart, too.
    for evaluated, colour, stroke, name in ((training, BLUE, "--", "Training part"), (test, RED, ":", "Test part")):
        known = np.isfinite(evaluated.actual[:, 0])
        if not known.any():
            raise DataError(f"the {name.lower()} of {series.name} has no forecast whose outcome is known.")
        days, actual, point = evaluated.dates[known, 0], evaluated.actual[known, 0], evaluated.forecast.point[known, 0]
        error = price_text(rmse(actual, point), series.decimals + 2)
        naive = price_text(rmse(actual, evaluated.forecast.last[known]), series.decimals + 2)
        facts.append(f"{name}: RMSE {error}, the last price's {naive}.")
        axes.plot(days, point, color=colour, linewidth=1.6, linestyle=stroke, label=f"Forecast, {name.lower()}")
    chart_style.headline(
        axes, f"{one_line(series.name)}: one step ahead by model {one_line(model, 24)}", " ".join(facts)
    )
    chart_style.date_axis(axes)
    chart_style.price_axis(axes, f"Price ({price})")
    chart_style.legend_below(figure, axes)
    return figure


@chart_style.style()
def history(name: str, model: str, loss: ArrayLike, validation: ArrayLike | None = None, *, measure: str) -> Figure:
    """The loss of each epoch (epochs,), and the validation loss where there is one, NaN in epochs without.

    The axis is logarithmic if the losses are positive and span more than a decade. `measure` is the loss's name.
    """
    curves = {"Training": np.asarray(loss, dtype=np.float64)}
    if validation is not None:
        curves["Validation"] = np.asarray(validation, dtype=np.float64)
    train = curves["Training"]

    figure = chart_style.blank()
    axes = figure.add_subplot()
    facts = f"Loss {train[0]:.4g} in epoch 1, {train[-1]:.4g} in epoch {train.size}."
    chart_style.headline(axes, f"{one_line(name)}: training of model {one_line(model, 24)}", facts)
    styles = {"Training": (INK, "-"), "Validation": (BLUE, "--")}
    for label, values in curves.items():
        colour, line = styles[label]
        epoch = np.arange(1, values.size + 1)
        axes.plot(epoch, values, color=colour, linestyle=line, linewidth=1.5, label=label, **dots(values.size))
    every = np.concatenate(list(curves.values()))
    if np.nanmin(every) > 0 and np.nanmax(every) > _LOG_FROM * np.nanmin(every):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0.5, train.size + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("Epoch")
    axes.set_ylabel(f"Loss ({measure})")
    chart_style.legend_below(figure, axes)
    return figure
