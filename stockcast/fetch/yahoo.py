"""Yahoo's prices through yfinance, whose requests all pass here: apart in time, and no more of them where one failed.

yfinance goes on after a refusal with other cookies, up to ten requests for one symbol that does not exist. Here the
first answer counts: 404 for a symbol that there is not, 429 where fewer requests are wanted, 5xx for later.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from stockcast.data.series import PRICE_COLUMNS
from stockcast.errors import DataError, NotFound, UsageError
from stockcast.fetch.answer import Answer
from stockcast.fetch.exchanges import Venue, venue_of
from stockcast.fetch.history import History, splits_after
from stockcast.fetch.pace import Pace
from stockcast.fetch.transport import TooManyRequests, Unreachable, seconds_to_wait

TIMEOUT = 30.0
"""Seconds for one answer."""

_DATA = ("/v8/finance/chart/", "/calendar/earnings")
"""Where prices and dates come from; an answer of any other address is yfinance's own affair."""

_DIGITS = 7
"""Significant digits of a chart's prices, which are floats of four bytes."""

_MOST_REPORTS = 100


def new_session() -> Any:
    """The session that yfinance makes by itself."""
    with own_symbols():
        from curl_cffi.requests import Session

    return Session(impersonate="chrome")


@contextmanager
def own_symbols() -> Iterator[None]:
    """What is imported here finds its own libcurl, also where TensorFlow has brought another one before."""
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))  # Linux alone needs it, and has it
    try:
        yield
    finally:
        sys.setdlopenflags(flags)


class YahooClient:
    """Asks Yahoo, a symbol at a time. Raises `UsageError` where yfinance is not installed."""

    def __init__(self, pace: Pace) -> None:
        try:
            with own_symbols():
                import yfinance
        except ImportError:
            raise UsageError(
                "prices of Yahoo need yfinance, which is not installed.", "pip install 'stockcast-cli[yahoo]'"
            ) from None
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what goes wrong is told as an error of ours
        yfinance.config.debug.hide_exceptions = False
        yfinance.data.YfData.cache_get.cache_clear()  # a process that lives for days is to see new answers
        self._yfinance = yfinance
        self._session = new_session()
        self._session.request = _careful(self._session.request, pace)

    def history(self, symbol: str, since: date | None, venue: Venue | None) -> Answer:
        """See `Client`."""
        with _answers(symbol):
            ticker = self._yfinance.Ticker(symbol, session=self._session)
            span = {"period": "max"} if since is None else {"start": since.isoformat()}
            frame = ticker.history(**span, interval="1d", actions=True, auto_adjust=False, keepna=True, timeout=TIMEOUT)
            facts = ticker.get_history_metadata()
            venue = venue_of(str(facts["exchangeName"]), str(facts["exchangeTimezoneName"]))
            return Answer(_as_traded(frame), venue, str(facts.get("currency") or ""))

    def reports(self, symbol: str) -> tuple[datetime, ...]:
        """See `Client`."""
        with _answers(symbol):
            frame = self._yfinance.Ticker(symbol, session=self._session).get_earnings_dates(limit=_MOST_REPORTS)
            if frame is None:
                return ()
            return tuple(sorted({one.to_pydatetime().astimezone(UTC) for one in frame.index}))


def _as_traded(frame: Any) -> History:
    """A chart's rows without the adjustment for splits that Yahoo has made of prices, volumes and dividends."""
    dates = np.array([one.date() for one in frame.index], dtype="datetime64[D]")
    splits = _actions(dates, frame["Stock Splits"].to_numpy(dtype=np.float64))
    shares = splits_after(dates, splits)
    columns = {role: _rounded(frame[role.capitalize()].to_numpy(dtype=np.float64) * shares) for role in PRICE_COLUMNS}
    columns["volume"] = frame["Volume"].to_numpy(dtype=np.float64) / shares
    dividends = _actions(dates, _paid(frame) * shares)
    known = ~np.isnan(columns["close"])
    return History(dates[known], {role: values[known] for role, values in columns.items()}, dividends, splits)


def _paid(frame: Any) -> Any:
    """What was paid for a share (rows,). Yahoo adds a fund's capital gains to its dividends, where these are larger."""
    dividends = np.nan_to_num(frame["Dividends"].to_numpy(dtype=np.float64))
    if "Capital Gains" not in frame:
        return dividends
    gains = np.nan_to_num(frame["Capital Gains"].to_numpy(dtype=np.float64))
    return np.where(dividends >= gains, dividends, dividends + gains)


def _actions(dates: Any, values: Any) -> dict[date, float]:
    happened = np.flatnonzero(~np.isnan(values) & (values > 0))
    return {dates[row].item(): float(f"{values[row]:.9g}") for row in happened}


def _rounded(values: Any) -> Any:
    return np.array([float(f"{value:.{_DIGITS}g}") for value in values])


def _careful(request: Any, pace: Pace) -> Any:
    """A session's `request` that keeps the pace, and raises what an answer means as soon as it is known."""
    from curl_cffi.requests.exceptions import RequestException

    def ask(method: str, url: str, **rest: Any) -> Any:
        pace.wait()
        try:
            response = request(method, url, **rest)
        except RequestException as error:
            raise Unreachable(f"Yahoo can't be reached: {type(error).__name__}.", "check the network.") from None
        if any(place in url for place in _DATA):
            _demand_answer(response)
        return response

    return ask


def _demand_answer(response: Any) -> None:
    status = response.status_code
    if status == 429:
        headers = {name.lower(): str(value) for name, value in response.headers.items()}
        raise TooManyRequests("Yahoo wants fewer requests (HTTP 429).", seconds_to_wait(headers))
    if status >= 500:
        raise Unreachable(f"Yahoo can't answer now (HTTP {status}).", "try again later.")
    if status == 404:
        raise NotFound(f"Yahoo does not have it: {_reason(response.text)}", "check the symbol on Yahoo's own page.")


def _reason(body: str) -> str:
    """What Yahoo gives as the reason, if it does."""
    try:
        found = json.loads(body)["chart"]["error"]["description"]
    except (ValueError, LookupError, TypeError):
        found = "HTTP 404"
    plain = "".join(letter for letter in str(found)[:120] if letter.isprintable())
    return plain.rstrip(".") + "."


@contextmanager
def _answers(symbol: str) -> Iterator[None]:
    """Turn what yfinance makes of an answer that is none into errors of ours."""
    from peewee import PeeweeException
    from yfinance.exceptions import YFException, YFRateLimitError, YFTickerMissingError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # yfinance's own use of pandas
            yield
    except YFRateLimitError:
        raise TooManyRequests("Yahoo wants fewer requests.", None) from None
    except YFTickerMissingError as error:
        raise NotFound(f"Yahoo has no prices of {symbol}: {error.rationale}.", "check the symbol.") from None
    except PeeweeException as error:
        raise DataError(
            f"yfinance's own cache fails: {type(error).__name__}.", "look after its folder, py-yfinance."
        ) from None
    except (YFException, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise DataError(
            f"Yahoo's answer on {symbol} is not in the form that yfinance {_version()} knows ({type(error).__name__}).",
            f"see what it answers: stockcast fetch --probe {symbol}; a newer yfinance may know it.",
        ) from error


def _version() -> str:
    from importlib.metadata import version

    return version("yfinance")
