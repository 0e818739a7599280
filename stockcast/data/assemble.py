"""A table in its one reading to price series: rows to their series, the open last cell, names and decimals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.data.datestyles import day_part, has_time
from stockcast.data.dialect import Table
from stockcast.data.findings import finding, merged
from stockcast.data.mislabelled import refuse_mislabelled
from stockcast.data.numerals import usual_decimals
from stockcast.data.reading import Finding, Order, Reading
from stockcast.data.repair import Rows, repair
from stockcast.data.series import COLUMNS, PriceSeries
from stockcast.errors import DataError

# Words in file names that are no tickers.
_GENERAL = {
    "data",
    "price",
    "stock",
    "daily",
    "hist",
    "train",
    "test",
    "ohlc",
    "ohlcv",
    "table",
    "quote",
    "file",
    "eod",
    "us",
}


@dataclass(frozen=True)
class Assembled:
    """The series of a file, how it was read, and what was found."""

    reading: Reading
    series: tuple[PriceSeries, ...]
    findings: tuple[Finding, ...]


def assemble(table: Table, stem: str, where: str) -> Assembled:
    """Every series of a table. Raises `DataError` where nothing is left or columns contradict their names."""
    table_findings, kept, unknown = _edges(table)
    intraday = any(has_time(cell) for cell in table.body.column(table.body.date_column)[:50])
    closes = {roles["close"] for _, roles in table.layout.series}
    decimals = {index: usual_decimals(table.body.column(index), table.decimal) for index in closes}
    series: list[PriceSeries] = []
    found: list[tuple[str, Finding]] = []
    for rows, roles in _split(table, stem, kept, unknown):
        sound, more = repair(rows, intraday)
        if len(sound.dates) == 0:
            continue
        refuse_mislabelled(sound, where, table.layout.names, roles)
        columns = {role: sound.columns[role] for role in (*COLUMNS, "adj_close") if role in sound.columns}
        series.append(PriceSeries(rows.name, sound.dates, columns, decimals[roles["close"]]))
        found += [(rows.name, one) for one in more]
    if not series:
        raise DataError(f"{where} has no row with a closing price.", "check the column: --columns close=NAME.")
    findings = (*table_findings, *_other_ticker(table, stem), *merged(found))
    return Assembled(_reading(table), tuple(series), findings)


def _split(
    table: Table, stem: str, kept: NDArray[np.bool_], unknown: tuple[int, int] | None
) -> Iterator[tuple[Rows, dict[str, int]]]:
    """The rows of each series with its roles; a single one is called after the file."""
    numbers = {index: values.copy() for index, values in table.numbers.items()}
    if unknown:
        numbers[unknown[1]][unknown[0]] = np.nan
    for ticker, roles in table.layout.series:
        columns = {role: numbers[index] for role, index in roles.items()}
        rows = Rows(stem, table.dates, columns).take(kept)
        if len(table.layout.series) > 1:
            yield _listed(Rows(ticker or stem, rows.dates, rows.columns)), roles
        elif table.tickers is None:
            yield rows, roles
        else:
            yield from ((part, roles) for part in _by_ticker(rows, np.array(table.tickers, dtype=object)[kept]))


def _listed(rows: Rows) -> Rows:
    """From the first to the last known close: side by side, a series has empty cells before and after its listing."""
    known = np.flatnonzero(~np.isnan(rows.columns["close"]))
    return rows.take(np.arange(known[0], known[-1] + 1)) if known.size else rows.take(known)


def _by_ticker(rows: Rows, tickers: NDArray[np.object_]) -> Iterator[Rows]:
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
        yield Rows(str(tickers[chosen[0]]), part.dates, part.columns)


def _edges(table: Table) -> tuple[list[Finding], NDArray[np.bool_], tuple[int, int] | None]:
    """What was found around the rows, which rows are kept, and the open last cell (row, column) if it is unknown."""
    body = table.body
    stray = body.spaced if body.spaced <= 0.1 * len(body.rows) else 0
    left_out = {
        "repeated_header": body.repeated,
        "blank_lines": body.blank,
        "footer": body.footer,
        "stray_spaces": stray,
    }
    found = [finding(kind, (), "", count) for kind, count in left_out.items() if count] + _mixed_dates(table)
    if body.ragged:
        lines = ", ".join(str(row.line) for row in body.ragged[:5])
        found.append(finding("ragged", (), f"In line {lines}.", len(body.ragged)))
    kept = np.ones(len(body.rows), dtype=bool)
    last, column = len(body.rows) - 1, body.width - 1
    state = _state_of_last(table) if body.last_open else "whole"
    if body.torn or state == "torn":
        number = body.torn.line if body.torn else body.rows[-1].line
        found.append(finding("torn_line", (), f"It is line {number}.", 1))
        kept[last] = state != "torn"
    if state == "unknown":
        found.append(finding("open_cell", (), f"Taken as unknown: {body.rows[-1].cells[column]!r}.", 1))
        return found, kept, (last, column)
    return found, kept, None


def _mixed_dates(table: Table) -> list[Finding]:
    """Whether some dates have leading zeros and some lack them: one digit was lost, or two files were joined."""
    cells = table.body.column(table.body.date_column)
    padded = any(re.search(r"(?<!\d)0\d(?!\d)", day_part(cell)) for cell in cells)
    bare = np.array([bool(re.search(r"(?<!\d)\d(?!\d)", day_part(cell))) for cell in cells])
    return [finding("mixed_dates", table.dates[bare])] if padded and bare.any() else []


def _state_of_last(table: Table) -> str:
    """Whether the open last cell is whole, unknown (a volume: the row is of use without it) or torn (a price)."""
    body, column = table.body, table.body.width - 1
    cell, others = body.rows[-1].cells[column], [row.cells[column] for row in body.rows[:-1]]
    if column == body.date_column:
        return "whole" if len(cell) >= max(map(len, others), default=0) else "torn"
    if column == table.layout.ticker_column:
        longer = any(other != cell and other.startswith(cell) for other in others)
        return "whole" if cell in others and not longer else "torn"
    roles = {role for _, roles in table.layout.series for role, index in roles.items() if index == column}
    if not roles:
        return "whole"
    lacking = "unknown" if roles == {"volume"} else "torn"
    if not cell:
        return "whole" if roles == {"volume"} else "torn"
    digits = [_digits_after(each, table.decimal) for each in (cell, *others)]
    if max(digits) > 0:
        return "whole" if digits[0] == max(digits) and not _scaled(others) else lacking
    # Of whole numbers the last digit can't be missed from the row itself, but a price does not fall to a tenth.
    values = table.numbers[column]
    near = roles != {"volume"} and len(others) > 0 and values[-1] > 0.25 * values[-2]
    return "whole" if near else lacking


def _digits_after(cell: str, decimal: str) -> int:
    return len(cell.partition(decimal)[2])


def _scaled(cells: list[str]) -> bool:
    """Whether a column's cells end with letters, such as 1.5M, so that one without may have lost it."""
    return any(cell[-1:].isalpha() for cell in cells)


def _other_ticker(table: Table, stem: str) -> list[Finding]:
    """Whether the only ticker in a file is another than the one that the file is called after."""
    inside = {ticker for ticker, _ in table.layout.series if ticker}
    if table.layout.ticker_column is not None:
        inside = set(table.body.column(table.layout.ticker_column))
    words = [word for word in re.split(r"[^a-z0-9]+", stem) if word not in _GENERAL and not word.isdecimal()]
    if len(inside) != 1 or len(words) != 1 or not re.fullmatch(r"[a-z]{1,5}", words[0]):
        return []
    ticker = inside.pop()
    if words[0] in re.split(r"[^a-z0-9]+", ticker.lower()) or ticker.isdecimal():
        return []
    return [finding("ticker", (), f"The file is called {stem}, the ticker in it is {ticker}.", 1)]


def _reading(table: Table) -> Reading:
    names, series = table.layout.names, table.layout.series
    columns = {"date": names[table.body.date_column] or str(table.body.date_column)}
    if table.tickers is not None and table.layout.ticker_column is not None:
        columns["ticker"] = names[table.layout.ticker_column]
    for role in dict.fromkeys(role for _, roles in series for role in roles):
        of_role = dict.fromkeys(names[roles[role]] for _, roles in series if role in roles)
        columns[role] = ", ".join([*list(of_role)[:3], *(["..."] if len(of_role) > 3 else [])])
    return Reading(table.body.delimiter, table.decimal, table.thousands, table.date_format, _order(table), columns)


def _order(table: Table) -> Order:
    steps = np.diff(table.dates).astype(np.int64)
    steps = steps[steps != 0]
    rising = float(np.mean(steps > 0)) if steps.size else 1.0
    return "oldest first" if rising > 0.9 else "newest first" if rising < 0.1 else "mixed"
