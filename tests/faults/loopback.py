"""A server on this machine that answers as Yahoo's charts and Tiingo do, with made-up prices, and with every fault.

Nothing of it is a copy of anybody's data. A `Stock` is what was traded; each provider tells it in its own form.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as clock_time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

NEW_YORK = ZoneInfo("America/New_York")
OPENING = clock_time(9, 30)

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Stock:
    """What was traded of one symbol, a row a day: open, high, low, close, volume, as traded; and its actions."""

    days: list[date]
    bars: np.ndarray[Any, np.dtype[np.float64]]
    dividends: dict[date, float] = field(default_factory=dict)
    splits: dict[date, float] = field(default_factory=dict)
    exchange: str = "NMS"
    gains: dict[date, float] = field(default_factory=dict)

    def split(self, day: date, ratio: float) -> None:
        """Split it: everything from `day` on is traded at a `ratio`th, and so many times as often."""
        later = np.array([one >= day for one in self.days])
        self.bars[later, :4] = np.round(self.bars[later, :4] / ratio, 2)
        self.bars[later, 4] *= ratio
        self.splits[day] = ratio


def made_up_stock(days: list[date], seed: int = 0) -> Stock:
    """A random walk in cents."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(len(days))))
    opening = np.append(100, close[:-1]) * np.exp(0.003 * random.standard_normal(len(days)))
    high, low = np.maximum(opening, close) * 1.004, np.minimum(opening, close) * 0.996
    volume = np.round(1e6 * np.exp(0.3 * random.standard_normal(len(days))))
    prices = np.round(np.stack([opening, high, low, close], axis=1), 2)
    return Stock(list(days), np.column_stack([prices, volume]))


def weekdays(first: date, count: int) -> list[date]:
    """Days from Monday to Friday that are no holiday of New York."""
    from stockcast.data.trading_calendars import sessions_between

    start = np.datetime64(first)
    days: list[date] = sessions_between("XNYS", start, start + np.timedelta64(2 * count + 10, "D")).tolist()
    return days[:count]


def _at(day: date, hour: clock_time = OPENING) -> int:
    return int(datetime.combine(day, hour, NEW_YORK).timestamp())


def yahoo_chart(stock: Stock, symbol: str, first: int, last: int) -> dict[str, Any]:
    """Yahoo's answer: prices, volumes and dividends adjusted for splits, prices as floats of four bytes."""
    rows = [row for row, day in enumerate(stock.days) if first <= _at(day) <= last]
    today = datetime.fromtimestamp(last, NEW_YORK).date()
    splits = {day: ratio for day, ratio in stock.splits.items() if day <= today}
    shares = np.array([np.prod([r for day, r in splits.items() if day > stock.days[row]]) for row in rows])
    quote: dict[str, Any] = {}
    for column, name in enumerate(("open", "high", "low", "close")):
        quote[name] = [
            float(np.float32(stock.bars[row, column] / share)) for row, share in zip(rows, shares, strict=True)
        ]
    quote["volume"] = [int(stock.bars[row, 4] * share) for row, share in zip(rows, shares, strict=True)]
    later = {day: np.prod([r for other, r in splits.items() if other > day]) for day in stock.dividends}
    events = {
        "dividends": {
            str(_at(day)): {"amount": paid / later[day], "date": _at(day)}
            for day, paid in stock.dividends.items()
            if first <= _at(day) <= last
        },
        "capitalGains": {
            str(_at(day)): {"amount": gain, "date": _at(day)} for day, gain in stock.gains.items() if first <= _at(day)
        },
        "splits": {
            str(_at(day)): {"date": _at(day), "numerator": ratio, "denominator": 1, "splitRatio": f"{ratio:g}:1"}
            for day, ratio in splits.items()
            if first <= _at(day)
        },
    }
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": stock.exchange,
        "fullExchangeName": "NasdaqGS",
        "instrumentType": "ETF" if stock.gains else "EQUITY",
        "firstTradeDate": _at(stock.days[0]) if stock.days else None,
        "regularMarketTime": last,
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": 1.0,
        "priceHint": 2,
        "dataGranularity": "1d",
        "range": "",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }
    result: dict[str, Any] = {
        "meta": meta,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
    }
    if rows:
        result["timestamp"] = [_at(stock.days[row]) for row in rows]
    else:
        result["indicators"] = {"quote": [{}], "adjclose": [{}]}
    if any(events.values()):
        result["events"] = {key: value for key, value in events.items() if value}
    return {"chart": {"result": [result], "error": None}}


def tiingo_rows(stock: Stock, first: date) -> list[dict[str, Any]]:
    """Tiingo's answer: what was traded, beside what it adjusts itself."""
    return [
        {
            "date": f"{day}T00:00:00.000Z",
            **dict(zip(("open", "high", "low", "close", "volume"), stock.bars[row].tolist(), strict=True)),
            "adjClose": 1.0,
            "adjHigh": 1.0,
            "adjLow": 1.0,
            "adjOpen": 1.0,
            "adjVolume": 1,
            "divCash": stock.dividends.get(day, 0.0),
            "splitFactor": stock.splits.get(day, 1.0),
        }
        for row, day in enumerate(stock.days)
        if day >= first
    ]


NOT_FOUND = {
    "chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
}


@dataclass
class Loopback:
    """The server: its stocks, the files at its addresses, and the faults that come next, by symbol or path.

    A fault is an answer, or a function of the handler that writes one itself; each is used up once.
    """

    stocks: dict[str, Stock] = field(default_factory=dict)
    files: dict[str, Callable[[Mapping[str, str]], Answer]] = field(default_factory=dict)
    faults: dict[str, list[Answer | Callable[[BaseHTTPRequestHandler], None]]] = field(default_factory=dict)
    reports: dict[str, list[str]] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def base(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        """Stop it."""
        self.server.shutdown()
        self.server.server_close()

    def charts(self, symbol: str) -> list[str]:
        """The requests for a symbol's history so far, as path and query."""
        found = [path for path, _ in self.asked if f"/v8/finance/chart/{symbol}?" in path and "range=1d" not in path]
        return found + [path for path, _ in self.asked if f"/tiingo/daily/{symbol}/prices" in path]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                loopback.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                loopback.at.append(time.monotonic())
                fault = loopback.next_fault(self.path)
                if callable(fault):
                    fault(self)
                    self.close_connection = True
                    return
                send(self, fault or loopback.answer(self.path, dict(self.headers.items())))

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def next_fault(self, path: str) -> Answer | Callable[[BaseHTTPRequestHandler], None] | None:
        """The fault that is to come next at a path, which is used up by it."""
        for key, faults in self.faults.items():
            place = urlsplit(path).path
            if faults and "range=1d" not in path and (place.endswith(f"/{key}") or f"/{key}/" in place or place == key):
                return faults.pop(0)
        return None

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """What a provider says."""
        parts = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path in self.files:
            return self.files[parts.path](headers)
        if "/v8/finance/chart/" in parts.path:
            return self._chart(parts.path.rpartition("/")[2], query)
        if "/tiingo/daily/" in parts.path:
            return self._tiingo(parts.path, query)
        if parts.path.endswith("/calendar/earnings"):
            return 200, {"Content-Type": "text/html"}, earnings_page(self.reports.get(query["symbol"], []))
        if parts.path.endswith("/getcrumb"):
            return 200, {"Content-Type": "text/plain"}, b"crumb"
        return 404, {"Set-Cookie": "A3=made-up; Path=/"}, b"<html></html>"

    def _chart(self, symbol: str, query: Mapping[str, str]) -> Answer:
        stock = self.stocks.get(symbol)
        if stock is None:
            return as_json(NOT_FOUND, 404)
        now = int(self.now().timestamp())
        first = 0 if "range" in query else int(float(query["period1"]))
        return as_json(yahoo_chart(stock, symbol, first, min(now, int(float(query.get("period2", now))))))

    def _tiingo(self, path: str, query: Mapping[str, str]) -> Answer:
        *_, symbol, last = path.split("/")
        symbol = last if last != "prices" else symbol
        stock = self.stocks.get(symbol)
        if stock is None:
            return as_json({"detail": "Not found."}, 404)
        if last != "prices":
            return as_json(
                {"ticker": symbol, "name": "Made Up", "exchangeCode": "NASDAQ", "startDate": str(stock.days[0])}
            )
        today = self.now().astimezone(NEW_YORK).date()
        rows = tiingo_rows(stock, date.fromisoformat(query["startDate"]))
        return as_json([row for row in rows if row["date"][:10] <= str(today)])


def as_json(value: Any, status: int = 200) -> Answer:
    """An answer of JSON."""
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def earnings_page(moments: list[str]) -> bytes:
    """The page that yfinance takes report dates from; moments such as 'October 30, 2025 at 4 PM EDT'."""
    if not moments:
        return b"<html><body>none</body></html>"
    head = "".join(
        f"<th>{name}</th>"
        for name in ("Symbol", "Company", "Earnings Date", "EPS Estimate", "Reported EPS", "Surprise (%)")
    )
    rows = "".join(
        f"<tr><td>X</td><td>Made Up</td><td>{one}</td><td>-</td><td>-</td><td>-</td></tr>" for one in moments
    )
    return f"<html><body><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></body></html>".encode()


def send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Write an answer."""
    status, headers, body = answer
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.compress(body)
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def truncated(body: bytes, content_type: str = "application/json") -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that promises more bytes than come."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body) * 2))
        handler.end_headers()
        handler.wfile.write(body)

    return write


def dripping(body: bytes, seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that comes byte by byte, so long apart."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/csv")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for at in range(len(body)):
            try:
                handler.wfile.write(body[at : at + 1])
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(seconds)

    return write


def pointed_at(base: str) -> Callable[[], Any]:
    """What takes the place of `stockcast.fetch.yahoo.new_session`: yfinance's own session, every host being `base`."""

    def new_session() -> Any:
        from curl_cffi.requests import Session

        session: Any = Session()
        plain = session.request

        def request(method: str, url: str, **rest: Any) -> Any:
            parts = urlsplit(url)
            query = f"?{parts.query}" if parts.query else ""
            return plain(method, f"{base}/{parts.hostname}{parts.path}{query}", **rest)

        session.request = request
        return session

    return new_session
