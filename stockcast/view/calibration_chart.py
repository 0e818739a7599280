"""The picture of calibration: how often the bands held, and where prices fell between the quantiles."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import Floats
from stockcast.errors import DataError
from stockcast.evaluate.band_verdict import judge_bands
from stockcast.evaluate.levels import band_edges, central_bands, loss_levels
from stockcast.evaluate.scores import inside, mean, pit_expected, pit_histogram
from stockcast.evaluate.steps import steps_of
from stockcast.view import chart_style
from stockcast.view.chart_style import BAND_COLOURS, BLUE, CHANCE, INK, dots, one_line


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
        draw_coverage(parts[str(band)], evaluated, band)
    bottom.set_xlabel("Steps ahead")
    draw_pit(parts["pit"], evaluated)
    chart_style.legend_below(figure, top)
    return figure


def draw_coverage(axes: Axes, evaluated: EvaluatedForecast, band: float) -> None:
    """One band's observed share at each step, beside its nominal one and what chance allows."""
    known = np.isfinite(evaluated.actual)  # (n, H)
    hits = inside(evaluated.actual, *band_edges(evaluated.forecast, band))
    steps = 1 + np.flatnonzero(known.any(axis=0))  # (H,), fewer where the data end before the last step
    observed = np.array([mean(hits[known[:, step - 1], step - 1]) for step in steps])
    trials = np.array([np.unique(one.day).size / one.overlap for one in steps_of(evaluated) if one.day.size])
    places = np.arange(1, steps.size + 1)  # side by side, however far apart
    borders = np.linspace(0.5, steps.size + 0.5, steps.size + 1)
    nominal = np.full(steps.size, band)
    _chance(axes, borders, nominal, _spread(nominal, trials), most=1.0)
    axes.plot(places, observed, color=BLUE, linewidth=1.5, label="Observed", **dots(steps.size))
    axes.use_sticky_edges = False  # so that 100 % keeps a margin
    axes.set_xlim(borders[0], borders[-1])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if steps[-1] > steps.size:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{steps[min(max(int(at), 1), steps.size) - 1]}"))
    axes.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
    axes.set_ylabel(f"In the {100 * band:g} % band")


def draw_pit(axes: Axes, evaluated: EvaluatedForecast) -> None:
    """The PIT histogram of the first step: each gap between two quantiles, as wide as its probability."""
    step = first_known_step(evaluated)
    known = np.isfinite(evaluated.actual[:, step])
    levels = loss_levels(evaluated.forecast.levels)  # the tails' gaps are too small to be looked at
    places = [evaluated.forecast.levels.index(level) for level in levels]
    expected = pit_expected(levels)  # (Q + 1,)
    share = pit_histogram(evaluated.actual[known, step], evaluated.forecast.quantiles[known, step][:, places], levels)
    borders = np.array([0.0, *levels, 1.0])
    spread = _spread(expected, np.array(np.unique(evaluated.origin[known]).size)) / expected
    _chance(axes, borders, np.ones(expected.size), spread, most=np.inf)
    axes.stairs(share / expected, borders, baseline=None, color=BLUE, linewidth=1.8, label="Observed")
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


def first_known_step(evaluated: EvaluatedForecast) -> int:
    """The place of the first step that has an outcome."""
    return int(np.argmax(np.isfinite(evaluated.actual).any(axis=0)))
