"""Column names to roles, by the table of names that the usual sources write."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from stockcast.errors import UsageError
from stockcast.reading.dates.month_names import month, without_accents
from stockcast.reading.vendor_names import CLOSE_TIERS, GENERAL, NAMES, NOT_TICKERS, OTHER_WORDS

ROLES = ("date", "ticker", "open", "high", "low", "close", "adj_close", "volume")
VALUE_ROLES = ROLES[2:]

_TIER, _GUESSED = 1000, 99
"""Ranks of one tier, and the rank of a name that is not in the table but holds a telling word."""
_GENERAL, _OTHER_WORDS, _NOT_TICKERS = (frozenset(words.split()) for words in (GENERAL, OTHER_WORDS, NOT_TICKERS))
_PRICE_WORDS = frozenset(name.strip() for tier, names in NAMES if tier == "price" for name in names.split(";"))
# AAPL, BRK-B, ^GSPC, EURUSD=X, 0700.HK, M&M.NS, 005930, and Bloomberg's "ABC US Equity".
_TICKER = re.compile(
    r"[\^$]?(?=[\d.]*[A-Z]|\d{4})[A-Z0-9][A-Z0-9.&=/^-]{0,14}(?: [A-Z]{2})?(?: (?:Equity|Index|Curncy|Comdty))?"
)

_IN_MILLIONS = re.compile(
    r"\((?:in )?(?:mn|mln|mio|million|lacs?|lakhs?|cr|crores?|bn|billion|'?000|thousand|百万|千|億)", re.IGNORECASE
)
"""A price is not counted in millions: VALUE (mn) is what was traded."""
_SPAN = re.compile(r"\d+(?:[DWMY]|WK|WEEK|MO|YR)")


def parse_columns(text: str) -> dict[str, str]:
    """`date=0,close=Last` as roles and what the user calls their columns. Raises `UsageError` for anything else."""
    columns: dict[str, str] = {}
    for part in text.split(","):
        role, equals, name = (piece.strip() for piece in part.partition("="))
        fault = _fault_of(role, columns) if equals and name else f"{part!r} is not ROLE=NAME_OR_NUMBER."
        if fault:
            raise UsageError(
                f"--columns {text!r}: {fault}",
                f"use each of the roles {', '.join(ROLES)} once at most, for example --columns date=0,close=4.",
            )
        columns[role] = name
    return columns


def demand_roles(columns: Mapping[str, str]) -> None:
    """Raise `UsageError` unless all keys are roles."""
    for role in columns:
        fault = _fault_of(role, {})
        if fault:
            raise UsageError(f"columns: {fault}", f"use the roles {', '.join(ROLES)}.")


def _fault_of(role: str, columns: Mapping[str, str]) -> str | None:
    """A sentence if a role can't stand after those that `columns` has already."""
    if role in columns:
        return f"it names two columns for {role}."
    if role in ROLES:
        return None
    from stockcast.config.refusal import nearest

    return f"there is no role {role!r}.{nearest(role, ROLES)}"


def columns_flag(roles: Mapping[str, int], names: Sequence[str]) -> str:
    """The flag that says which column is what, as a shell takes it; by number where a name would be misunderstood."""
    said = ",".join(f"{role}={_typed(index, names)}" for role, index in roles.items())
    # A name that ends with a full stop is not to be taken for the end of a sentence.
    return f"--columns {shlex.quote(said)}" if said[-1].isalnum() else f"--columns '{said}'"


def _typed(index: int, names: Sequence[str]) -> str:
    name = names[index]
    plain = name.isprintable() and name == name.strip() and not set(name) & set(",'\"")
    return name if name and plain and list(names).count(name) == 1 else str(index)


def normal(name: str) -> str:
    """A column name as the table of names writes it: `<CLOSE>`, `4. close`, `Close*`, `Close (USD)` are all close."""
    text = re.sub(r"\([^)]*\)|\uff08[^\uff09]*\uff09|\[[^\]]*\]|[\"'<>*]", " ", name)
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text) if not text.isupper() else text
    text = re.sub(r"^\s*\d{1,2}[.:]\s*(?=\D)", "", text)
    return re.sub(r"[\s_.:-]+", " ", without_accents(text)).strip()


@cache
def _roles() -> dict[str, tuple[str, int]]:
    table: dict[str, tuple[str, int]] = {}
    counts = dict.fromkeys((role for role, _ in NAMES), 0)
    for line, names in NAMES:
        role, first = ("close", _TIER * CLOSE_TIERS.index(line)) if line in CLOSE_TIERS else (line, 0)
        for name in names.split(";"):
            for known in {normal(name.strip()), normal(name.strip()).replace(" ", "")}:
                table.setdefault(known, (role, first + counts[line]))
            counts[line] += 1
    return table


@lru_cache(maxsize=4096)
def role_of(name: str) -> tuple[str, int] | None:
    """The role that a column name means and its rank among that role's names (0 is the plainest), or None.

    The role "other" is that of a column about prices that is surely not the price, such as Prev. Close.
    """
    text = normal(name)
    words = text.split()
    known = _roles().get(text) or _roles().get(text.replace(" ", ""))
    if known or not words:
        return ("other", _GUESSED) if known and known[0] == "close" and _IN_MILLIONS.search(name) else known
    telling = [word for word in words if word not in _GENERAL]
    if not telling:  # stock price, Price USD
        return ("close", _TIER * CLOSE_TIERS.index("price") + _GUESSED) if _PRICE_WORDS & set(words) else None
    shorter = " ".join(telling)
    if len(shorter) > 1 and len(telling) < len(words) and shorter in _roles():
        return _roles()[shorter]
    if any(word.rstrip("0123456789") in _OTHER_WORDS or word in _OTHER_WORDS for word in words):  # SMA20, 52W High
        return ("other", _GUESSED)
    return ("volume", _GUESSED) if words[0] == "volume" else None  # Volume BTC, Volume USD


def is_other(name: str) -> bool:
    """Whether a name says that its column is not the price, whatever its numbers look like."""
    meaning = role_of(name)
    return meaning is not None and meaning[0] in ("other", "date", "ticker")


def close_tier(name: str) -> int:
    """How plainly a name says that it is the closing price: 0 is plainest; `len(CLOSE_TIERS)` if it does not say it."""
    meaning = role_of(name)
    return meaning[1] // _TIER if meaning and meaning[0] == "close" else len(CLOSE_TIERS)


def known_names(line: str) -> int:
    """How many cells of a line of text are known column names, whatever stands between them."""
    return sum(role_of(cell.strip()) is not None for cell in re.split(r"[,;\t|]", line) if cell.strip())


def is_ticker(name: str) -> bool:
    """Whether a name looks like a ticker: capitals and digits, and neither a statistic's name, a month's nor a year."""
    letters = re.sub(r"[\d ^$].*", "", name.lstrip("^$")) or name
    statistic = (
        name in _NOT_TICKERS or letters in _NOT_TICKERS or bool(month(name)) or _SPAN.fullmatch(name) is not None
    )
    year = name.isdecimal() and len(name) == 4 and 1800 <= int(name) <= 2100
    return _TICKER.fullmatch(name) is not None and not statistic and not year


def ticker_and_role(name: str) -> tuple[str, str] | None:
    """`AAPL.Close`, `Close_AAPL` or `aapl Adj Close` as what stands beside the role, and the role; or None.

    What stands beside it is a ticker only if it looks like one, or if its fellows show that it is: the caller judges.
    """
    whole = role_of(name)
    if whole and whole[1] % _TIER != _GUESSED:
        return None
    free = whole is None or whole[0] == "volume"
    for separator in ("_", ".", " ", "-", "|", ":", "/"):
        parts = name.strip().split(separator)
        for cut in range(1, len(parts)):
            ahead, behind = separator.join(parts[:cut]), separator.join(parts[cut:])
            for ticker, field in ((ahead, behind), (behind, ahead)):
                meant = role_of(field)
                beside = is_ticker(ticker) or (free and role_of(ticker) is None)
                if ticker and beside and meant and meant[0] in VALUE_ROLES and len(field) > 1:
                    return ticker, meant[0]
    return None
