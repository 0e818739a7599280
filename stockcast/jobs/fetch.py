"""`stockcast fetch`: prices of a provider into a folder, a symbol at a time, and on from where the last run stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from stockcast.config.store_settings import load_store_config
from stockcast.errors import DataError, NotFound, StockcastError, UsageError
from stockcast.fetch.answer import Answer, Client
from stockcast.fetch.pace import Pace
from stockcast.fetch.providers import PROVIDERS, check_symbol
from stockcast.fetch.transport import TooManyRequests, Unreachable
from stockcast.jobs.fetching.report_dates import has_reports, load_events, save_events, with_reports
from stockcast.jobs.fetching.symbol_files import Kept, load_symbol, names_source, save_symbol, symbols_in
from stockcast.jobs.fetching.update import is_current, update, wants_earlier
from stockcast.ledger import clock
from stockcast.store import atomic
from stockcast.store.interruption import noted
from stockcast.store.lock import hold
from stockcast.view.fetch import current_sentence, fetch_summary, updated_sentence

PAUSE = 1.0
"""Seconds between two requests, the least that may be set."""

_LOCK = ".lock"
_UNREACHABLE_IN_A_ROW = 3
"""After so many symbols that could not be reached, the next ones aren't either."""

OnMessage = Callable[[str], None]


@dataclass(frozen=True)
class FetchRequest:
    """What the user asked for. `source` None: whatever each symbol came from before, else yahoo; `since` None: all.

    `everything` are all symbols that are in the folder; `events` is the file for report dates.
    """

    to: Path
    symbols: tuple[str, ...] = ()
    source: str | None = None
    since: date | None = None
    everything: bool = False
    events: Path | None = None
    pause: float = PAUSE


@dataclass(frozen=True)
class FetchedSymbol:
    """What came of one symbol: `sentence` says it; `error` is None where all is well."""

    symbol: str
    outcome: str
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: StockcastError | None = None

    def to_dict(self) -> dict[str, Any]:
        """The symbol's part of `fetch --json`."""
        failed = {} if self.error is None else {"error": {"kind": self.error.kind, "message": self.error.message}}
        return {"symbol": self.symbol, "outcome": self.outcome, **self.facts, **failed}


@dataclass(frozen=True)
class FetchResult:
    """What came of every symbol, which are `left` to do, and why the run `stopped` before them."""

    symbols: tuple[FetchedSymbol, ...]
    left: tuple[str, ...]
    stopped: StockcastError | None

    @property
    def exit_code(self) -> int:
        """75 where some are left to do; 1 if some failed, their own code if all did."""
        if self.left:
            return 75
        failed = [one.error.exit_code for one in self.symbols if one.error]
        return 0 if not failed else failed[0] if len(failed) == len(self.symbols) else 1

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        why = None if self.stopped is None else self.stopped.message
        return {"symbols": [one.to_dict() for one in self.symbols], "left": list(self.left), "stopped": why}

    def text(self) -> str:
        """The result in words: how many came out how, each failure, and what is left."""
        outcomes = [one.outcome for one in self.symbols]
        failures = {one.symbol: one.sentence for one in self.symbols if one.error}
        return fetch_summary(outcomes, failures, self.left, None if self.stopped is None else self.stopped.message)


def nightly_fetch(store: Path, on_message: OnMessage) -> FetchResult | None:
    """What `fetch` brings for a store, if the `fetch` table of its stockcast.toml names a folder; else None.

    Raises as `fetch_prices`, and `ConfigError` for settings that are refused.
    """
    settings = load_store_config(store).fetch
    if not settings.to:
        return None
    request = FetchRequest(
        to=store / settings.to,
        symbols=settings.symbols,
        source=settings.source,
        since=settings.since,
        everything=not settings.symbols,
        events=store / settings.events if settings.events else None,
        pause=settings.pause,
    )
    return fetch_prices(request, on_message)


def fetch_prices(request: FetchRequest, on_message: OnMessage) -> FetchResult:
    """Bring the prices of each symbol up to date; one that fails doesn't stop the others, and what is there stays.

    Raises `UsageError`, `NotFound` where a folder has no symbols, `Busy` if another run fetches into it, `CannotCreate`
    or `IOFailure` where it can't be written; symbols that are done then are done.
    """
    _demand_place(request)
    atomic.make_folder(request.to)
    done: list[FetchedSymbol] = []
    with hold(request.to / _LOCK, str(request.to), "fetching into"), noted(lambda: f"{len(done)} symbols were done."):
        run = _Run(request, on_message)
        symbols = run.symbols()
        in_a_row = 0
        for at, symbol in enumerate(symbols):
            try:
                fetched = run.fetch(symbol)
            except TooManyRequests as error:
                return FetchResult(tuple(done), symbols[at:], error)
            done.append(fetched)
            on_message(f"{symbol}: {fetched.sentence}")
            in_a_row = in_a_row + 1 if isinstance(fetched.error, Unreachable) else 0
            if in_a_row == _UNREACHABLE_IN_A_ROW and at + 1 < len(symbols):
                return FetchResult(tuple(done), symbols[at + 1 :], fetched.error)
    return FetchResult(tuple(done), (), None)


def _demand_place(request: FetchRequest) -> None:
    if bool(request.symbols) == request.everything:
        raise UsageError(
            "give symbols, or --all for those that the folder has; not both.", "see: stockcast fetch --help"
        )
    if request.pause < PAUSE:
        raise UsageError(
            f"a pause of {request.pause:g} s is too short.", f"leave {PAUSE:g} s or more between requests."
        )
    inside = request.events is not None and request.events.resolve().parent == request.to.resolve()
    if request.events is not None and inside and request.events.suffix == ".csv":
        raise UsageError(
            f"{request.events} would be read as prices, with all other CSV files in {request.to}.",
            f"put it elsewhere: --events {request.to.parent / 'reports.csv'}",
        )


class _Run:
    """One run over a folder: its clients, made when they are needed, and its pace."""

    def __init__(self, request: FetchRequest, on_message: OnMessage) -> None:
        self._request, self._say = request, on_message
        self._pace = Pace(request.pause)
        self._clients: dict[str, Client] = {}
        self._events = None if request.events is None else load_events(request.events)

    def symbols(self) -> tuple[str, ...]:
        """The symbols to fetch, each once."""
        if not self._request.everything:
            return tuple(dict.fromkeys(check_symbol(one) for one in self._request.symbols))
        found = symbols_in(self._request.to)
        if not found:
            raise NotFound(
                f"{self._request.to} has no prices that were fetched.",
                f"name symbols: stockcast fetch AAPL --to {self._request.to}",
            )
        return found

    def fetch(self, symbol: str) -> FetchedSymbol:
        """Bring one symbol up to date. Raises `TooManyRequests`, and where a file can't be written."""
        try:
            kept, fetched = self._fetch_rows(symbol, clock.utc_now())
        except (Unreachable, NotFound, DataError) as error:
            return FetchedSymbol(symbol, "failed", f"{error.message} Fix: {error.fix}", {}, error)
        if self._events is None or (fetched.outcome == "current" and has_reports(self._events, symbol)):
            return fetched
        try:
            self._fetch_reports(symbol, kept)
        except (Unreachable, NotFound, DataError) as error:
            sentence = f"{fetched.sentence} No report dates: {error.message} Fix: {error.fix}"
            return replace(fetched, outcome="failed", sentence=sentence, error=error)
        return fetched

    def _fetch_rows(self, symbol: str, now: datetime) -> tuple[Kept, FetchedSymbol]:
        request = self._request
        kept = load_symbol(request.to, symbol)
        source = request.source or (kept.source if kept else "yahoo")
        if kept is not None and self._has_all(kept, source, now):
            return kept, FetchedSymbol(symbol, "current", current_sentence(str(kept.history.dates[-1])))
        updated = update(kept, source, request.since, self._asking(source, symbol, kept), now)
        save_symbol(request.to, symbol, updated.kept, PROVIDERS[source].terms, updated.revision, updated.fresh)
        days = [str(day) for day in updated.kept.history.dates]
        facts = {
            "rows": len(days),
            "first": days[0],
            "last": days[-1],
            "new_rows": updated.fresh,
            "revised_rows": len(updated.revision.days),
        }
        sentence = updated_sentence(facts, [str(day) for day in updated.revision.days], whole=updated.whole)
        return updated.kept, FetchedSymbol(symbol, "whole" if updated.whole else "updated", sentence, facts)

    def _has_all(self, kept: Kept, source: str, now: datetime) -> bool:
        return kept.source == source and not wants_earlier(kept, self._request.since) and is_current(kept, now)

    def _asking(self, source: str, symbol: str, kept: Kept | None) -> Callable[[date | None], Answer]:
        client = self._client(source)
        venue = kept.venue if kept and kept.source == source else None
        return lambda first: self._pace.patient(lambda: client.history(symbol, first, venue))

    def _client(self, source: str) -> Client:
        if source not in self._clients:
            self._clients[source] = PROVIDERS[source].client(self._pace)
            if not names_source(self._request.to, source):
                self._say(PROVIDERS[source].terms)
        return self._clients[source]

    def _fetch_reports(self, symbol: str, kept: Kept) -> None:
        if self._request.events is None or self._events is None:
            return
        client = self._client(kept.source)
        moments = self._pace.patient(lambda: client.reports(symbol))
        self._events = with_reports(self._events, symbol, moments, kept.venue, clock.utc_now().date())
        save_events(self._request.events, self._events)
