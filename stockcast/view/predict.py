"""A prediction as a CSV or a table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from stockcast.data.forecast import Forecast, levels_of
from stockcast.data.series import Dates, Floats, Panel, PriceSeries
from stockcast.evaluate.csv_escape import neutral
from stockcast.view.text import table

PRINTED_BANDS = {"50 %": (0.25, 0.75), "80 %": (0.1, 0.9), "95 %": (0.025, 0.975)}


def decimals_of(one: PriceSeries, quantiles: Floats) -> int:
    """The decimals to print a forecast with: those of the prices, or more until every band has three digits of width.

    `quantiles` (days, Q) are with or without the tails; the 50 % band is the narrowest one that is printed.
    """
    levels = levels_of(quantiles.shape[-1])
    low, high = (quantiles[:, levels.index(level)] for level in PRINTED_BANDS["50 %"])
    width = float((high - low).min())
    return max(one.decimals, math.ceil(2 - math.log10(width))) if width > 0 else one.decimals


def prediction_csv(entries: Sequence[Mapping[str, Any]]) -> str:
    """The `forecasts` of `predict --json` as CSV: series,date,step,forecast,q0.025,...

    No cell can be taken for a formula.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["series", "date", "step", "forecast", *(f"q{level}" for level in entries[0]["quantiles"])])
    for entry in entries:
        first = [neutral(entry["series"]), entry["date"], entry["step"], entry["forecast"]]
        writer.writerow([*first, *entry["quantiles"].values()])
    return buffer.getvalue().rstrip("\n")


def prediction_table(panel: Panel, forecast: Forecast, dates: Dates, model: str) -> str:
    """The forecast and its bands, a block a series; `dates` is (series, days), `forecast` has one row a series."""
    return "\n\n".join(_block(one, forecast, index, dates[index], model) for index, one in enumerate(panel.series))


def _block(one: PriceSeries, forecast: Forecast, index: int, dates: Dates, model: str) -> str:
    last = f"{forecast.last[index]:.{decimals_of(one, forecast.quantiles[index])}f}"
    title = f"{one.name} after {one.dates[-1]} (last {last}), model {model}"
    return f"{title}\n{table(session_head(forecast), session_rows(one, forecast, index, dates))}"


def session_head(forecast: Forecast) -> list[str]:
    """The columns of `session_rows`."""
    labels = forecast.directions.labels if forecast.directions else ()
    return ["date", "forecast", *(f"{name} band" for name in PRINTED_BANDS), *labels]


def session_rows(
    one: PriceSeries, forecast: Forecast, index: int, dates: Dates, written: Callable[[float, int], str] | None = None
) -> list[list[str]]:
    """A line of cells for each of the next sessions `dates` (days,) of series `one`, forecast number `index`.

    Prices are `written` with so many decimals, or with exactly these.
    """
    decimals = decimals_of(one, forecast.quantiles[index])

    def price(value: float) -> str:
        return written(value, decimals) if written else f"{value:.{decimals}f}"

    def band(step: int, edges: tuple[float, float]) -> str:
        low, high = (forecast.quantiles[index, step, forecast.levels.index(level)] for level in edges)
        return f"{price(low)} .. {price(high)}"

    rows = [
        [str(day), price(forecast.point[index, step]), *(band(step, edges) for edges in PRINTED_BANDS.values())]
        for step, day in enumerate(dates)
    ]
    labels = forecast.directions.labels if forecast.directions else ()
    chances = forecast.directions.probabilities[index] if forecast.directions else np.zeros((0, 0))  # (H, C)
    for step, row in enumerate(rows):
        row.extend([f"{100 * chance:.0f} %" for chance in chances[step : step + 1].ravel()] or [""] * len(labels))
    return rows
