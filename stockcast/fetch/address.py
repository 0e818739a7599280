"""`--csv https://...`: what an address may be, who is told which credentials, and what is no answer to take.

An address is written into manifests and messages as the user gave it, so it may hold no secret. Credentials come from
~/.netrc or from the environment, always for one host by its name: a model from elsewhere, whose manifest names an
address, can't have another host's.
"""

from __future__ import annotations

import base64
import json
import netrc
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit

from stockcast.errors import ConfigError, DataError, NotFound, StockcastError, UsageError
from stockcast.fetch.transport import Limits, Response, Unreachable, get

LIMITS = Limits()

MOST_REDIRECTIONS = 5

_SECRET = re.compile(r"(?i)(.*[-_.])?(api_?key|key|token|secret|password|passwd|pwd|signature|sig|auth|credential)s?")
_LATER = (408, 425, 429)
_MARKUP = re.compile(rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype|!--|\?xml|[a-z]+[\s>/])")


@dataclass(frozen=True)
class Download:
    """The content that an address has now, and by what it can be told whether it has changed."""

    content: bytes
    etag: str
    last_modified: str


def check_address(text: str) -> None:
    """Raise `UsageError` unless `text` is http(s), has a host, and holds no credentials."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https"):
        scheme = text.partition(":")[0]
        raise UsageError(f"addresses of {scheme}:// are not read.", "give an https:// or http:// address, or a path.")
    if not host or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError("the address has no host, or letters that must be written as %XX.", "correct the address.")
    shown = _bare(parts, host, port)
    if parts.username is not None or parts.password is not None:
        fix = f"put this into ~/.netrc: machine {host} login NAME password PASSWORD, and leave both out of the address."
        raise UsageError(f"the address of {shown} holds a name or a password, which would be written down.", fix)
    secret = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if _SECRET.fullmatch(name)]
    if secret:
        fix = f"leave it out of the address, and set {_variable('QUERY', host)}='{secret[0]}=...' in the environment."
        raise UsageError(f"the address of {shown} holds a {secret[0]}, which would be written down.", fix)


def file_name(text: str) -> str:
    """What the file of an address is called, by the last part of its path: series are called after their files."""
    last = unquote(urlsplit(text).path).rstrip("/").rpartition("/")[2]
    plain = re.sub(r"[^\w.^=-]", "_", last)[-80:].lstrip(".-")
    return plain if Path(plain).suffix else f"{plain or 'prices'}.csv"


def download(text: str, etag: str = "", last_modified: str = "", limits: Limits = LIMITS) -> Download | None:
    """What an address holds; None if it has not changed since the answer that `etag` and `last_modified` are of.

    Raises `UsageError` as `check_address`, `Unreachable` where nothing can be had now, `NotFound`, and `DataError` for
    whatever is no file of prices: a page, JSON, a refusal, a redirection to another host without encryption.
    """
    check_address(text)
    asked = {"If-None-Match": etag} if etag else {}
    asked |= {"If-Modified-Since": last_modified} if last_modified else {}
    response = _followed(text, asked, limits)
    if response.status == 304 and asked:
        return None
    if response.status != 200:
        raise _refusal(text, response)
    _demand_file(text, response)
    return Download(response.body, response.headers.get("etag", ""), response.headers.get("last-modified", ""))


def _followed(text: str, asked: Mapping[str, str], limits: Limits) -> Response:
    """The answer at the end of the redirections."""
    address = text
    for _ in range(MOST_REDIRECTIONS + 1):
        parts = urlsplit(address)
        own, query = _credentials(parts)
        if query and address == text:
            address = f"{address.partition('#')[0]}{'&' if parts.query else '?'}{query}"
        response = get(address, {"Accept": "text/csv, */*;q=0.5", **asked, **own}, text, limits)
        if response.status not in (301, 302, 303, 307, 308):
            return response
        address = _redirected(text, parts, response.headers.get("location", ""))
    raise DataError(f"{text} leads from one address to the next, more than {MOST_REDIRECTIONS} times.", _FINAL)


_FINAL = "give the address that it ends at."


def _redirected(text: str, before: SplitResult, location: str) -> str:
    """Where a redirection leads. Raises `DataError` unless that is encrypted, or on the same host and no step down."""
    try:
        address = urljoin(before.geturl(), location)
        after = urlsplit(address)
        same = after.hostname == before.hostname and before.scheme == after.scheme == "http"
        allowed = bool(location) and bool(after.hostname) and (after.scheme == "https" or same)
        allowed = allowed and after.username is None
    except ValueError:
        allowed = False
    if not allowed:
        raise DataError(f"{text} leads elsewhere without encryption, or to what is no address.", _FINAL)
    return address


def _credentials(parts: SplitResult) -> tuple[dict[str, str], str]:
    """The headers and the piece of a query that the user has set for a host. Raises `UsageError`, `ConfigError`."""
    host = parts.hostname or ""
    token, query = (os.environ.get(_variable(kind, host), "").strip() for kind in ("TOKEN", "QUERY"))
    basic = "" if token else _of_netrc(host)
    if (token or query or basic) and parts.scheme != "https" and host not in ("localhost", "127.0.0.1", "::1"):
        raise UsageError(f"credentials for {host} would travel unencrypted.", "give its https:// address.")
    if not f"{token}{query}".isascii() or not f"{token}{query}".isprintable():
        raise ConfigError(f"{_variable('TOKEN' if token else 'QUERY', host)} is not plain text.", "set it once more.")
    authorization = f"Bearer {token}" if token else basic
    return ({"Authorization": authorization} if authorization else {}), query


def _of_netrc(host: str) -> str:
    """The Authorization that netrc has for a host, or nothing."""
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        found = netrc.netrc(path).authenticators(host) if path.is_file() else None
    except (netrc.NetrcParseError, UnicodeDecodeError, OSError) as error:
        line = getattr(error, "lineno", None)  # the message itself may hold a password
        at = f", line {line}" if line else ""
        raise ConfigError(f"{path}{at} can't be read as a netrc file.", "correct it.") from None
    if found is None:
        return ""
    login, _, password = found
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


def _variable(kind: str, host: str) -> str:
    """The environment variable that has a host's credentials: STOCKCAST_TOKEN_DATA_EXAMPLE_COM; a hyphen is two _.

    No two hosts share one.
    """
    return f"STOCKCAST_{kind}_" + re.sub(r"[^A-Z0-9]", "_", host.upper().replace("-", "__"))


def _bare(parts: SplitResult, host: str, port: int | None) -> str:
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def _refusal(text: str, response: Response) -> StockcastError:
    """The error of an answer that is none."""
    status = response.status
    if status in (404, 410):
        return NotFound(f"there is nothing at {text} (HTTP {status}).", "check the address.")
    if status in (401, 403):
        host = urlsplit(text).hostname or ""
        token = _variable("TOKEN", host)
        fix = f"put them into ~/.netrc (machine {host} login NAME password PASSWORD), or a token into {token}."
        return DataError(f"{text} wants credentials, or others (HTTP {status}).", fix)
    if status in _LATER or status >= 500:
        return Unreachable(f"{text} can't answer now (HTTP {status}).", "try again later.")
    return DataError(f"{text} answers with HTTP {status}, not with a file.", "check the address.")


def _demand_file(text: str, response: Response) -> None:
    """Raise `DataError` for an empty answer, a page, or JSON. What it says is not repeated: it may hold anything."""
    body = response.body
    if not body.strip():
        raise DataError(f"{text} answers with nothing.", "check the address, or ask whoever serves it.")
    if _MARKUP.match(body):
        raise DataError(
            f"{text} answers with a page, not with a CSV file.", "open it in a browser: it may want a login."
        )
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") and _is_json(body):
        raise DataError(f"{text} answers with JSON, not with a CSV file.", "check the address and its parameters.")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
