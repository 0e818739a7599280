"""A row file beside prices: what they say of its last and actual prices, and how far ahead each row looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast, Forecast, Forecaster
from stockcast.data.series import PRICE_COLUMNS, Floats, Panel
from stockcast.errors import DataError
from stockcast.evaluate.row_file.checks import demand_same_dates
from stockcast.evaluate.row_file.table import Mask, RowTable
from stockcast.evaluate.steps import NaiveErrors, naive_errors


@dataclass(frozen=True)
class PricedRows:
    """Rows whose `last` and `actual` are those of the prices.

    `panel` holds the prices of the file's series under the file's names; `ahead` (rows,) is how many sessions lie
    between a row's cutoff and its date, which is the step where steps are sessions.
    """

    table: RowTable
    panel: Panel
    price: str
    ahead: NDArray[np.int64]

    def take(self, keep: Mask) -> PricedRows:
        """The rows where `keep` (rows,) is true."""
        return replace(self, table=self.table.take(keep), ahead=self.ahead[keep])

    @property
    def training(self) -> Panel | None:
        """The prices before the file's first cutoff, as a backtest would train on them; None if there are none."""
        dates = self.panel.dates
        first = int(np.searchsorted(dates, self.table.cutoff.min()))
        return self.panel.upto(dates[first - 1]) if first else None

    def naive_errors(self, training: Panel) -> NaiveErrors:
        """The last price's errors in training, at the usual number of sessions that each step looks ahead."""
        every = naive_errors(training, self.price, int(self.ahead.max()))
        usual = np.ones(int(self.table.step.max()), dtype=np.int64)
        for step in np.unique(self.table.step):
            usual[step - 1] = int(np.median(self.ahead[self.table.step == step]))
        absolute, squared = (
            {name: errors[usual - 1] for name, errors in one.items()} for one in (every.absolute, every.squared)
        )
        return NaiveErrors(absolute, squared)

    def baseline(self, forecaster: Forecaster, like: EvaluatedForecast) -> EvaluatedForecast:
        """The forecasts of `forecaster` for exactly the rows of `like`, whose names are the panel's."""
        origins = [
            np.searchsorted(one.dates, like.origin[like.forecast.series == index])
            for index, one in enumerate(self.panel.series)
        ]
        made = forecaster.forecast(self.panel, origins)  # in order of series and row, as `like` is
        known = np.isfinite(like.actual)
        at = np.zeros(known.shape, dtype=np.int64)  # the place of each row's date among the forecaster's steps
        for index, one in enumerate(self.panel.series):
            mine = like.forecast.series == index
            row = np.searchsorted(one.dates, like.dates[mine])
            at[mine] = np.where(known[mine], row - origins[index][:, None] - 1, 0)
        point = np.where(known, np.take_along_axis(made.point, at, axis=1), np.nan)
        quantiles = np.where(known[..., None], np.take_along_axis(made.quantiles, at[..., None], axis=1), np.nan)
        old = like.forecast
        forecast = Forecast(old.series, old.row, old.last, point, quantiles, made.levels)
        return replace(like, model=forecaster.name, forecast=forecast)


@dataclass(frozen=True)
class _Sessions:
    """Where each row's cutoff and date stand among the sessions of its series, (rows,); -1 for a day that is none."""

    panel: Panel
    series: NDArray[np.int64]
    cutoff: NDArray[np.int64]
    date: NDArray[np.int64]

    def prices(self, column: str) -> tuple[Floats, Floats]:
        """The price on each row's cutoff, and on its date; NaN for a day that is no session."""
        first = np.cumsum([0, *(len(one) for one in self.panel.series)])[self.series]
        every = np.concatenate([*(one.columns[column] for one in self.panel.series), [np.nan]])
        last, actual = (every[np.where(at < 0, len(every) - 1, first + at)] for at in (self.cutoff, self.date))
        return last, actual


def priced(table: RowTable, panel: Panel, price: str) -> PricedRows:
    """The rows with the prices of `panel` in column `price`; rows dated after their end are left out, and noted.

    Raises `DataError` naming the first row whose series, cutoff or date the prices lack, or whose price is another one.
    """
    panel = _of_the_file(table, panel)
    for one in panel.series:
        if price not in one.columns:
            raise DataError(f"{one.name} has no column {price!r}; it has {', '.join(one.columns)}.", "--price close")
    sessions = _sessions(table, panel)
    late = _demand_sessions(table, panel, sessions)
    demand_same_dates(table)
    last, actual = sessions.prices(price)
    _demand_prices(table, sessions, price, {"last": last, "actual": actual})
    if late.all():
        raise DataError(f"{table.where} has no row whose price has come: the prices end on {panel.dates[-1]}.", LATER)
    known = replace(table, last=last, actual=actual)
    if late.any():
        known = known.noted(f"Left out: {late.sum():,} rows dated after the prices end, which can't be judged yet.")
    return PricedRows(known, panel, price, sessions.date - sessions.cutoff).take(~late)


OTHER_PRICES = (
    "last is the price on the cutoff, actual the one on the date: correct them, leave both columns out, or give the "
    "prices that were forecast, adjusted as they were then."
)
LATER = "judge it again when they have come, with newer prices."


def _of_the_file(table: RowTable, panel: Panel) -> Panel:
    """The prices of the file's series, under its names and in its order; capital and small letters are the same."""
    by_name = {one.name: one for one in panel.series}
    by_letters = {one.name.casefold(): one for one in panel.series}
    found = [by_name.get(name) or by_letters.get(name.casefold()) for name in table.names]
    table.refuse(
        np.array([one is None for one in found])[table.series],
        lambda row: f"the prices have no series {table.names[table.series[row]]!r}; they have {_some(panel.names)}",
        f"call the series as the prices do, for example {panel.names[0]}, or give its prices too.",
    )
    return Panel(tuple(replace(one, name=name) for one, name in zip(found, table.names, strict=True) if one))


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _sessions(table: RowTable, panel: Panel) -> _Sessions:
    places = np.full((2, len(table)), -1, dtype=np.int64)
    order = np.argsort(table.series, kind="stable")
    ends = np.cumsum(np.bincount(table.series, minlength=len(panel)))
    for one, mine in zip(panel.series, np.split(order, ends[:-1]), strict=True):
        for place, days in zip(places, (table.cutoff, table.date), strict=True):
            at = np.minimum(np.searchsorted(one.dates, days[mine]), len(one) - 1)
            place[mine] = np.where(one.dates[at] == days[mine], at, -1)
    return _Sessions(panel, table.series, places[0], places[1])


def _demand_sessions(table: RowTable, panel: Panel, sessions: _Sessions) -> Mask:
    """The rows dated after the prices of their series end, (rows,); the days of all others must be sessions."""

    def whose(row: int) -> str:
        one = panel.series[table.series[row]]
        return f"no session of {one.name}, whose prices run from {one.dates[0]} to {one.dates[-1]}"

    ends = np.array([one.dates[-1] for one in panel.series])[table.series]
    late = table.date > ends
    table.refuse(
        (sessions.cutoff < 0) & (table.cutoff <= ends),
        lambda row: f"the cutoff {table.cutoff[row]} is {whose(row)}",
        "cutoff is the last date whose price was known: take it from the prices.",
    )
    table.refuse(
        (sessions.date < 0) & ~late,
        lambda row: f"the date {table.date[row]} is {whose(row)}",
        "take dates from the prices: steps are counted in sessions, not in days of the calendar.",
    )
    return late


def _demand_prices(table: RowTable, sessions: _Sessions, price: str, right: Mapping[str, Floats]) -> None:
    """What the file says of prices must be so, but for rounding."""
    others = {key for key in PRICE_COLUMNS if all(key in one.columns for one in sessions.panel.series)} - {price}
    other = next(
        (key for key in sorted(others) if not any(w.any() for w in _wrong(table, *sessions.prices(key)))), None
    )
    for column, wrong in zip(("last", "actual"), _wrong(table, right["last"], right["actual"]), strict=True):
        days = table.cutoff if column == "last" else table.date
        table.refuse(
            wrong,
            lambda row, column=column, days=days: (  # type: ignore[misc]  # defaults bind the column
                f"{column} is {getattr(table, column)[row]:.10g}, but the {price} of {table.names[table.series[row]]} "
                f"on {days[row]} is {right[column][row]:.10g}"
            ),
            f"add --price {other}: all rows agree with that column." if other else OTHER_PRICES,
        )


def _wrong(table: RowTable, last: Floats, actual: Floats) -> tuple[Mask, Mask]:
    """Where the file has a price, and the right one is another, (rows,) each."""
    pairs = ((table.last, last), (table.actual, actual))
    first, second = (np.asarray(np.abs(mine - right) > table.tolerance(right)) for mine, right in pairs)
    return first, second  # a comparison with NaN is false
