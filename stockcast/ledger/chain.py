"""The hash chain: each issue's SHA-256 covers all that it says, and the hash of the issue before it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from stockcast.ledger.schema import QUANTILE_COLUMNS, STEPS, TAIL_COLUMNS

FIRST = bytes(32)
"""What stands before the first issue."""

_ISSUES = "SELECT id, issued_at, clock_behind, in_time, stockcast, hash FROM issue ORDER BY id"
_PREDICTIONS = """SELECT p.issue, p.id, v.model, v.version, v.manifest_sha256, v.config, v.config_digest, v.cutoff,
v.calendar, s.model, s.name, s.price, p.origin, p.last, p.before, hex(p.fingerprint)
FROM prediction p JOIN version v ON v.id = p.version JOIN series s ON s.id = p.series ORDER BY p.issue, p.id"""
_FORECASTS = f"""SELECT p.issue, f.id, f.status, f.target, f.point, {", ".join(f"f.{one}" for one in QUANTILE_COLUMNS)}
FROM prediction p JOIN forecast f ON f.id BETWEEN p.id * {STEPS} AND p.id * {STEPS} + {STEPS - 1}
ORDER BY p.issue, f.id"""

Row = Sequence[Any]


def issue_hash(previous: bytes, rows: Iterable[Row]) -> bytes:
    """The hash of an issue: of the one before it, and of every row as a line of JSON."""
    digest = hashlib.sha256(previous)
    for row in rows:
        digest.update(json.dumps(row, separators=(",", ":")).encode() + b"\n")
    return digest.digest()


def forecast_as_hashed(row: Row) -> Row:
    """A row of `forecast` as the hash covers it: without the tails' columns if all are empty, as before schema 2."""
    learned, tails = row[: -len(TAIL_COLUMNS)], row[-len(TAIL_COLUMNS) :]
    return learned if all(one is None for one in tails) else row


def chain_faults(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the chain: issues that are missing, or are not what was issued."""
    faults, previous, expected = [], FIRST, 1
    predictions, forecasts = (_by_issue(connection.execute(query)) for query in (_PREDICTIONS, _FORECASTS))
    for *issue, kept in connection.execute(_ISSUES):
        number = issue[0]
        if number != expected:
            faults.append(f"issue {expected} is missing")
        made = issue_hash(previous, [issue, *predictions(number), *map(forecast_as_hashed, forecasts(number))])
        if made != kept:
            faults.append(f"issue {number} is not what was issued, or the one before it isn't")
        previous, expected = kept, number + 1
    return faults


def _by_issue(rows: Iterable[Row]) -> Callable[[int], list[Row]]:
    """What hands out the rows of one issue after another, from rows in order that begin with their issue's number."""
    groups = groupby(rows, key=itemgetter(0))
    ahead = next(groups, None)

    def take(issue: int) -> list[Row]:
        nonlocal ahead
        while ahead is not None and ahead[0] < issue:
            ahead = next(groups, None)
        if ahead is None or ahead[0] != issue:
            return []
        found = [row[1:] for row in ahead[1]]
        ahead = next(groups, None)
        return found

    return take
