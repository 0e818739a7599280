"""One symbol brought up to date: what is asked for, what the answer changes, and when it is not taken.

Pure but for `ask`: what comes out is written by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from stockcast.errors import DataError
from stockcast.fetch.answer import Answer
from stockcast.fetch.history import History, Revision, revised
from stockcast.jobs.fetching.symbol_files import Kept

Ask = Callable[[date | None], Answer]

OVERLAP = 10
"""Known rows that are asked for again with the newest ones: what was revised of them is seen by it."""

ASKED_LATELY = timedelta(hours=1)
"""A symbol that has no newer row, though there should be one, is not asked for again so soon."""

_GONE, _MOST_GONE = 2, 0.01
"""Rows that may be missing from an answer although they were in the last one: so many, or this share of them."""

_MOST_REVISED = 0.5
"""Of all rows: where more prices differ, these are another share's, or in another unit."""


@dataclass(frozen=True)
class Updated:
    """A symbol's rows from now on, what its provider revised of the old ones, and how many are new.

    `whole` says that all of them were asked for, because of an action, a revision, or because there were none.
    """

    kept: Kept
    revision: Revision
    fresh: int
    whole: bool


def is_current(kept: Kept, now: datetime) -> bool:
    """Whether there can be nothing new: the newest session is there, or it was asked for just now."""
    newest = kept.venue.newest_session(now)
    if newest is not None and kept.history.dates[-1] >= newest:
        return True
    settled = newest is None or kept.asked >= kept.venue.settled_at(newest)
    return settled and timedelta(0) <= now - kept.asked < ASKED_LATELY


def wants_earlier(kept: Kept, since: date | None) -> bool:
    """Whether `since` is before the day from which on a symbol was asked for."""
    return since is not None and kept.since is not None and since < kept.since


def update(kept: Kept | None, source: str, since: date | None, ask: Ask, now: datetime) -> Updated:
    """The newest rows after those that are there, or the whole once more. Sessions that are not over are left out.

    Raises `DataError` where the answer is empty or shrunken, so that the old rows stay, and whatever `ask` raises.
    """
    if kept is None:
        return _first(source, since, ask, now)
    earlier = wants_earlier(kept, since)
    first = since if earlier else kept.since
    if not earlier and kept.source == source:
        answer = ask(kept.history.dates[-OVERLAP:][0].item())
        fresh = _finished(answer, now)
        revision = revised(kept.history.take(kept.history.dates >= kept.history.dates[-OVERLAP:][0]), fresh)
        if not (_acted(kept.history, fresh) or revision.prices or revision.gone):
            return _updated(kept, answer, kept.history.then(fresh), revision, now)
    answer = ask(first)
    whole = _finished(answer, now)
    old = kept.history if first is None else kept.history.take(kept.history.dates >= np.datetime64(first))
    revision = revised(old, whole)
    _demand_as_much(old, whole, revision)
    moved = replace(kept, source=source, since=first)
    return replace(_updated(moved, answer, whole, revision, now), whole=True)


def _first(source: str, since: date | None, ask: Ask, now: datetime) -> Updated:
    answer = ask(since)
    rows = _finished(answer, now)
    if not len(rows):
        raise DataError("the answer has no row of a session that is over.", "check the symbol, and --since if given.")
    kept = Kept(rows, source, answer.venue, answer.currency, since, now)
    return Updated(kept, Revision(), len(rows), whole=True)


def _updated(kept: Kept, answer: Answer, history: History, revision: Revision, now: datetime) -> Updated:
    fresh = int(np.count_nonzero(~np.isin(history.dates, kept.history.dates)))
    now_kept = replace(kept, history=history, venue=answer.venue, currency=answer.currency, asked=now)
    return Updated(now_kept, revision, fresh, whole=False)


def _finished(answer: Answer, now: datetime) -> History:
    rows = answer.history
    return rows.take(answer.venue.finished(rows.dates, now))


def _acted(before: History, fresh: History) -> bool:
    """Whether an answer knows a dividend or a split that the rows before it don't, or another one than they do."""
    if not len(fresh):
        return False
    return any(
        _differ({day: value for day, value in old.items() if np.datetime64(day) >= fresh.dates[0]}, new)
        for old, new in ((before.dividends, fresh.dividends), (before.splits, fresh.splits))
    )


def _differ(old: Mapping[date, float], new: Mapping[date, float]) -> bool:
    return old.keys() != new.keys() or not np.allclose([old[day] for day in new], list(new.values()), rtol=1e-3, atol=0)


def _demand_as_much(before: History, now: History, revision: Revision) -> None:
    """Raise `DataError` for an answer that lacks what the last one had, or is about something else."""
    there = np.isin(before.dates, now.dates)
    gone = len(before) - int(np.count_nonzero(there))
    if not len(now) or now.dates[-1] < before.dates[-1] or gone > max(_GONE, _MOST_GONE * len(before)):
        span = f"{len(now):,} rows, {now.dates[0]} to {now.dates[-1]}" if len(now) else "no row"
        raise DataError(
            f"the answer has {span}, but the file {len(before):,}, {before.dates[0]} to {before.dates[-1]}; it stays.",
            "see what the provider answers with --probe SYMBOL; if that is right, move the file away and fetch anew.",
        )
    if len(revision.prices) > _MOST_REVISED * len(before):
        raise DataError(
            f"{len(revision.prices):,} of {len(before):,} prices in the answer differ from the file's, as those of "
            "another share or in another unit; it stays.",
            "see what the provider answers with --probe SYMBOL; if that is right, move the file away and fetch anew.",
        )
