"""The pictures: prices, forecasts and scores in, a matplotlib `Figure` out. No file is read or written here."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter
from numpy.typing import ArrayLike

from stockcast.data.events.records import Events
from stockcast.data.forecast import EvaluatedForecast, Forecast
from stockcast.data.series import Dates, Floats, PriceSeries
from stockcast.errors import DataError
from stockcast.evaluate.band_verdict import judge_bands
from stockcast.evaluate.levels import band_ends, central_bands, loss_levels
from stockcast.evaluate.scores import inside, mean, pit_expected, pit_histogram, rmse
from stockcast.evaluate.steps import steps_of
from stockcast.view import chart_style
from stockcast.view.chart_style import BAND_COLOURS, BLUE, CHANCE, INK, RED, one_line, price_text
from stockcast.view.predict import decimals_of

_LEAST_SHOWN, _MOST_SHOWN = 40, 120
EVENT_MARKS = ("^", "D", "s", "v")
_DOTS = 40  # so few points are also drawn as dots
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
    known, steps = int(forecast.row[at]) + 1, len(dates)
    shown = min(max(12 * steps, _LEAST_SHOWN), _MOST_SHOWN)
    past = slice(max(known - shown, 0), known)
    last = float(forecast.last[at])
    days = np.concatenate([series.dates[known - 1 : known], dates])  # (1 + K,)

    figure = chart_style.blank()
    axes = figure.add_subplot()
    chart_style.headline(axes, *_fan_words(series, forecast, days, model, at))
    axes.plot(series.dates[past], series.columns[price][past], color=INK, linewidth=1.5, label="Price")
    for tail, colour in BAND_COLOURS.items():
        low, high = (np.append(last, side[at, :steps]) for side in _band(forecast, 1 - 2 * tail))  # (1 + K,)
        axes.fill_between(days, low, high, color=colour, linewidth=0, label=f"{100 - 200 * tail:.0f} % band")
    axes.plot(days[1:], forecast.point[at, :steps], color=BLUE, linewidth=1.6, label="Forecast", **_dots(steps))
    axes.plot(days[[0, -1]], [last, last], color=INK, linewidth=1, linestyle=":", label="Last price")
    axes.plot(days[:1], [last], color=INK, marker="o", markersize=6)
    _mark_events(axes, series.events.known_by(days[0]), series.dates[past][0], days[-1])
    chart_style.date_axis(axes)
    chart_style.price_axis(axes, f"Price ({price})")
    chart_style.legend_below(figure, axes)
    return figure


def _mark_events(axes: Axes, events: Events, first: np.datetime64, last: np.datetime64) -> None:
    """A mark on the date of each event from `first` to `last`, at the foot of the picture, of a shape for each kind."""
    shown = events.take((events.dates >= first) & (events.dates <= last))
    foot = axes.get_xaxis_transform()
    for kind, mark in zip(np.unique(shown.kinds), cycle(EVENT_MARKS), strict=False):
        days = shown.dates[shown.kinds == kind]
        height = np.full(len(days), 0.03)
        label = one_line(str(kind), 24)
        axes.plot(days, height, mark, color=RED, markersize=7, transform=foot, label=label)


def _fan_words(series: PriceSeries, forecast: Forecast, days: Dates, model: str, at: int) -> tuple[str, str]:
    title = f"{one_line(series.name)}: forecast by model {one_line(model, 24)}, {days[0]}"
    step = len(days) - 2
    prices = (forecast.last[at], forecast.point[at, step], *(side[at, step] for side in _band(forecast, 0.8)))
    decimals = decimals_of(series, forecast.quantiles[at])
    last, final, low, high = (price_text(value, decimals) for value in prices)
    facts = f"Last price {last}. Forecast for {days[-1]}: {final}; 80 % band {low} to {high}."
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
    step = _first_step(evaluated)
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
    dots = _dots(mine.size)
    for band in sorted(central_bands(evaluated.forecast.levels), key=lambda one: abs(one - 0.8))[:1]:
        low, high = (side[mine, step] for side in _band(evaluated.forecast, band))
        held, name = int(inside(actual, low, high).sum()), f"{100 * band:g} % band"
        facts += f" The {name} held {held} of {mine.size} prices ({100 * held / mine.size:.0f} %)."
        edge = 3 if mine.size == 1 else 0  # a single date has no width to fill
        above.fill_between(days, low, high, color=BAND_COLOURS[0.1], linewidth=edge, label=name)
        below.fill_between(days, low - point, high - point, color=BAND_COLOURS[0.1], linewidth=edge)
    chart_style.headline(above, f"{whose}, {days[0]} to {days[-1]}", facts)
    above.plot(days, actual, color=colours[0], linewidth=1.5, label="Actual", **dots)
    above.plot(days, point, color=colours[1], linewidth=1.2, linestyle="--", label="Forecast", **dots)
    chart_style.price_axis(above, f"Price ({price})")
    below.plot(days, actual - point, color=colours[0], linewidth=1, **dots)
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
    for evaluated, colour, name in ((training, BLUE, "Training part"), (test, RED, "Test part")):
        known = np.isfinite(evaluated.actual[:, 0])
        if not known.any():
            raise DataError(f"the {name.lower()} of {series.name} has no forecast whose outcome is known.")
        days, actual, point = evaluated.dates[known, 0], evaluated.actual[known, 0], evaluated.forecast.point[known, 0]
        error = price_text(rmse(actual, point), series.decimals + 2)
        naive = price_text(rmse(actual, evaluated.forecast.last[known]), series.decimals + 2)
        facts.append(f"{name}: RMSE {error}, the last price's {naive}.")
        axes.plot(days, point, color=colour, linewidth=1.3, linestyle="--", label=f"Forecast, {name.lower()}")
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
        axes.plot(epoch, values, color=colour, linestyle=line, linewidth=1.5, label=label, **_dots(values.size))
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


@chart_style.style()
def calibration(evaluated: EvaluatedForecast) -> Figure:
    """How often prices fell into the bands, step by step, and where they fell between the quantiles one step ahead.

    Grey is where 95 of 100 models would lie whose bands hold what they promise, by the normal approximation of the
    binomial. Steps that overlap and series that share their days repeat each other, so it counts the distinct cutoffs,
    and those that overlap as one. The words for the bands are those of the verdict; drawn are the three usual bands as
    far as they are there, or others. Raises `DataError` if there is none, or if no outcome is known yet.
    """
    if not np.isfinite(evaluated.actual).any():
        raise DataError("no forecast's outcome is known yet.")
    every, words = central_bands(evaluated.forecast.levels), judge_bands(evaluated)
    if words is None:
        raise DataError(f"{evaluated.model} has no quantiles that make a band.", "--kind backtest draws its points.")
    usual = [1 - 2 * tail for tail in BAND_COLOURS]
    bands = [band for band in usual if band in every] or sorted(every, reverse=True)[: len(usual)]
    figure = chart_style.blank()
    parts = figure.subplot_mosaic([[str(band), "pit"] for band in bands], width_ratios=(3, 2))
    names = evaluated.names
    whose = one_line(names[0]) if len(names) == 1 else f"{len(names)} series"
    days = f"{evaluated.origin.min()} to {evaluated.origin.max()}"
    title = f"{whose}: bands of model {one_line(evaluated.model, 24)}, {days}"
    top, *_, bottom = (parts[str(band)] for band in (*bands[:1], *bands))
    chart_style.headline(top, title, f"{len(evaluated.forecast)} forecasts. Bands: {words.short()}.")
    for band in bands:
        _draw_coverage(parts[str(band)], evaluated, band)
    bottom.set_xlabel("Steps ahead")
    _draw_pit(parts["pit"], evaluated)
    chart_style.legend_below(figure, top)
    return figure


def _draw_coverage(axes: Axes, evaluated: EvaluatedForecast, band: float) -> None:
    """One band's observed share at each step, beside its nominal one and what chance allows."""
    known = np.isfinite(evaluated.actual)  # (n, H)
    hits = inside(evaluated.actual, *_band(evaluated.forecast, band))
    steps = 1 + np.flatnonzero(known.any(axis=0))  # (H,), fewer where the data end before the last step
    observed = np.array([mean(hits[known[:, step - 1], step - 1]) for step in steps])
    trials = np.array([np.unique(one.day).size / one.overlap for one in steps_of(evaluated) if one.day.size])
    places = np.arange(1, steps.size + 1)  # side by side, however far apart
    borders = np.linspace(0.5, steps.size + 0.5, steps.size + 1)
    nominal = np.full(steps.size, band)
    _chance(axes, borders, nominal, _spread(nominal, trials), most=1.0)
    axes.plot(places, observed, color=BLUE, linewidth=1.5, label="Observed", **_dots(steps.size))
    axes.use_sticky_edges = False  # so that 100 % keeps a margin
    axes.set_xlim(borders[0], borders[-1])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if steps[-1] > steps.size:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{steps[min(max(int(at), 1), steps.size) - 1]}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.set_ylabel(f"In the {100 * band:g} % band")


def _draw_pit(axes: Axes, evaluated: EvaluatedForecast) -> None:
    """The PIT histogram of the first step: each gap between two quantiles, as wide as its probability."""
    step = _first_step(evaluated)
    known = np.isfinite(evaluated.actual[:, step])
    levels = loss_levels(evaluated.forecast.levels)  # the tails' gaps are too small to be looked at
    places = [evaluated.forecast.levels.index(level) for level in levels]
    expected = pit_expected(levels)  # (Q + 1,)
    share = pit_histogram(evaluated.actual[known, step], evaluated.forecast.quantiles[known, step][:, places], levels)
    borders = np.array([0.0, *levels, 1.0])
    spread = _spread(expected, np.array(np.unique(evaluated.origin[known]).size)) / expected
    _chance(axes, borders, np.ones(expected.size), spread, most=np.inf)
    axes.stairs(share / expected, borders, baseline=None, color=BLUE, linewidth=1.8)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Quantile at which the next price fell")
    axes.set_ylabel("Observed / nominal share")


def _chance(axes: Axes, borders: Floats, nominal: Floats, spread: Floats, most: float) -> None:
    low, high = np.maximum(nominal - spread, 0), np.minimum(nominal + spread, most)
    axes.stairs(high, borders, baseline=low, fill=True, color=CHANCE, linewidth=0, label="Range of chance (95 %)")
    axes.stairs(nominal, borders, baseline=None, color=INK, linewidth=1, linestyle="--", label="Nominal")


def _spread(probability: Floats, trials: Floats) -> Floats:
    """Half the width that 95 of 100 observed shares of so many independent trials lie in, elementwise."""
    return np.asarray(1.96 * np.sqrt(probability * (1 - probability) / trials))


def _first_step(evaluated: EvaluatedForecast) -> int:
    """The place of the first step that has an outcome."""
    return int(np.argmax(np.isfinite(evaluated.actual).any(axis=0)))


def _band(forecast: Forecast, band: float) -> tuple[Floats, Floats]:
    """The lower and the upper edge, (n, H) each, of a central band."""
    low, high = band_ends(forecast.levels, band)
    return forecast.quantiles[:, :, low], forecast.quantiles[:, :, high]


def _dots(count: int) -> dict[str, Any]:
    return {"marker": "o", "markersize": 4} if count <= _DOTS else {}
