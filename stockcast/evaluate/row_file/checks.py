"""The rules between the cells of a row file, each of which names the first row that breaks it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stockcast.evaluate.row_file.table import MEDIAN, Mask, RowTable

NOISE = 1e-9  # of a price: quantiles that cross by less are equal


def check_rows(table: RowTable) -> RowTable:
    """The table if it keeps all rules, the median standing for forecasts that are missing. Raises `DataError`."""
    table = _with_points(_whole_levels(table))
    _later_dates(table)
    _each_once(table)
    _rising_dates(table)
    _rising_quantiles(table)
    return table


def keys_of(table: RowTable) -> NDArray[np.int64]:
    """A number for each series, cutoff and step, whichever the model, rising in that order, (rows,)."""
    cutoff = table.cutoff.astype(np.int64)
    cutoff = cutoff - cutoff.min()
    steps = int(table.step.max()) + 1
    return np.asarray((table.series * (int(cutoff.max()) + 1) + cutoff) * steps + table.step)


def _later_dates(table: RowTable) -> None:
    table.refuse(
        table.date <= table.cutoff,
        lambda row: f"the date {table.date[row]} is not after its cutoff {table.cutoff[row]}",
        "date is the day that is forecast, cutoff the last one whose price was known; leave such rows out.",
    )


def _each_once(table: RowTable) -> None:
    key = keys_of(table)
    order = np.lexsort((key, table.model))  # stable: of equal rows the first of the file comes first
    same = (np.diff(key[order]) == 0) & (np.diff(table.model[order]) == 0)
    again = np.zeros(len(table), dtype=bool)
    again[order[1:][same]] = True
    first = dict(zip(order[1:].tolist(), order[:-1].tolist(), strict=True)) if again.any() else {}
    table.refuse(
        again,
        lambda row: (
            f"{table.models[table.model[row]]} has this series, cutoff and step ({_what(table, row)}) a second time, "
            f"after line {table.line[first[row]]}"
        ),
        "leave one of them out, or name the two models differently.",
    )


def _rising_dates(table: RowTable) -> None:
    key = keys_of(table)
    order = np.lexsort((key, table.model))
    together = key[order] - table.step[order]
    same = (np.diff(together) == 0) & (np.diff(table.model[order]) == 0)
    early = np.zeros(len(table), dtype=bool)
    early[order[1:][same & (np.diff(table.date[order]) <= np.timedelta64(0, "D"))]] = True
    table.refuse(
        early,
        lambda row: f"the date {table.date[row]} of step {table.step[row]} is not after that of an earlier step",
        "number the steps of a cutoff in the order of their dates.",
    )


def demand_same_dates(table: RowTable) -> None:
    """Models that are compared mean the same day by a step. Raises `DataError`."""
    _, first, at = np.unique(keys_of(table), return_index=True, return_inverse=True)
    table.refuse(
        table.date != table.date[first][at],
        lambda row: (
            f"{_name(table, row)} has step {table.step[row]} from {table.cutoff[row]} on {table.date[row]}, but "
            f"{_name(table, int(first[at[row]]))} on {table.date[first[at[row]]]} in line {table.line[first[at[row]]]}"
        ),
        "count the steps of all models alike.",
    )


def _rising_quantiles(table: RowTable) -> None:
    falls = -np.diff(table.quantiles, axis=1)  # (rows, Q - 1)
    crossed = falls > NOISE * np.abs(table.quantiles[:, 1:])

    def say(row: int) -> str:
        at = int(np.argmax(crossed[row]))
        (low, high), (below, above) = table.levels[at : at + 2], table.quantiles[row, at : at + 2]
        return f"the quantiles cross: q{low:g} is {below:.10g}, above q{high:g}, which is {above:.10g}"

    table.refuse(
        np.asarray(crossed.any(axis=1)), say, "sort the quantiles of each row, or mend the model that made them."
    )


def demand_one_price(table: RowTable) -> None:
    """One price for each series and day, be it the last of one row or the actual of another. Raises `DataError`.

    Where prices say what is right, they are asked instead: then it is known which of the two is wrong.
    """
    series, day = np.concatenate([table.series] * 2), np.concatenate([table.cutoff, table.date]).astype(np.int64)
    price, row = np.concatenate([table.last, table.actual]), np.tile(np.arange(len(table)), 2)
    known = np.flatnonzero(np.isfinite(price))
    order = known[np.lexsort((row[known], day[known], series[known]))]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(series[order]) != 0) | (np.diff(day[order]) != 0)
    first = order[np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))]  # the first that names this day
    off = np.abs(price[order] - price[first]) > 2 * table.tolerance(price[first])
    other = dict(zip(row[order[off]][::-1].tolist(), zip(order[off][::-1], first[off][::-1], strict=True), strict=True))
    wrong = np.zeros(len(table), dtype=bool)
    wrong[list(other)] = True

    def say(at: int) -> str:
        mine, theirs = other[at]
        column = "last" if mine < len(table) else "actual"
        was = "last" if theirs < len(table) else "actual"
        day_text = (table.cutoff if mine < len(table) else table.date)[at]
        return (
            f"{column} is {price[mine]:.10g} for {table.names[series[mine]]} on {day_text}, "
            f"but {was} is {price[theirs]:.10g} for the same day in line {table.line[row[theirs]]}"
        )

    table.refuse(wrong, say, "last and actual are prices of the same column: last on the cutoff, actual on the date.")


def _what(table: RowTable, row: int) -> str:
    return f"{table.names[table.series[row]]}, {table.cutoff[row]}, {table.step[row]}"


def _whole_levels(table: RowTable) -> RowTable:
    """The levels that a model has, which it must have in all its rows; those that no model has are left out."""
    there = np.isfinite(table.quantiles)
    for at, level in enumerate(table.levels):
        table.refuse(
            _torn(table, there[:, at]),
            lambda row, level=level: f"q{level:g} is empty, but {_name(table, row)} has it in other rows",  # type: ignore[misc]  # a default binds the level
            "complete the column, or leave it empty in all rows of that model.",
        )
    used = np.flatnonzero(there.any(axis=0))
    return replace(table, quantiles=table.quantiles[:, used], levels=tuple(table.levels[at] for at in used))


def _with_points(table: RowTable) -> RowTable:
    """The median for the forecast of a model that has none."""
    empty = np.isnan(table.forecast)
    table.refuse(
        _torn(table, ~empty),
        lambda row: f"forecast is empty, but {_name(table, row)} has it in other rows",
        "complete the column, or leave it empty in all rows of that model: then q0.5 stands for it.",
    )
    if not empty.any():
        return table
    median = table.quantiles[:, table.levels.index(MEDIAN)] if MEDIAN in table.levels else np.full(len(table), np.nan)
    table.refuse(
        empty & np.isnan(median),
        lambda row: f"{_name(table, row)} has neither a forecast nor q0.5",
        "fill the column forecast.",
    )
    whose = ", ".join(table.models[one] for one in np.unique(table.model[empty]))
    return replace(table, forecast=np.where(empty, median, table.forecast)).noted(
        f"There is no forecast of {whose}: its median q0.5 stands for it."
    )


def _torn(table: RowTable, there: Mask) -> Mask:
    """The rows that lack what other rows of the same model have, (rows,)."""
    count = np.bincount(table.model, there)
    return np.asarray(~there & (count[table.model] > 0))


def _name(table: RowTable, row: int) -> str:
    return str(table.models[table.model[row]])
