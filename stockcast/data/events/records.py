"""Events: days on which something is known to come, such as a company's report or a central bank's decision.

An event is known before it comes: from `known` on a forecast may use it, never earlier.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BEFORE, AFTER, UNTIMED = "before", "after", ""
"""When an event comes: before or after the market's opening hours of its date, or nobody says when."""

REPORT = "report"
"""The kind of event that past prices give away, so that it is guessed where no date is given."""


@dataclass(frozen=True)
class Events:
    """n events in the order of their dates.

    - `dates` (n,), and `known` (n,): the first date at whose close it is known, datetime64[D] both;
    - `series` (n,): which series it is about, "" for all; `kinds` (n,): a word; `when` (n,): `BEFORE`, `AFTER` or
      `UNTIMED`.
    """

    dates: NDArray[np.datetime64]
    series: NDArray[np.str_]
    kinds: NDArray[np.str_]
    when: NDArray[np.str_]
    known: NDArray[np.datetime64]

    def __len__(self) -> int:
        return len(self.dates)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Events:
        """Some of the events."""
        return Events(self.dates[keep], self.series[keep], self.kinds[keep], self.when[keep], self.known[keep])

    def known_by(self, date: np.datetime64) -> Events:
        """Those that may be used at the close of `date`."""
        return self.take(self.known <= date)

    def of_series(self, name: str) -> Events:
        """Those of one series and of all; capital letters make no difference."""
        own = np.char.lower(self.series) == name.lower()
        return self.take(own | (self.series == ""))

    def digest(self) -> bytes:
        """What tells these events from others."""
        arrays = (self.dates, self.series, self.kinds, self.when, self.known)
        return hashlib.sha256(json.dumps([one.astype(str).tolist() for one in arrays]).encode()).digest()


def events_of(rows: Sequence[tuple[np.datetime64, str, str, str, np.datetime64]]) -> Events:
    """Events of (date, series, kind, when, known) each, put in the order of their dates."""
    ordered = sorted(rows, key=lambda row: (row[0], *row[1:4]))
    dates, series, kinds, when, known = zip(*ordered, strict=True) if ordered else ((),) * 5
    return Events(
        np.array(dates, dtype="datetime64[D]"),
        np.array(series, dtype=np.str_),
        np.array(kinds, dtype=np.str_),
        np.array(when, dtype=np.str_),
        np.array(known, dtype="datetime64[D]"),
    )


def rows_of(events: Events) -> list[tuple[np.datetime64, str, str, str, np.datetime64]]:
    """The inverse of `events_of`."""
    return list(zip(events.dates, events.series, events.kinds, events.when, events.known, strict=True))


def joined(some: Events, others: Events) -> Events:
    """Both together."""
    return events_of([*rows_of(some), *rows_of(others)])


NO_EVENTS = events_of(())
