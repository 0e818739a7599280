"""One GET over HTTP, with limits of size and time. Nothing that it says holds more of an address than it was told.

What a library says of a failed request holds the whole address, and with it whatever key stands there: its words are
never handed on, and neither is the exception itself.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import monotonic, time
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from stockcast.errors import Busy, DataError, IOFailure

if TYPE_CHECKING:
    import urllib3

MAX_BYTES = 120_000_000
"""Of an answer, packed and unpacked; as much as is read of a file."""

_CHUNK = 1 << 16


class Unreachable(IOFailure):
    """No whole answer came: no connection, none in time, one that broke off, or a server that can't answer now."""


class TooManyRequests(Busy):
    """The server wants fewer requests. `wait`: the seconds that it asks for; None: it does not say."""

    def __init__(self, message: str, wait: float | None) -> None:
        super().__init__(message, "try again later.")
        self.wait = wait


@dataclass(frozen=True)
class Limits:
    """Seconds until a connection must stand, between two pieces of an answer, and for all of it."""

    connect: float = 10
    between: float = 30
    total: float = 120


@dataclass(frozen=True)
class Response:
    """What a server answered; the names of `headers` are in lower case, `body` is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(url: str, headers: Mapping[str, str], where: str, limits: Limits) -> Response:
    """The answer to one request, whatever its status; redirections are not followed. `where` is what `url` is called.

    Raises `Unreachable`, or `DataError` for an answer that is too large or packed in an unknown way.
    """
    import urllib3

    timeout = urllib3.Timeout(connect=limits.connect, read=limits.between)
    asked = {"User-Agent": "stockcast", "Accept-Encoding": "gzip", **headers}
    try:
        with _pool(url, timeout) as pool:
            response = pool.request("GET", url, headers=asked, preload_content=False, redirect=False)
            with closing(response):
                body = _read(response, where, monotonic() + limits.total)
            found = {name.lower(): value for name, value in response.headers.items()}
            return Response(response.status, found, _unpacked(body, found.get("content-encoding", ""), where))
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Unreachable(
            f"{where} can't be reached: {_reason(error)}.", "check the address and the network."
        ) from None


def _pool(url: str, timeout: urllib3.Timeout) -> urllib3.PoolManager:
    """Connections to `url`, through the proxy that the environment names for it (https_proxy, http_proxy, no_proxy)."""
    import urllib3

    parts = urlsplit(url)
    proxy = "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")
    if not proxy:
        return urllib3.PoolManager(retries=False, timeout=timeout)
    way = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    login = f"{unquote(way.username)}:{unquote(way.password or '')}" if way.username else None
    address = f"{way.scheme}://{way.netloc.rpartition('@')[2]}"
    headers = urllib3.make_headers(proxy_basic_auth=login)
    return urllib3.ProxyManager(address, proxy_headers=headers, retries=False, timeout=timeout)


def _read(response: urllib3.BaseHTTPResponse, where: str, until: float) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large(where)
        if monotonic() > until:
            raise Unreachable(f"{where} answers too slowly.", "try again later.")
    return bytes(body)


def _unpacked(body: bytes, encoding: str, where: str) -> bytes:
    if not body or encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "x-gzip"):
        raise DataError(f"{where} answers in the encoding {encoding[:20]!r}.", "have it served plain, or as gzip.")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            content = stream.read(MAX_BYTES + 1)
    except (EOFError, OSError, zlib.error):
        raise Unreachable(f"{where}: its answer broke off, or was damaged on the way.", "try again later.") from None
    if len(content) > MAX_BYTES:
        raise _too_large(where)
    return content


def _too_large(where: str) -> DataError:
    return DataError(
        f"{where} sends more than {MAX_BYTES // 1_000_000} MB.", "have it split, for example into a file a ticker."
    )


def _reason(error: Exception) -> str:
    """Why there is no answer, in words of our own."""
    kind = type(error).__name__
    reasons = {
        "NameResolutionError": "its name is not known",
        "ConnectTimeoutError": "no connection in time",
        "ReadTimeoutError": "no answer in time",
        "ProxyError": "the proxy that the environment names does not let it through",
        "SSLError": "its certificate or encryption does not hold",
        "NewConnectionError": "no connection",
        "ProtocolError": "the connection broke off",
        "IncompleteRead": "the answer broke off",
    }
    return reasons.get(kind, kind)


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """What Retry-After says, a number of seconds or a date (RFC 9110, 10.2.3); None where it is missing or neither."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time(), 0)
    except ValueError:
        return None
