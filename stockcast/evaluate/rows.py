"""Judged forecasts as a CSV file, one row for each model, series, cutoff and step whose price is known; and back.

model,series,cutoff,date,step,last,actual,forecast,q0.01,...,q0.99

So they are written. What is read may come from anyone: any levels, in any order of columns, and some may be missing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from stockcast.data.forecast import LEVELS, EvaluatedForecast, Forecast
from stockcast.data.series import Dates, Floats
from stockcast.errors import DataError
from stockcast.evaluate.csv_escape import neutral
from stockcast.evaluate.row_file.cells import parse_rows
from stockcast.evaluate.row_file.checks import check_rows, demand_one_price, demand_same_dates
from stockcast.evaluate.row_file.table import FIELDS, RowTable
from stockcast.evaluate.steps import pick

LINES_AT_ONCE = 4096
MOST_GAPS = 50  # for each row of a file, in the table that it fills


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
    levels = all_evaluated[0].forecast.levels if all_evaluated else LEVELS
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


def read_table(text: str, where: str = "the row file") -> RowTable:
    """The rows of a file, written by `rows_text` or by anyone. Raises `DataError` naming the first wrong one."""
    return check_rows(parse_rows(text, where))


def read_rows(text: str, where: str = "the row file") -> tuple[EvaluatedForecast, ...]:
    """The judged forecasts of a file, one for each model, in the file's order. Raises `DataError`."""
    return tuple(evaluated_models(with_outcome(read_table(text, where))).values())


def evaluated_models(table: RowTable) -> dict[str, EvaluatedForecast]:
    """Each model that has rows, by name, with the series that it forecasts."""
    every = {}
    for model, name in enumerate(table.models):
        series = dict.fromkeys(table.series[table.model == model].tolist())
        if series:
            every[name] = evaluated_rows(table, model, [table.names[one] for one in series])
    return every


def with_outcome(table: RowTable) -> RowTable:
    """The rows whose price has come; how many were left out is noted.

    Raises `DataError` where there is none, or where two rows disagree on a price or a date.
    """
    demand_same_dates(table)
    demand_one_price(table)
    known = np.isfinite(table.actual)
    if not known.any():
        raise DataError(f"{table.where} has no actual price.", "add --csv PRICES, or fill the columns last and actual.")
    judged = table.take(known)
    judged.refuse(np.isnan(judged.last), lambda _: "last is empty", "add --csv PRICES, or fill the column last.")
    left_out = len(table) - len(judged)
    return judged.noted(f"Left out: {left_out:,} rows whose price has not come.") if left_out else judged


def evaluated_rows(table: RowTable, model: int, names: Sequence[str]) -> EvaluatedForecast:
    """One model's rows beside their outcome, forecasts in order of `names` and cutoff.

    The rows of the prices aren't in the file, so each origin's `row` is its rank among those of its series. Steps that
    are missing are NaN. Raises `DataError` for rows that would fill a table of too many gaps.
    """
    mine = table.take(table.model == model)
    levels = table.levels_of(model)
    place = {name: number for number, name in enumerate(names)}
    owner = np.array([place.get(name, -1) for name in table.names])[mine.series]
    days, day = np.unique(mine.cutoff, return_inverse=True)
    keys, at = np.unique(owner * len(days) + day, return_inverse=True)
    n, horizon = len(keys), int(mine.step.max())
    if n * horizon > MOST_GAPS * len(mine) + 1_000_000:
        raise DataError(
            f"{table.where} has {len(mine):,} rows of {n:,} cutoffs for {horizon} steps: too many are missing.",
            "judge the far steps in a file of their own.",
        )

    def laid_out(values: Floats) -> Floats:  # (rows, ...) to (n, horizon, ...)
        filled = np.full((n, horizon, *values.shape[1:]), np.nan)
        filled[at, mine.step - 1] = values
        return filled

    dates = np.full((n, horizon), np.datetime64("NaT", "D"))
    dates[at, mine.step - 1] = mine.date
    last = np.empty(n)
    last[at] = mine.last
    series = keys // len(days)
    rank = np.arange(n) - np.searchsorted(series, series)
    quantiles = laid_out(mine.quantiles[:, [table.levels.index(level) for level in levels]])
    forecast = Forecast(series, rank, last, laid_out(mine.forecast), quantiles, levels)
    return EvaluatedForecast(
        table.models[model], tuple(names), forecast, laid_out(mine.actual), days[keys % len(days)], dates
    )
