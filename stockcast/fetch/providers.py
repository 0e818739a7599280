"""Who has prices: what each provider is called, what it allows, and what it is asked through."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stockcast.errors import UsageError
from stockcast.fetch.answer import Client
from stockcast.fetch.pace import Pace

_SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=_-]{0,31}")


@dataclass(frozen=True)
class Provider:
    """A provider by its name: whose terms hold, and how its client is made."""

    name: str
    terms: str
    client: Callable[[Pace], Client]


def _yahoo(pace: Pace) -> Client:
    from stockcast.fetch.yahoo import YahooClient

    return YahooClient(pace)


def _tiingo(pace: Pace) -> Client:
    from stockcast.fetch.tiingo import TiingoClient

    return TiingoClient(pace)


PROVIDERS = {
    one.name: one
    for one in (
        Provider(
            "yahoo",
            "These prices are Yahoo's and its suppliers', and come through yfinance, which is not Yahoo's own. Yahoo's "
            "terms (https://legal.yahoo.com) allow personal use; they are not to be passed on or sold, and no answer "
            "is promised. What you do with them is between you and Yahoo.",
            _yahoo,
        ),
        Provider(
            "tiingo",
            "These prices are Tiingo's, under the terms of your account (https://www.tiingo.com/about/terms): for "
            "internal use, not to be passed on.",
            _tiingo,
        ),
    )
}


def check_symbol(text: str) -> str:
    """A symbol in capitals, which a file can be called after. Raises `UsageError`."""
    symbol = text.strip().upper()
    if not _SYMBOL.fullmatch(symbol):
        raise UsageError(
            f"{text[:40]!r} is no symbol.", "write it as the provider does: AAPL, BRK-B, SAP.DE, ^GSPC, BTC-USD."
        )
    return symbol
