"""Which columns hold which role of which series: one series, a ticker column, or series side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.checks.price_order import open_high_low_close
from stockcast.errors import DataError
from stockcast.reading.column_evidence import close_within, is_price, rough, volume_after
from stockcast.reading.column_names import VALUE_ROLES, normal, role_of, ticker_and_role
from stockcast.reading.number_formats import Column, is_null
from stockcast.reading.records import Hints
from stockcast.reading.table_bounds import Body

Roles = dict[str, int]


@dataclass(frozen=True)
class Layout:
    """What each column is.

    - `series`: for each series its ticker (None: no ticker is written) and the column of each of its roles;
    - `ticker_column`: the column that tells the rows of several series apart;
    - `names`: the header's name of each column, or its number where there is no header.
    """

    series: tuple[tuple[str | None, Roles], ...]
    ticker_column: int | None
    names: Sequence[str]

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

    Names are believed first, then what the numbers themselves show. Raises `DataError` where neither settles it.
    """
    named, tickers = _header(body)
    names = named or [str(index) for index in range(body.width)]
    _check_widths(body, numeric, where)
    if named:
        numeric = {index: column for index, column in numeric.items() if named[index]}
    if set(hints.columns) & set(VALUE_ROLES):
        return _hinted(body, names, numeric, where, hints)
    if tickers:
        groups = {
            ticker: _roles(names, [i for i in numeric if tickers[i] == ticker]) for ticker in _unique(tickers, numeric)
        }
        return Layout(tuple((ticker, roles) for ticker, roles in groups.items() if "close" in roles), None, names)
    roles = _named_roles(body, names, numeric, where) if named else {}
    found = (
        _single_or_long(body, names, roles, numeric, hints)
        or _side_by_side(names, numeric)
        or _by_numbers(body, names, numeric, bool(named), hints)
    )
    if found is None:
        raise _refusal(body, names, where)
    return found


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


def _unique(tickers: Sequence[str], numeric: Mapping[int, Column]) -> list[str]:
    return list(dict.fromkeys(tickers[index] for index in numeric if tickers[index]))


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


def _named_roles(body: Body, names: Sequence[str], numeric: Mapping[int, Column], where: str) -> Roles:
    """The roles by name. Raises `DataError` if the best named column of one holds something else than numbers."""
    filled = [
        index
        for index in range(body.width)
        if index != body.date_column and (index in numeric or not all(is_null(cell) for cell in body.column(index)))
    ]
    roles = _roles(names, filled)
    if "close" not in roles and "close" in _roles(names, [i for i in range(body.width) if i != body.date_column]):
        raise DataError(f"{where} has an empty column of closing prices.", "name another one: --columns close=NAME.")
    volume = roles.get("volume")
    if volume is not None and volume in numeric and not rough(numeric[volume]).any():
        # MetaTrader writes a column of zeros beside the ticks that it counts.
        roles["volume"] = _roles(names, [index for index in filled if index != volume]).get("volume", volume)
    for role, index in roles.items():
        if index not in numeric:
            cell = next(cell for cell in body.column(index) if not is_null(cell))
            raise DataError(
                f"{where}: {names[index]} has cells such as {cell!r}, which are no numbers.",
                f"name another column: --columns {role}=NAME_OR_NUMBER.",
            )
    return roles


def _single_or_long(
    body: Body, names: Sequence[str], roles: Roles, numeric: Mapping[int, Column], hints: Hints
) -> Layout | None:
    if "close" not in roles and {"high", "low"} <= roles.keys():
        within = close_within({index: rough(column) for index, column in numeric.items()}, roles)
        roles = roles if within is None else {**roles, "close": within}
    if "close" not in roles:
        return None
    return Layout(((None, roles),), _ticker_column(body, names, set(roles.values()), hints), names)


def _ticker_column(body: Body, names: Sequence[str], taken: set[int], hints: Hints) -> int | None:
    if "ticker" in hints.columns:
        return _index(hints.columns["ticker"], names)
    free = [index for index in range(body.width) if index not in taken and index != body.date_column]
    meanings = {index: role_of(names[index]) for index in free}
    ranked = sorted((meaning[1], index) for index, meaning in meanings.items() if meaning and meaning[0] == "ticker")
    return ranked[0][1] if ranked else None


def _side_by_side(names: Sequence[str], numeric: Mapping[int, Column]) -> Layout | None:
    """Series whose tickers stand in the column names, such as AAPL_Close."""
    series: dict[str, Roles] = {}
    for index in numeric:
        found = ticker_and_role(names[index])
        if found:
            series.setdefault(found[0], {}).setdefault(found[1], index)
    whole = tuple((ticker, roles) for ticker, roles in series.items() if "close" in roles)
    return Layout(whole, None, names) if whole else None


def _by_numbers(
    body: Body, names: Sequence[str], numeric: Mapping[int, Column], named: bool, hints: Hints
) -> Layout | None:
    """One column of prices, four that behave as open, high, low and close, or the closes of several series."""
    prices = {index: column for index, column in numeric.items() if is_price(column)}
    nameless = [index for index in prices if role_of(names[index]) is None or len(names[index]) == 1]
    if len(prices) == 1:
        return Layout(((None, {"close": next(iter(prices))}),), _ticker_column(body, names, set(prices), hints), names)
    columns = {index: rough(column) for index, column in numeric.items()}
    roles = open_high_low_close({index: columns[index] for index in nameless}, body.dates[0].dates)
    if roles:
        volume = volume_after(columns, roles["close"], list(roles.values()))
        roles = roles if volume is None else {**roles, "volume": volume}
        return Layout(((None, roles),), _ticker_column(body, names, set(roles.values()), hints), names)
    # A ticker may be called Low or Open, but not most of them.
    if named and len({names[index] for index in prices}) == len(prices) > 1 and 2 * len(nameless) > len(prices):
        return Layout(tuple((names[index], {"close": index}) for index in prices), None, names)
    return None


def _hinted(body: Body, names: Sequence[str], numeric: Mapping[int, Column], where: str, hints: Hints) -> Layout:
    said = {role: _index(name, names) for role, name in hints.columns.items() if role in VALUE_ROLES}
    for role, index in said.items():
        if index not in numeric:
            raise DataError(f"{where}: column {hints.columns[role]!r} holds no numbers.", "name another column.")
    others = {role: index for role, index in _roles(names, list(numeric)).items() if index not in said.values()}
    roles = {**others, **said} if body.names else said
    if "close" not in roles:
        raise DataError(f"{where}: --columns names no closing price.", "add close=NAME, for example --columns close=4.")
    return Layout(((None, roles),), _ticker_column(body, names, set(roles.values()), hints), names)


def _index(name: str, names: Sequence[str]) -> int:
    if name in names:
        return list(names).index(name)
    if name.isdecimal() and int(name) < len(names):
        return int(name)
    raise DataError(
        f"there is no column {name!r}.", f"use one of {', '.join(filter(None, names))}, or a number from 0."
    )


def _refusal(body: Body, names: Sequence[str], where: str) -> DataError:
    what = f"its columns are {', '.join(name for name in names if name)}" if body.names else "it has no column names"
    return DataError(
        f"{where} has dates, but no column that is surely the closing price: {what}.",
        f"name it: --columns date={names[body.date_column] or body.date_column},close=NAME_OR_NUMBER.",
    )
