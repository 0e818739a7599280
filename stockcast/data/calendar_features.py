"""Calendar features: the weekday, the month and the ticker of a session, as integer or one-hot codes.

A code's name says all that is needed to make it again, so that a saved model finds the same columns: "month" is 1 to
12, "month=3" is 1 in March and 0 elsewhere, "ticker=ibm" is 1 on the rows of ibm, and "ticker of [...]" is the place in
that list, -1 for a series that is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from stockcast.data.series import Floats, PriceSeries


def _weekday(series: PriceSeries) -> Floats:
    """Monday is 0. The first day of 1970 was a Thursday."""
    days = (series.dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return days.astype(np.float64)


def _month(series: PriceSeries) -> Floats:
    months = series.dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    return months.astype(np.float64)


CALENDAR: dict[str, tuple[Callable[[PriceSeries], Floats], Sequence[int]]] = {
    "weekday": (_weekday, range(7)),
    "month": (_month, range(1, 13)),
}
TICKER = "ticker"


def code_names(wanted: Iterable[str], codes: str, tickers: Sequence[str]) -> tuple[str, ...]:
    """The columns for the categories `wanted`, of weekday, month and ticker; `codes` is "integer" or "onehot"."""
    names: list[str] = []
    for category in wanted:
        if codes == "onehot":
            values = tickers if category == TICKER else CALENDAR[category][1]
            names += [f"{category}={value}" for value in values]
        else:
            names.append(f"{TICKER} of {json.dumps(list(tickers))}" if category == TICKER else category)
    return tuple(names)


def is_code(name: str) -> bool:
    """Whether a feature is one of these codes."""
    return name in CALENDAR or name.partition("=")[0] in (*CALENDAR, TICKER) or name.startswith(f"{TICKER} of ")


def code(name: str, series: PriceSeries) -> Floats:
    """A code of each row, (rows,). `name` is one of `code_names`."""
    category, one_hot, value = name.partition("=")
    if category == TICKER:
        return np.full(len(series), float(series.name == value))
    if name.startswith(f"{TICKER} of "):
        tickers = json.loads(name.removeprefix(f"{TICKER} of "))
        return np.full(len(series), float(tickers.index(series.name) if series.name in tickers else -1))
    values = CALENDAR[category][0](series)
    return (values == int(value)).astype(np.float64) if one_hot else values
