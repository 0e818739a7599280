"""Results as the columns of a frame: what the Python API hands out, in arrays, lists and plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import PriceSeries
from stockcast.errors import UsageError
from stockcast.evaluate.assessment import JUDGED
from stockcast.evaluate.steps import Scores
from stockcast.view.train import unjudged_lines

Columns = dict[str, Any]


def forecast_columns(entries: Sequence[Mapping[str, Any]], level: Sequence[float] | None) -> Columns:
    """The `forecasts` of `predict --json`: series, date, step, forecast, then quantiles as q0.025, ...

    With a `level` such as [80, 95] central bands stand in their place: lo-80, hi-80, lo-95, hi-95. Where the model
    forecasts directions, there are p_down, p_flat and p_up. Raises `UsageError` for a band that the model has not.
    """
    columns: Columns = {key: [one[key] for one in entries] for key in ("series", "date", "step", "forecast")}
    columns["date"] = np.array(columns["date"], dtype="datetime64[D]")
    quantiles = {float(key): [one["quantiles"][key] for one in entries] for key in entries[0]["quantiles"]}
    columns |= {f"q{key:g}": values for key, values in quantiles.items()} if level is None else {}
    for band in level or ():
        for side, wanted in (("lo", (1 - band / 100) / 2), ("hi", (1 + band / 100) / 2)):
            columns[f"{side}-{band:g}"] = quantiles[_nearest(wanted, quantiles, band)]
    labels = dict.fromkeys(label for one in entries for label in one.get("probabilities", {}))
    columns |= {f"p_{label}": [one.get("probabilities", {}).get(label) for one in entries] for label in labels}
    return columns


def _nearest(wanted: float, quantiles: Mapping[float, Any], band: float) -> float:
    found = min(quantiles, key=lambda key: abs(key - wanted))
    if abs(found - wanted) > 1e-9:
        bands = ", ".join(f"{100 - 200 * low:g}" for low in reversed(quantiles) if low < 0.5)
        raise UsageError(f"the model has no {band:g} % band.", f"use some of the levels {bands}.")
    return found


def verdict_lines(scores: Mapping[str, Any]) -> list[str]:
    """The sentences in `Assessment.as_dict`: on the forecast and its bands, on their lower tail, on directions."""
    if scores["verdict"] is None:
        return unjudged_lines(scores["cutoffs"]["last"])
    directions, risk = scores.get("directions") or {}, scores.get("risk") or {}
    told = [*scores["verdict"].get("sentences", ()), *risk.get("sentences", ()), directions.get("sentence")]
    return [line for line in told if line]


def score_columns(models: Mapping[str, Sequence[Mapping[str, Any]]], judged: str) -> Columns:
    """`models` of `Assessment.as_dict`, a row for each step and contestant: the judged one, called `judged`, first.

    The scores of each band are held_80 (share of prices inside), width_80 and interval_score_80 and so on; what is not
    known is NaN. The order is that of `Scores`, whatever the order of the keys.
    """
    plain = [one.name for one in fields(Scores) if one.name not in ("step", "bands", "pit")]
    rows = [
        {
            "step": one["step"],
            "model": judged if name == JUDGED else name,
            **{key: one.get(key) for key in plain},
            **{
                f"{word}_{100 * band['level']:g}": band[key]
                for band in sorted(one["bands"], key=lambda band: float(band["level"]))
                for word, key in (("held", "coverage"), ("width", "width"), ("interval_score", "interval_score"))
            },
        }
        for name in sorted(models, key=lambda name: (name != JUDGED, name != "naive", name))
        for one in models[name]
    ]
    rows.sort(key=lambda row: int(row["step"]))
    columns = dict.fromkeys(key for row in rows for key in row)
    return {key: [np.nan if row.get(key) is None else row[key] for row in rows] for key in columns}


def row_columns(every: Sequence[EvaluatedForecast]) -> Columns:
    """The columns of a row file: a row for each model, series, cutoff and step whose price is known, in its order.

    NaN where a model has not a level that another one has.
    """
    parts = [_rows(evaluated) for evaluated in every]
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: np.concatenate([_or_nan(part, key) for part in parts]) for key in keys}


def _or_nan(part: Columns, key: str) -> NDArray[Any]:
    values: NDArray[Any] = part[key] if key in part else np.full(len(part["step"]), np.nan)
    return values


def _rows(evaluated: EvaluatedForecast) -> Columns:
    forecast = evaluated.forecast
    at, step = np.nonzero(np.isfinite(evaluated.actual))
    return {
        "model": np.full(len(at), evaluated.model, dtype=object),
        "series": np.array(evaluated.names, dtype=object)[forecast.series[at]],
        "cutoff": evaluated.origin[at],
        "date": evaluated.dates[at, step],
        "step": step + 1,
        "last": forecast.last[at],
        "actual": evaluated.actual[at, step],
        "forecast": forecast.point[at, step],
        **{f"q{level:g}": forecast.quantiles[at, step, place] for place, level in enumerate(forecast.levels)},
    }


def price_columns(series: Sequence[PriceSeries]) -> Columns:
    """The prices of several `PriceSeries`, one below the other: series, date, open, ..., NaN where one has no such."""
    names = dict.fromkeys(key for one in series for key in one.columns)
    return {
        "series": np.repeat(np.array([one.name for one in series], dtype=object), [len(one) for one in series]),
        "date": np.concatenate([one.dates for one in series]),
        **{key: np.concatenate([one.columns.get(key, np.full(len(one), np.nan)) for one in series]) for key in names},
    }
