"""Judged forecasts as a CSV file, one row for each model, series, cutoff and step whose price is known; and back.

model,series,cutoff,date,step,last,actual,forecast,q0.025,...,q0.975
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from stockcast.data.forecast import QUANTILES, EvaluatedForecast, Forecast
from stockcast.data.series import Dates
from stockcast.errors import DataError
from stockcast.evaluate.csv_escape import neutral, restored
from stockcast.evaluate.steps import pick

LINES_AT_ONCE = 4096

FIELDS = ("model", "series", "cutoff", "date", "step", "last", "actual", "forecast")


def newest_days(evaluated: EvaluatedForecast, most: int) -> EvaluatedForecast:
    """The forecasts from the newest origins: as many whole days as give at most `most` rows, and one day at least."""
    days, day = np.unique(evaluated.origin, return_inverse=True)
    rows = np.bincount(day, weights=np.isfinite(evaluated.actual).sum(axis=1))
    since = np.cumsum(rows[::-1])[::-1]  # rows from each day on, (days,)
    first = min(int(np.searchsorted(-since, -most)), len(days) - 1)
    return pick(evaluated, day >= first) if first else evaluated


def rows_text(all_evaluated: Sequence[EvaluatedForecast]) -> str:
    """The whole file: ISO dates, quantiles with ten digits, the other prices exactly.

    All of `all_evaluated` must be at the same levels.
    """
    levels = all_evaluated[0].forecast.levels if all_evaluated else QUANTILES
    header = _line([*FIELDS, *(f"q{level:g}" for level in levels)])
    return "".join([header, *(text for evaluated in all_evaluated for text in _blocks(evaluated))])


def _blocks(evaluated: EvaluatedForecast) -> Iterator[str]:
    """The lines of one model, many at a time: one format for all of them is filled in a single operation."""
    forecast = evaluated.forecast
    line = f"%s,%s,%s,%d,%r,%r,%r{',%.10g' * len(forecast.levels)}\n"
    start = [_line([neutral(evaluated.model), neutral(name)])[:-1] for name in evaluated.names]
    every, step = np.nonzero(np.isfinite(evaluated.actual))
    for first in range(0, len(every), LINES_AT_ONCE):
        at, h = every[first : first + LINES_AT_ONCE], step[first : first + LINES_AT_ONCE]
        columns = (
            [start[owner] for owner in forecast.series[at].tolist()],
            _iso(evaluated.origin[at]),
            _iso(evaluated.dates[at, h]),
            (h + 1).tolist(),
            forecast.last[at].tolist(),
            evaluated.actual[at, h].tolist(),
            forecast.point[at, h].tolist(),
            *forecast.quantiles[at, h].T.tolist(),
        )
        yield line * len(at) % tuple(chain.from_iterable(zip(*columns, strict=True)))


def _iso(dates: Dates) -> list[str]:
    """Dates (n,) as text, of which there are far fewer than of forecasts."""
    days, number = np.unique(dates, return_inverse=True)
    written = days.astype(str).tolist()
    return [written[one] for one in number.tolist()]


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def read_rows(text: str) -> tuple[EvaluatedForecast, ...]:
    """The judged forecasts of a file made by `rows_text`, one for each model, in the file's order.

    The rows of the prices aren't in the file, so each origin's `row` is its rank among those of its series. Steps that
    are missing are NaN. Raises `DataError` for any other file.
    """
    reader = csv.reader(io.StringIO(text))
    levels = _levels(next(reader, []))
    by_model: dict[str, list[list[str]]] = {}
    for number, cells in enumerate(reader, start=2):
        if len(cells) != len(FIELDS) + len(levels):
            raise DataError(f"line {number} of the row file has {len(cells)} cells, not {len(FIELDS) + len(levels)}.")
        by_model.setdefault(restored(cells[0]), []).append(cells)
    try:
        return tuple(_evaluated(model, rows, levels) for model, rows in by_model.items())
    except ValueError as error:
        raise DataError(f"the row file holds something that is not a number or a date: {error}.") from error


def _levels(header: Sequence[str]) -> tuple[float, ...]:
    quantiles = header[len(FIELDS) :]
    if tuple(header[: len(FIELDS)]) != FIELDS or not all(cell.startswith("q") for cell in quantiles):
        raise DataError(
            f"this is not a row file of forecasts: its first line is {','.join(header)[:80]!r}.",
            "give a file written by stockcast backtest -o FILE.csv.",
        )
    return tuple(float(cell[1:]) for cell in quantiles)


def _evaluated(model: str, rows: Sequence[Sequence[str]], levels: tuple[float, ...]) -> EvaluatedForecast:
    names = tuple(dict.fromkeys(restored(cells[1]) for cells in rows))
    index = {name: number for number, name in enumerate(names)}
    series = np.array([index[restored(cells[1])] for cells in rows])
    cutoff, date = _column(rows, 2, "datetime64[D]"), _column(rows, 3, "datetime64[D]")
    step = _column(rows, 4, "int64") - 1
    last, actual = _column(rows, 5, "float64"), _column(rows, 6, "float64")
    numbers = np.array([[float(cell) for cell in cells[7:]] for cells in rows])  # (rows, 1 + Q)

    keys, at = np.unique(np.rec.fromarrays([series, cutoff.astype("int64")]), return_inverse=True)
    n, horizon = len(keys), int(step.max()) + 1
    table = np.full((n, horizon, 2 + len(levels)), np.nan)
    table[at, step] = np.column_stack([actual, numbers])
    dates = np.full((n, horizon), np.datetime64("NaT", "D"))
    dates[at, step] = date
    lasts = np.empty(n)
    lasts[at] = last
    owner = keys["f0"].astype("int64")
    rank = np.arange(n) - np.searchsorted(owner, owner)
    forecast = Forecast(owner, rank, lasts, table[..., 1], table[..., 2:], levels)
    return EvaluatedForecast(model, names, forecast, table[..., 0], keys["f1"].astype("datetime64[D]"), dates)


def _column(rows: Iterable[Sequence[str]], index: int, kind: str) -> np.ndarray:
    return np.array([cells[index] for cells in rows]).astype(kind)
