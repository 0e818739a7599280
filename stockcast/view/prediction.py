"""A prediction as JSON entries, a CSV or a table. `dates` is (series, days), `forecast` has one row a series."""

from __future__ import annotations

import csv
import io
from typing import Any

from stockcast.data.forecast import Directions, Forecast
from stockcast.data.neutral import neutral
from stockcast.data.series import Dates, Panel, PriceSeries
from stockcast.view.text import table

BANDS = {"50 %": (0.25, 0.75), "80 %": (0.1, 0.9), "95 %": (0.025, 0.975)}


def rounded(value: float, series: PriceSeries) -> float:
    """A price with two digits more than its source has: nothing of use is lost, nothing is invented."""
    return round(float(value), series.decimals + 2)


def entries(panel: Panel, forecast: Forecast, dates: Dates) -> list[dict[str, Any]]:
    """One record a series and step, as `predict --json` promises them."""
    return [
        {
            "series": one.name,
            "date": str(dates[index, step]),
            "step": step + 1,
            "forecast": rounded(forecast.point[index, step], one),
            "quantiles": {
                str(level): rounded(value, one)
                for level, value in zip(forecast.levels, forecast.quantiles[index, step], strict=True)
            },
            **_probabilities(forecast.directions, index, step),
        }
        for index, one in enumerate(panel.series)
        for step in range(forecast.horizon)
    ]


def _probabilities(directions: Directions | None, index: int, step: int) -> dict[str, dict[str, float]]:
    """How likely each class of move is, for the steps that the model was made for."""
    if directions is None or step >= directions.probabilities.shape[1]:
        return {}
    chances = directions.probabilities[index, step]
    named = zip(directions.labels, chances, strict=True)
    return {"probabilities": {label: round(float(chance), 4) for label, chance in named}}


def prediction_csv(panel: Panel, forecast: Forecast, dates: Dates) -> str:
    """The same as CSV: series,date,step,forecast,q0.025,...; no cell can be taken for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["series", "date", "step", "forecast", *(f"q{level}" for level in forecast.levels)])
    for entry in entries(panel, forecast, dates):
        first = [neutral(entry["series"]), entry["date"], entry["step"], entry["forecast"]]
        writer.writerow([*first, *entry["quantiles"].values()])
    return buffer.getvalue().rstrip("\n")


def prediction_table(panel: Panel, forecast: Forecast, dates: Dates, model: str) -> str:
    """The forecast and its bands, a block a series."""
    return "\n\n".join(_block(one, forecast, index, dates[index], model) for index, one in enumerate(panel.series))


def _block(one: PriceSeries, forecast: Forecast, index: int, dates: Dates, model: str) -> str:
    def price(value: float) -> str:
        return f"{value:.{one.decimals}f}"

    def band(step: int, edges: tuple[float, float]) -> str:
        low, high = (forecast.quantiles[index, step, forecast.levels.index(level)] for level in edges)
        return f"{price(low)} .. {price(high)}"

    title = f"{one.name} after {one.dates[-1]} (last {price(forecast.last[index])}), model {model}"
    rows = [
        [str(day), price(forecast.point[index, step]), *(band(step, edges) for edges in BANDS.values())]
        for step, day in enumerate(dates)
    ]
    labels = forecast.directions.labels if forecast.directions else ()
    for step, row in enumerate(rows):
        chances = _probabilities(forecast.directions, index, step).get("probabilities", {})
        row += [f"{100 * chances[label]:.0f} %" if chances else "" for label in labels]
    return f"{title}\n{table(['date', 'forecast', *(f'{name} band' for name in BANDS), *labels], rows)}"
