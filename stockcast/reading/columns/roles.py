"""Which columns hold which role of which series: one series, a ticker column, or series side by side.

A column is the price because its name or its numbers prove it, and the proof is unique; else the user is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stockcast.data.series import Floats
from stockcast.errors import DataError
from stockcast.reading.column_names import VALUE_ROLES, close_tier, normal, role_of
from stockcast.reading.columns.evidence import (
    Columns,
    assignments,
    close_within,
    rough,
    ticker_by_rows,
    volume_beside,
)
from stockcast.reading.columns.questions import no_close, which_close, which_order
from stockcast.reading.columns.side_by_side import Roles, closes_of_tickers, tickers_in_names
from stockcast.reading.number_formats import Column, is_null
from stockcast.reading.records import Hints
from stockcast.reading.table_bounds import Body
from stockcast.reading.vendor_names import CLOSE_TIERS

_NEAR = np.log(3)


@dataclass(frozen=True)
class Layout:
    """What each column is.

    - `series`: for each series its ticker (None: no ticker is written) and the column of each of its roles;
    - `ticker_column`: the column that tells the rows of several series apart;
    - `names`: the header's name of each column, or its number where there is no header (`has_names` is false).
    """

    series: tuple[tuple[str | None, Roles], ...]
    ticker_column: int | None
    names: Sequence[str]
    has_names: bool = True

    @property
    def used(self) -> tuple[int, ...]:
        """Every column of numbers that is part of a series."""
        return tuple(sorted({index for _, roles in self.series for index in roles.values()}))

    @property
    def closes(self) -> tuple[int, ...]:
        """The column of closes of each series, once each."""
        return tuple(dict.fromkeys(roles["close"] for _, roles in self.series))


def find_layout(body: Body, numeric: Mapping[int, Column], where: str, hints: Hints) -> Layout:
    """The layout of a body with the given columns of numbers.

    Names are believed first, then what the numbers themselves show. Raises `AmbiguousData` where two columns could be
    the price, `DataError` where none is.
    """
    named, tickers = _header(body)
    names = named or [str(index) for index in range(body.width)]
    _check_widths(body, numeric, where)
    if named:
        numeric = {index: column for index, column in numeric.items() if named[index]}
    columns = Columns(body, names, bool(named), numeric, where, hints)
    if set(hints.columns) & set(VALUE_ROLES):
        return _hinted(columns)
    whole = _by_ticker_line(columns, tickers)
    if whole:
        return Layout(whole, None, names)
    roles = _named_roles(columns) if named else {}
    if "close" in roles:
        return _single_or_long(columns, roles)
    series = (tickers_in_names(columns) or closes_of_tickers(columns)) if named else {}
    if series:
        return Layout(tuple(series.items()), None, names)
    return _single_or_long(columns, _roles_by_numbers(columns, roles))


def _header(body: Body) -> tuple[list[str], list[str]]:
    """The line of column names and the line of tickers above or below it; empty where there is none."""
    lines = [[*line, *[""] * body.width][: body.width] for line in body.names]
    if not lines:
        return [], []
    hits = [sum(role_of(name) is not None for name in _others(line, body)) for line in lines]
    if not any(hits):
        widest = max(lines, key=lambda line: sum(bool(name) for name in line))
        return widest, []
    names = lines[int(np.argmax(hits))]
    for line, count in zip(lines, hits, strict=True):
        if (
            line is not names
            and count == 0
            and all(t for t, n in zip(_others(line, body), _others(names, body), strict=True) if n)
        ):
            return names, line
    return names, []


def _others(line: Sequence[str], body: Body) -> list[str]:
    return [name for index, name in enumerate(line) if index != body.date_column]


def _check_widths(body: Body, numeric: Mapping[int, Column], where: str) -> None:
    """A header names as many columns as there are, or else cells have been cut or glued."""
    longest = max((len(line) for line in body.names), default=body.width)
    if longest < 1 + max(numeric) or longest > body.width:
        raise DataError(
            f"{where} has {longest} column names for {body.width} columns: "
            f"line {body.rows[0].line} reads {' | '.join(body.rows[0].cells)[:80]}.",
            "if decimal commas stand between commas, export with semicolons; else mend the header.",
        )


def _by_ticker_line(columns: Columns, tickers: Sequence[str]) -> tuple[tuple[str, Roles], ...]:
    """Series whose tickers stand in a line of their own above or below the names; none without such a line."""
    series: dict[str, Roles] = {}
    for ticker in dict.fromkeys(tickers[index] for index in columns.numeric if tickers and tickers[index]):
        own = {index: column for index, column in columns.numeric.items() if tickers[index] == ticker}
        roles = _roles(columns.names, list(own))
        if "close" in roles:
            _ask_if_rivalled(replace(columns, numeric=own), roles["close"])
            series[ticker] = roles
    return tuple(series.items())


def _roles(names: Sequence[str], columns: Sequence[int]) -> Roles:
    """The best named column of each role; single letters count only where open, high, low and close all have one."""
    letters = {normal(names[index]) for index in columns if len(normal(names[index])) == 1}
    best: dict[str, tuple[int, int]] = {}
    for index in columns:
        meaning = role_of(names[index])
        if (
            meaning is None
            or meaning[0] not in VALUE_ROLES
            or (len(normal(names[index])) == 1 and not letters >= set("ohlc"))
        ):
            continue
        role, rank = meaning
        best[role] = min(best.get(role, (rank, index)), (rank, index))
    roles = {role: best[role][1] for role in VALUE_ROLES if role in best}
    if "close" not in roles and "adj_close" in roles:
        roles["close"] = roles.pop("adj_close")
    return roles


def _named_roles(columns: Columns) -> Roles:
    """The roles by name.

    Raises `AmbiguousData` if two columns are equally plainly the close, `DataError` if the best named one of a role
    holds something else than numbers.
    """
    body, numeric, where = columns.body, columns.numeric, columns.where
    filled = [
        index
        for index in range(body.width)
        if index != body.date_column and (index in numeric or not all(is_null(cell) for cell in body.column(index)))
    ]
    roles = _roles(columns.names, filled)
    if "close" not in roles and "close" in _roles(
        columns.names, [i for i in range(body.width) if i != body.date_column]
    ):
        raise no_close(columns, f"{where} has an empty column of closing prices.")
    volume = roles.get("volume")
    if volume is not None and volume in numeric and not rough(numeric[volume]).any():
        # MetaTrader writes a column of zeros beside the ticks that it counts.
        roles["volume"] = _roles(columns.names, [i for i in filled if i != volume]).get("volume", volume)
    for index in roles.values():
        if index not in numeric:
            cell = next(cell for cell in body.column(index) if not is_null(cell))
            raise no_close(
                columns,
                f"{where}: {columns.names[index]} has cells such as {cell!r}, which are no numbers.",
                [roles["close"]] if roles.get("close") in numeric else [],
            )
    if "close" in roles:
        _ask_if_rivalled(columns, roles["close"])
    return roles


def _ask_if_rivalled(columns: Columns, close: int) -> None:
    """Raise `AmbiguousData` if another column is as plainly the close, or the name is general and others are near."""
    tier = close_tier(columns.names[close])
    closes = rough(columns.numeric[close])
    rivals = [index for index in columns.numeric if index != close and close_tier(columns.names[index]) == tier]
    if tier in (CLOSE_TIERS.index("price"), CLOSE_TIERS.index("value")):
        prices = columns.prices()
        rivals += [
            index
            for index in columns.unexplained()
            if index in prices and (tier == CLOSE_TIERS.index("value") or _are_near(closes, prices[index]))
        ]
    differing = [i for i in rivals if not np.array_equal(rough(columns.numeric[i]), closes, equal_nan=True)]
    if tier < len(CLOSE_TIERS) and differing and columns.numeric[close].formats:
        raise which_close(columns, [close, *differing])


def _are_near(one: Floats, other: Floats) -> bool:
    return bool(abs(float(np.nanmedian(np.log(np.maximum(one, 1e-12) / np.maximum(other, 1e-12))))) < _NEAR)


def _roles_by_numbers(columns: Columns, roles: Roles) -> Roles:
    """The roles where no name says which column is the close: the only one that can be, by what the numbers show.

    Raises `AmbiguousData` where several can be, `DataError` where none can.
    """
    prices = columns.prices()
    if {"high", "low", "open"} <= roles.keys():
        inside = close_within(columns, roles)
        if len(inside) == 1:
            return {**roles, "close": inside[0]}
        raise which_close(columns, inside) if inside else no_close(columns)
    if len(prices) == 1 and not (set(prices) & set(roles.values())) and set(columns.unexplained()) <= set(prices):
        return {**roles, "close": next(iter(prices))}
    found = assignments(columns)
    if len(found) == 1:
        volume = volume_beside(columns, list(found[0].values()), found[0]["close"])
        return {**found[0], **({} if volume is None else {"volume": volume})}
    free = [index for index in prices if index not in roles.values()]
    raise which_order(columns, found) if found else which_close(columns, free) if free else no_close(columns)


def _single_or_long(columns: Columns, roles: Roles) -> Layout:
    return Layout(((None, roles),), _ticker_column(columns, set(roles.values())), columns.names, columns.has_names)


def _ticker_column(columns: Columns, taken: set[int]) -> int | None:
    body, names = columns.body, columns.names
    if "ticker" in columns.hints.columns:
        return _index(columns.hints.columns["ticker"], columns)
    free = [index for index in range(body.width) if index not in taken and index != body.date_column]
    meanings = {index: role_of(names[index]) for index in free}
    ranked = sorted((meaning[1], index) for index, meaning in meanings.items() if meaning and meaning[0] == "ticker")
    return ranked[0][1] if ranked else ticker_by_rows(columns, taken)


def _hinted(columns: Columns) -> Layout:
    where, hints, names = columns.where, columns.hints, columns.names
    said = {role: _index(name, columns) for role, name in hints.columns.items() if role in VALUE_ROLES}
    for role, index in said.items():
        if index not in columns.numeric:
            raise no_close(columns, f"{where}: column {hints.columns[role]!r} holds no numbers.")
    if len(set(said.values())) < len(said):
        raise DataError(f"{where}: --columns gives one column two roles.", "name another column for one of them.")
    others = {role: index for role, index in _roles(names, list(columns.numeric)).items() if index not in said.values()}
    roles = {**others, **said} if columns.body.names else said
    if "close" not in roles:
        raise no_close(columns, f"{where}: --columns names no closing price.")
    if "close" not in said:
        _ask_if_rivalled(columns, roles["close"])
    return _single_or_long(columns, roles)


def _index(name: str, columns: Columns) -> int:
    names = list(columns.names)
    if names.count(name) == 1:
        return names.index(name)
    if name not in names and name.isdecimal() and int(name) < len(names):
        return int(name)
    if name in names:
        numbers = [index for index, each in enumerate(names) if each == name]
        raise DataError(
            f"{columns.where} has {len(numbers)} columns called {name!r}.",
            f"say which by its number from 0, which is one of {', '.join(map(str, numbers))}.",
        )
    raise DataError(
        f"there is no column {name!r}.", f"use one of {', '.join(filter(None, names))}, or a number from 0."
    )
