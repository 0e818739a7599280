"""Who has prices: what each provider is called, what it allows, and what it is asked through."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from stockcast.errors import UsageError
from stockcast.fetch.exchanges import Venue
from stockcast.fetch.history import History
from stockcast.fetch.pace import Pace

_SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=_-]{0,31}")


@dataclass(frozen=True)
class Answer:
    """A symbol's rows and actions from the day on that was asked for, and where it is traded, in which currency."""

    history: History
    venue: Venue
    currency: str


class Client(Protocol):
    """What a provider is asked."""

    def history(self, symbol: str, since: date | None, venue: Venue | None) -> Answer:
        """A symbol's daily rows from `since` on, or all; `venue` is where it was traded the last time, if known.

        Raises `NotFound` for a symbol that the provider does not have, `TooManyRequests`, `Unreachable`, `DataError`
        for an answer in another form than the documented one.
        """
        ...

    def reports(self, symbol: str) -> tuple[datetime, ...]:
        """The moments of its company's reports that the provider knows, past and to come, each with its zone.

        Raises `UsageError` where the provider has none of any company, and as `history`.
        """
        ...


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
