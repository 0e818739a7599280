"""What `predict` prints of several models, and of what it has recorded."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from stockcast.data.forecast import Forecast
from stockcast.data.series import Dates, Panel
from stockcast.evaluate.csv_escape import neutral
from stockcast.view.predict import PRINTED_BANDS
from stockcast.view.text import table


def predictions_csv(every: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> str:
    """The `forecasts` of several models as CSV: model,series,date,step,forecast,q0.025,...

    No cell can be taken for a formula.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if every:
        levels = [f"q{level}" for level in every[0][1][0]["quantiles"]]
        writer.writerow(["model", "series", "date", "step", "forecast", *levels])
    for name, entries in every:
        for entry in entries:
            first = [neutral(name), neutral(entry["series"]), entry["date"], entry["step"], entry["forecast"]]
            writer.writerow([*first, *entry["quantiles"].values()])
    return buffer.getvalue().rstrip("\n")


def predictions_table(every: Sequence[list[list[str]] | str]) -> str:
    """One table of all models, each as its `prediction_rows`; where one failed, a sentence stands in their place."""
    head = ["model", "series", "after", "last", "date", "forecast", *(f"{name} band" for name in PRINTED_BANDS)]
    lines = iter(table(head, [row for one in every if not isinstance(one, str) for row in one], left=2).splitlines())
    printed = [next(lines), next(lines)]
    for one in every:
        printed += [one] if isinstance(one, str) else [next(lines) for _ in one]
    return "\n".join(printed)


def prediction_rows(name: str, panel: Panel, forecast: Forecast, dates: Dates) -> list[list[str]]:
    """A line of cells for each series and step of a model's forecast; `dates` is (series, days)."""
    rows = []
    for index, series in enumerate(panel.series):
        for step, day in enumerate(dates[index]):
            edges = [
                tuple(forecast.quantiles[index, step, forecast.levels.index(level)] for level in band)
                for band in PRINTED_BANDS.values()
            ]
            numbers = [f"{value:.{series.decimals}f}" for value in (forecast.last[index], forecast.point[index, step])]
            bands = [f"{low:.{series.decimals}f} .. {high:.{series.decimals}f}" for low, high in edges]
            rows.append([name, series.name, str(series.dates[-1]), numbers[0], str(day), numbers[1], *bands])
    return rows


def issue_sentences(number: int, live: int, late: int, superseded: int, clock_behind: int) -> list[str]:
    """What became of the forecasts of an issue that are not to be scored."""
    sentences = []
    if clock_behind:
        sentences.append(
            f"the clock is {clock_behind} s behind an earlier issue or behind the prices themselves: issue {number} is "
            "kept, but none of its forecasts counts."
        )
    elif late:
        sentences.append(
            f"{late} of {live + late + superseded} forecasts of issue {number} came after their session had begun: "
            "they are kept, but not scored."
        )
    if superseded:
        sentences.append(
            f"{superseded} forecasts of issue {number} had been issued before: both are kept, and the first counts."
        )
    return sentences
