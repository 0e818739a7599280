"""What a provider is asked, and what it answers, whoever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from stockcast.fetch.exchanges import Venue
from stockcast.fetch.history import History


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

        Raises `NotFound` where the provider has none of any company, and as `history`.
        """
        ...
