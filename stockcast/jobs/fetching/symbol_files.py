"""A symbol's two files, SYMBOL.csv and SYMBOL.json, which always belong together.

The second holds the first one's SHA-256. A new pair is written in three steps, each whole or not at all: the new facts
beside the old ones, the rows, then the facts in their place. The next run takes the facts that fit the rows, so that
one that was killed between two steps has lost nothing, and nothing is asked for twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from shlex import quote
from typing import Any

from stockcast.errors import DataError
from stockcast.fetch.exchanges import Venue
from stockcast.fetch.history import History, Revision, dividend_factors, from_csv, to_csv
from stockcast.store import atomic
from stockcast.store.records import dump, sha256

_ADJUSTMENT = (
    "Open, High, Low, Close and Volume are adjusted for splits, Adj Close for splits and dividends: "
    "every close before an ex-date times 1 - dividend / last close before it."
)
_NAMED_DAYS = 20


@dataclass(frozen=True)
class Kept:
    """What is on disk of a symbol: rows and actions, whose they are, and from which day on they were asked for.

    `asked` is when the provider was asked last, with its zone.
    """

    history: History
    source: str
    venue: Venue
    currency: str
    since: date | None
    asked: datetime


def files_of(folder: Path, symbol: str) -> tuple[Path, Path]:
    """The paths of a symbol's rows and of its facts."""
    return folder / f"{symbol}.csv", folder / f"{symbol}.json"


def symbols_in(folder: Path) -> tuple[str, ...]:
    """The symbols that `folder` has files of, in alphabetical order."""
    with atomic.reading(folder):
        found = {path.stem for path in folder.glob("*.json") if path.with_suffix(".csv").exists()}
        return tuple(sorted(found | {path.stem.removeprefix(".next-") for path in folder.glob(".next-*.json")}))


def names_source(folder: Path, source: str) -> bool:
    """Whether any symbol in `folder` came from `source`."""
    with atomic.reading(folder):
        return any(f'"source": "{source}"'.encode() in path.read_bytes() for path in folder.glob("*.json"))


def load_symbol(folder: Path, symbol: str) -> Kept | None:
    """What is on disk of a symbol, None if there are no rows; what a killed run left is settled first.

    The caller holds the folder's lock. Raises `DataError` for a file that is not `fetch`'s own, or was changed since:
    it is never written over.
    """
    rows, facts = files_of(folder, symbol)
    with atomic.reading(rows):
        if not rows.exists():
            return None
        content = rows.read_bytes()
        digest = sha256(content)
        coming = _next_facts(folder, symbol)
        if coming.exists():
            if _digest_in(coming) == digest:
                atomic.replace_file(_aside(folder, symbol), facts, coming.read_bytes())
            atomic.sweep(coming)
        if _digest_in(facts) == digest:
            try:
                return _kept(content.decode(), json.loads(facts.read_bytes()))
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise DataError(f"{facts} is damaged: {error!r:.60}.", f"take it away, with {rows}.") from error
    raise DataError(
        f"{rows} is not what fetch wrote there last, and is left as it is.",
        f"take it away, and it is fetched anew: mv {quote(str(rows))} {quote(f'{rows}.old')}",
    )


def _digest_in(page: Path) -> str | None:
    """Of which rows a page of facts is; None where there is none, or one that can't be read."""
    try:
        found = json.loads(page.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return str(found.get("sha256")) if isinstance(found, dict) else None


def save_symbol(folder: Path, symbol: str, kept: Kept, terms: str, revision: Revision, fresh: int) -> None:
    """Make `kept` what is on disk of a symbol. Raises `CannotCreate` or `IOFailure`; the old pair then still stands.

    `fresh` is how many rows are new, `revision` what differs in the others.
    """
    rows, facts = files_of(folder, symbol)
    content = to_csv(kept.history).encode()
    page = dump(_facts(symbol, kept, terms, revision, fresh, sha256(content)))
    aside = _aside(folder, symbol)
    if not rows.exists() or rows.read_bytes() != content:
        atomic.replace_file(aside, _next_facts(folder, symbol), page)
        atomic.replace_file(aside, rows, content)
    atomic.replace_file(aside, facts, page)
    atomic.sweep(_next_facts(folder, symbol))


def _aside(folder: Path, symbol: str) -> Path:
    """Where a file is written before it gets its name; the folder's lock is held, so what is there is a dead run's."""
    aside = folder / f".aside-{symbol}"
    atomic.sweep(aside)
    return aside


def _next_facts(folder: Path, symbol: str) -> Path:
    return folder / f".next-{symbol}.json"


def _facts(symbol: str, kept: Kept, terms: str, revision: Revision, fresh: int, digest: str) -> dict[str, Any]:
    history = kept.history
    actions = [{"date": str(day), "dividend": paid} for day, paid in history.dividends.items()]
    actions += [{"date": str(day), "split": ratio} for day, ratio in history.splits.items()]
    return {
        "symbol": symbol,
        "source": kept.source,
        "terms": terms,
        "asked": kept.asked.isoformat(timespec="seconds"),
        "exchange": kept.venue.exchange,
        "calendar": kept.venue.calendar,
        "timezone": kept.venue.timezone,
        "currency": kept.currency,
        "since": None if kept.since is None else str(kept.since),
        "rows": len(history),
        "first": str(history.dates[0]),
        "last": str(history.dates[-1]),
        "actions": sorted(actions, key=lambda one: str(one["date"])),
        "factors": {str(day): factor for day, factor in dividend_factors(history).items()},
        "adjustment": _ADJUSTMENT,
        "new_rows": fresh,
        "revised_rows": len(revision.days),
        "revised": [str(day) for day in revision.days[-_NAMED_DAYS:]],
        "sha256": digest,
    }


def _kept(text: str, facts: Mapping[str, Any]) -> Kept:
    """The inverse of `save_symbol`. Raises what a page of another form makes."""
    dividends = {
        date.fromisoformat(one["date"]): float(one["dividend"]) for one in facts["actions"] if "dividend" in one
    }
    splits = {date.fromisoformat(one["date"]): float(one["split"]) for one in facts["actions"] if "split" in one}
    venue = Venue(str(facts["exchange"]), str(facts["calendar"]), str(facts["timezone"]))
    since = None if facts["since"] is None else date.fromisoformat(facts["since"])
    asked = datetime.fromisoformat(facts["asked"])
    history = from_csv(text, dividends, splits)
    return Kept(history, str(facts["source"]), venue, str(facts["currency"]), since, asked)
