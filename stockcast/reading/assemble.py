"""A table to price series: whose rows are whose, and what each series is called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stockcast.checks.cleaning import RawRows, repair
from stockcast.checks.findings import Finding, finding, merged
from stockcast.checks.mislabelled import contradiction
from stockcast.data.series import COLUMNS, PRICE_COLUMNS, PriceSeries
from stockcast.errors import DataError
from stockcast.reading.column_names import columns_flag
from stockcast.reading.records import Hints
from stockcast.reading.table import Table

# Words in file names that are no tickers.
_GENERAL = {"data", "price", "stock", "daily", "hist", "train", "test", "ohlc", "table", "quote", "file", "eod", "us"}


@dataclass(frozen=True)
class Assembled:
    """The series of a file, and what was found."""

    series: tuple[PriceSeries, ...]
    findings: tuple[Finding, ...]


def assemble(table: Table, stem: str, where: str, hints: Hints) -> Assembled:
    """Every series of a table. Raises `DataError` where nothing is left or columns contradict their names."""
    series: list[PriceSeries] = []
    found: list[tuple[str, Finding]] = []
    for rows, roles in _split(table, stem):
        sound, more = repair(rows, table.intraday)
        found += [(rows.name, one) for one in more]
        if len(sound.dates) == 0:
            continue
        sound, left_out = _consistent(sound, table, roles, where, hints)
        found += [(rows.name, one) for one in left_out]
        columns = {role: sound.columns[role] for role in (*COLUMNS, "adj_close") if role in sound.columns}
        series.append(PriceSeries(rows.name, sound.dates, columns, table.decimals[roles["close"]]))
    if not series:
        why = f" {found[0][1].message}" if found else ""
        raise DataError(
            f"{where} has no row with a sound closing price.{why}",
            "check that column, or name another one as the close.",
        )
    return Assembled(tuple(series), (*table.findings, *_other_ticker(table, stem), *merged(found)))


def _consistent(
    rows: RawRows, table: Table, roles: Mapping[str, int], where: str, hints: Hints
) -> tuple[RawRows, list[Finding]]:
    """Rows whose columns are what their names say. The close that the user names stands; what contradicts it does not.

    Raises `DataError`, with the columns as their numbers show them, if the user has not named the close.
    """
    found = contradiction(rows, roles)
    if found is None:
        return rows, []
    names = table.layout.names
    others = [role for role in PRICE_COLUMNS if role in rows.columns and role not in hints.columns]
    if "close" in hints.columns and others:
        kept = {role: values for role, values in rows.columns.items() if role not in others}
        out = ", ".join(names[roles[role]] for role in others)
        return replace(rows, columns=kept), [finding("contradicting", (), f"{found.reason}: {out}.", len(others))]
    alone = columns_flag({"close": roles["close"]}, names)
    flags = [*(columns_flag(one, names) for one in found.instead[:2]), f"take the close alone: {alone}"]
    raise DataError(
        f"{where}: the columns are not what their names say: {found.reason}.", f"say so: {', or '.join(flags)}."
    )


def _split(table: Table, stem: str) -> Iterator[tuple[RawRows, dict[str, int]]]:
    """The rows of each series with its roles; a single one is called after the file."""
    for ticker, roles in table.layout.series:
        rows = RawRows(stem, table.dates, {role: table.numbers[index] for role, index in roles.items()})
        if len(table.layout.series) > 1:
            yield _listed(RawRows(ticker or stem, rows.dates, rows.columns)), roles
        elif table.tickers is None:
            yield rows, roles
        else:
            yield from ((part, roles) for part in _by_ticker(rows, np.array(table.tickers, dtype=object)))


def _listed(rows: RawRows) -> RawRows:
    """From the first to the last known close: side by side, a series has empty cells before and after its listing."""
    known = np.flatnonzero(~np.isnan(rows.columns["close"]))
    return rows.take(np.arange(known[0], known[-1] + 1)) if known.size else rows.take(known)


def _by_ticker(rows: RawRows, tickers: NDArray[np.object_]) -> Iterator[RawRows]:
    names = dict.fromkeys(tickers)
    if len(names) == 1:
        yield rows
        return
    if "" in names:
        raise DataError(f"{rows.name} has rows without a ticker.", "fill the column of tickers.")
    _, group = np.unique(tickers.astype(str), return_inverse=True)
    order = np.argsort(group, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        part = rows.take(chosen)
        yield RawRows(str(tickers[chosen[0]]), part.dates, part.columns)


def _other_ticker(table: Table, stem: str) -> list[Finding]:
    """Whether the only ticker in a file is another than the one that the file is called after."""
    inside = {ticker for ticker, _ in table.layout.series if ticker}
    ticker = table.only_ticker or (inside.pop() if len(inside) == 1 else "")
    words = [word for word in re.split(r"[^a-z0-9]+", stem) if word not in _GENERAL and not word.isdecimal()]
    if not ticker or len(words) != 1 or not re.fullmatch(r"[a-z]{1,5}", words[0]):
        return []
    if words[0] in re.split(r"[^a-z0-9]+", ticker.lower()) or ticker.isdecimal():
        return []
    return [finding("ticker", (), f"The file is called {stem}, the ticker in it is {ticker}.", 1)]
