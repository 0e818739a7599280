"""Several series in one table: tickers in the names of the columns, or a column of closes for each ticker."""

from __future__ import annotations

from stockcast.reading.column_names import close_tier, is_ticker, ticker_and_role
from stockcast.reading.columns.evidence import Columns, assignments
from stockcast.reading.vendor_names import CLOSE_TIERS, CURRENCIES

Roles = dict[str, int]

_FEWEST_ROLES = 2
_CURRENCIES = frozenset(CURRENCIES.split())


def tickers_in_names(columns: Columns) -> dict[str, Roles]:
    """Series whose tickers stand in the names of their columns, such as AAPL_Close; empty where that is not proven.

    The tickers look like tickers, or each has several roles; all have the same roles, and nothing unexplained stands
    beside them.
    """
    named = {index: found for index, name in enumerate(columns.names) if (found := ticker_and_role(name))}
    series: dict[str, Roles] = {}
    for index, (ticker, role) in named.items():
        if index in columns.numeric:
            series.setdefault(ticker, {}).setdefault(role, index)
    written = {ticker: {role for other, role in named.values() if other == ticker} for ticker in series}
    alike = len({frozenset(roles) for roles in written.values()}) == 1
    lone = [index for index in columns.unexplained() if index not in named]
    plain = all(_is_plain(columns.names[index]) for index, (_, role) in named.items() if role == "close")
    if not series or not alike or lone or not plain or not all("close" in roles for roles in series.values()):
        return {}
    shown = all(map(is_ticker, series)) or all(ticker.lower() in _CURRENCIES for ticker in series)
    several = len(series) > 1 and all(len(roles) > _FEWEST_ROLES for roles in written.values())
    return series if shown or several else {}


def _is_plain(name: str) -> bool:
    """Whether what stands beside the ticker says close, last or price, and not merely value or rate."""
    ticker, _ = ticker_and_role(name) or ("", "")
    return close_tier(name.replace(ticker, "", 1).strip("_. -|:/")) < CLOSE_TIERS.index("value")


def closes_of_tickers(columns: Columns) -> dict[str, Roles]:
    """Series of closes called by their tickers; empty where a column has another kind of name.

    A ticker may be called LOW or O, but not most of them; and columns that are called A, B, C are no series.
    """
    names = {index: columns.names[index] for index in columns.numeric if columns.role(index) != "other"}
    tickers = {name for name in names.values() if is_ticker(name)}
    roles = sum(columns.role(index) is not None for index in names)
    if len(names) < 2 or len(tickers) < len(names) or 2 * roles >= len(names):
        return {}
    if all(len(name) == 1 for name in tickers) or assignments(columns):
        return {}
    return {name: {"close": index} for index, name in names.items()}
