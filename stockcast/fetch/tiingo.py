"""Tiingo's end-of-day prices, with a token from the environment, in the form that it documents for /tiingo/daily."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import numpy as np

from stockcast.data.series import PRICE_COLUMNS
from stockcast.errors import ConfigError, DataError, NotFound, UsageError
from stockcast.fetch.answer import Answer
from stockcast.fetch.exchanges import Venue, venue_of
from stockcast.fetch.history import History
from stockcast.fetch.pace import Pace
from stockcast.fetch.transport import Limits, Response, TooManyRequests, Unreachable, get, seconds_to_wait

BASE = "https://api.tiingo.com"
TOKEN = "TIINGO_API_KEY"

LIMITS = Limits()

_FIRST_DAY = date(1900, 1, 1)
"""Without a first day Tiingo gives the newest row alone."""

_NEW_YORK, _SHANGHAI = "America/New_York", "Asia/Shanghai"
_CHINESE = ("SHE", "SHG", "SHZ", "SHH")


class TiingoClient:
    """Asks Tiingo, a symbol at a time. Raises `UsageError` where no token is set."""

    def __init__(self, pace: Pace) -> None:
        token = os.environ.get(TOKEN, "").strip()
        if not token:
            raise UsageError(
                f"Tiingo wants a token, and {TOKEN} is not set.", f"put yours into the environment: export {TOKEN}=..."
            )
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ConfigError(f"{TOKEN} is not a token: it holds blanks or other letters.", "set it once more.")
        self._headers = {"Authorization": f"Token {token}", "Accept": "application/json"}
        self._pace = pace

    def history(self, symbol: str, since: date | None, venue: Venue | None) -> Answer:
        """See `Client`. A symbol's venue is asked for once."""
        if venue is None:
            code = str(self._ask(f"/tiingo/daily/{symbol}", symbol, dict).get("exchangeCode") or "")
            venue = venue_of(code, _SHANGHAI if code in _CHINESE else _NEW_YORK)
        first = (since or _FIRST_DAY).isoformat()
        rows = self._ask(f"/tiingo/daily/{symbol}/prices?startDate={first}&format=json", symbol, list)
        try:
            return Answer(_history(rows), venue, "CNY" if venue.timezone == _SHANGHAI else "USD")
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise _other_form(symbol) from error

    def reports(self, symbol: str) -> tuple[datetime, ...]:
        """See `Client`."""
        raise NotFound(f"Tiingo has no report dates of {symbol}.", "leave --events out, or use --from yahoo.")

    def _ask(self, path: str, symbol: str, kind: type) -> Any:
        self._pace.wait()
        response = get(f"{BASE}{path}", self._headers, "Tiingo", LIMITS)
        _demand_answer(response, symbol)
        try:
            answer = json.loads(response.body)
        except ValueError as error:
            raise _other_form(symbol) from error
        if not isinstance(answer, kind):
            raise _other_form(symbol)
        return answer


def _other_form(symbol: str) -> DataError:
    return DataError(
        f"Tiingo's answer on {symbol} is not in the form that it documents.",
        f"see what it answers: stockcast fetch --from tiingo --probe {symbol}",
    )


def _demand_answer(response: Response, symbol: str) -> None:
    status = response.status
    if status == 404:
        raise NotFound(f"Tiingo does not have {symbol}.", "check the symbol on Tiingo's own page.")
    if status in (401, 403):
        raise ConfigError(
            f"Tiingo does not take the token (HTTP {status}).", f"export {TOKEN}=... as your account has it."
        )
    if status == 429:
        raise TooManyRequests("Tiingo wants fewer requests (HTTP 429).", seconds_to_wait(response.headers))
    if status >= 500:
        raise Unreachable(f"Tiingo can't answer now (HTTP {status}).", "try again later.")
    if status != 200:
        raise DataError(f"Tiingo answers on {symbol} with HTTP {status}.", "check the symbol, or try again later.")


def _history(rows: list[Mapping[str, Any]]) -> History:
    """What was traded, of rows that have what was adjusted beside it. Raises what a row of another form makes."""
    rows = sorted(rows, key=lambda row: str(row["date"]))
    days = [date.fromisoformat(str(row["date"])[:10]) for row in rows]
    if len(set(days)) < len(days):
        raise ValueError("a day stands twice")
    columns = {
        role: np.array([_number(row[role]) for row in rows], dtype=np.float64) for role in (*PRICE_COLUMNS, "volume")
    }
    dividends = {day: float(row["divCash"]) for day, row in zip(days, rows, strict=True) if float(row["divCash"]) > 0}
    splits = {
        day: float(row["splitFactor"])
        for day, row in zip(days, rows, strict=True)
        if float(row["splitFactor"]) not in (0, 1)
    }
    history = History(np.array(days, dtype="datetime64[D]"), columns, dividends, splits)
    return history if not len(history) else history.take(~np.isnan(columns["close"]))


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
