"""Forecasts in the long form that forecasting hubs take: a line for each quantile.

The columns are those of a hubverse `model_out_tbl` (https://docs.hubverse.io, model output): the task's own, then
`output_type`, `output_type_id` and `value`. The median is among the quantiles.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.evaluate.csv_escape import neutral

COLUMNS = (
    *("model_id", "origin_date", "target", "horizon", "location", "target_end_date"),
    *("output_type", "output_type_id", "value"),
)


def hubverse_csv(every: Sequence[tuple[EvaluatedForecast, str]]) -> str:
    """The forecasts of several models, each with the price column that it is about; `location` is the series."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for evaluated, price in every:
        made = evaluated.forecast
        for at, step in np.argwhere(~np.isnat(evaluated.dates)).tolist():
            task = (
                *(neutral(evaluated.model), str(evaluated.origin[at]), price, step + 1),
                *(neutral(evaluated.names[int(made.series[at])]), str(evaluated.dates[at, step])),
            )
            for level, value in zip(made.levels, made.quantiles[at, step], strict=True):
                writer.writerow([*task, "quantile", f"{level:g}", f"{value:.10g}"])
    return buffer.getvalue()
