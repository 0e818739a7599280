"""Putting an issue into the ledger: all forecasts of one command, in one transaction, with what is decided at once.

Whether a forecast counts is settled when it is issued and never again: it must come before its session opens, and be
the first to do so for its series, origin and session.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.data.trading_calendars import keeps_one_rule, openings, sessions_between
from stockcast.ledger import clock
from stockcast.ledger.chain import FIRST, Row, forecast_as_hashed, issue_hash
from stockcast.ledger.connection import appending
from stockcast.ledger.quantiles import to_distances
from stockcast.ledger.records import Issue, ModelForecast, SeriesForecast, day_number, scaled
from stockcast.ledger.schema import LATE, LIVE, MEDIAN, QUANTILE_COLUMNS, SCALE, STEPS, SUPERSEDED
from stockcast.version import __version__

CLOCK_SLACK = 120
"""Seconds by which a clock may be put back before it is doubted."""

EARLIEST_DAY = 14 * 3600
"""No session begins sooner than so many seconds before its date does in UTC: the first time zone is 14 hours ahead."""

DAY = 86_400
YEAR = np.timedelta64(366, "D")

Openings = Mapping[tuple[str, int], int]
"""When sessions of an exchange open, in seconds of UTC, by its calendar and the day."""


def append_issue(path: Path, models: Sequence[ModelForecast]) -> Issue:
    """Keep what `models` forecast as one issue. After a failure nothing of it is in the ledger.

    Raises as `appending`.
    """
    found: dict[tuple[str, int], int] = {}
    while True:
        with appending(path) as connection:
            _keep_openings(connection, found)
            missing = _missing_openings(_openings(connection), models)
            if not missing:
                return _Writer(connection).append(models)
        # Nobody is made to wait while an exchange is asked, which may take a second; it happens once a year.
        found = {key: second for calendar, days in missing.items() for key, second in _a_year_of(calendar, days)}


def _missing_openings(known: Openings, models: Sequence[ModelForecast]) -> dict[str, list[int]]:
    """The days, by their exchange, of which the ledger doesn't know yet when they begin."""
    wanted = {(one.calendar, day_number(day)) for one in models for part in one.series for day in part.targets}
    missing: dict[str, list[int]] = {}
    for calendar, day in wanted - known.keys():
        if not keeps_one_rule(calendar):
            missing.setdefault(calendar, []).append(day)
    return missing


def _a_year_of(calendar: str, days: Sequence[int]) -> Iterator[tuple[tuple[str, int], int]]:
    """When an exchange's sessions open, and those `days`, from the first of them on for a year."""
    first = np.datetime64(min(days), "D")
    every = np.union1d(np.array(days, "datetime64[D]"), sessions_between(calendar, first, first + YEAR))
    for day, second in zip(every, openings(calendar, every).astype(np.int64), strict=True):
        yield (calendar, day_number(day)), int(second)


def _keep_openings(connection: sqlite3.Connection, found: Openings) -> None:
    """Keep those that no other run has kept meanwhile."""
    connection.executemany(
        "INSERT INTO opening SELECT ?1, ?2, ?3 WHERE NOT EXISTS "
        "(SELECT 1 FROM opening WHERE calendar = ?1 AND session = ?2)",
        [(calendar, session, opens_at) for (calendar, session), opens_at in found.items()],
    )


def _openings(connection: sqlite3.Connection) -> dict[tuple[str, int], int]:
    return {(calendar, day): second for calendar, day, second in connection.execute("SELECT * FROM opening")}


class _Writer:
    """One issue on its way into an open transaction, which it shares with nobody."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.openings: Openings = _openings(connection)
        self.number, self.previous = self._last("issue", "hash", FIRST)
        self.prediction = self._last("prediction", "id", 0)[0]

    def _last(self, table: str, column: str, otherwise: Any) -> tuple[int, Any]:
        row = self.connection.execute(f"SELECT id, {column} FROM {table} ORDER BY id DESC LIMIT 1").fetchone()
        return row or (0, otherwise)

    def append(self, models: Sequence[ModelForecast]) -> Issue:
        """Write the issue and hand back its receipt."""
        # The clock is read when no other writer can come before: the order of issues is that of their moments.
        now = int(clock.utc_now().timestamp())
        behind = self._clock_behind(now, models)
        predictions: list[Row] = []
        forecasts: list[Row] = []
        described: list[Row] = []
        for one in models:
            version = self._version_id(one)
            for part in one.series:
                self.prediction += 1
                series = self._series_id(one, part)
                statuses = self._statuses(one, part, series, now, behind)
                facts = _facts(part)
                predictions.append((self.prediction, self.number + 1, version, series, *facts))
                described.append(_described(self.prediction, one, part.series, facts))
                forecasts += _rows(self.prediction, part, statuses)
        live, late, superseded = (sum(row[1] == status for row in forecasts) for status in (LIVE, LATE, SUPERSEDED))
        issue = Issue(self.number + 1, now, live, late, superseded, behind)
        self._insert(issue, predictions, forecasts, described)
        return issue

    def _insert(self, issue: Issue, predictions: list[Row], forecasts: list[Row], described: list[Row]) -> None:
        row = (issue.number, issue.issued_at, issue.clock_behind, issue.live + issue.superseded, __version__)
        digest = issue_hash(self.previous, [row, *described, *map(forecast_as_hashed, forecasts)])
        self.connection.execute("INSERT INTO issue VALUES (?, ?, ?, ?, ?, ?)", (*row, digest))
        self.connection.executemany("INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?)", predictions)
        columns = ("id", "status", "target", "point", *QUANTILE_COLUMNS)
        places = ", ".join("?" * len(columns))
        self.connection.executemany(f"INSERT INTO forecast ({', '.join(columns)}) VALUES ({places})", forecasts)

    def _clock_behind(self, now: int, models: Sequence[ModelForecast]) -> int:
        """By how many seconds the clock lags behind the last issue in time, or behind an origin, if it surely does."""
        newest = max(day_number(part.origin) for one in models for part in one.series)
        (last,) = self.connection.execute(
            "SELECT coalesce(max(issued_at), 0) FROM (SELECT issued_at FROM issue WHERE in_time > 0 "
            "ORDER BY id DESC LIMIT 1)"
        ).fetchone()
        behind = max(int(last) - now - CLOCK_SLACK, newest * DAY - EARLIEST_DAY - now)
        return max(behind, 0)

    def _statuses(self, one: ModelForecast, part: SeriesForecast, series: int, now: int, behind: int) -> list[int]:
        """Of each step, whether it counts."""
        taken = {
            target
            for (target,) in self.connection.execute(
                f"SELECT f.target FROM prediction p JOIN forecast f ON f.id BETWEEN p.id * {STEPS} AND "
                f"p.id * {STEPS} + {STEPS - 1} WHERE p.series = ? AND p.origin = ? AND f.status = {LIVE}",
                (series, day_number(part.origin)),
            )
        }
        statuses = []
        for day in map(day_number, part.targets):
            late = behind > 0 or now >= self.openings.get((one.calendar, day), day * DAY)
            statuses.append(LATE if late else SUPERSEDED if day in taken else LIVE)
        return statuses

    def _version_id(self, one: ModelForecast) -> int:
        key = (one.model, one.version, one.manifest_sha256)
        where = "model = ? AND version = ? AND manifest_sha256 = ?"
        rest = (one.config, one.config_digest, day_number(one.cutoff), one.calendar)
        return self._id_of("version", where, key, rest)

    def _series_id(self, one: ModelForecast, part: SeriesForecast) -> int:
        return self._id_of("series", "model = ? AND name = ? AND price = ?", (one.model, part.series, one.price), ())

    def _id_of(self, table: str, where: str, key: tuple[str, ...], rest: tuple[Any, ...]) -> int:
        """The row of this key, made with `rest` where there is none."""
        found = self.connection.execute(f"SELECT id FROM {table} WHERE {where}", key).fetchone()
        if found:
            return int(found[0])
        places = ", ".join("?" * len((*key, *rest)))
        return self.connection.execute(f"INSERT INTO {table} VALUES (NULL, {places})", (*key, *rest)).lastrowid or 0


def _facts(part: SeriesForecast) -> tuple[int, float, int | None, bytes]:
    return day_number(part.origin), float(part.last), scaled(part.before), part.fingerprint


def _described(prediction: int, one: ModelForecast, series: str, facts: tuple[Any, ...]) -> Row:
    """A prediction as the hash covers it: with the words that its numbers stand for."""
    version = (one.model, one.version, one.manifest_sha256, one.config, one.config_digest, day_number(one.cutoff))
    *numbers, fingerprint = facts
    return (prediction, *version, one.calendar, one.model, series, one.price, *numbers, fingerprint.hex().upper())


def _rows(prediction: int, part: SeriesForecast, statuses: Sequence[int]) -> Iterator[Row]:
    """The rows of `forecast`: id, status, target, point where it isn't the median, and the quantiles."""
    kept = to_distances(part.quantiles, part.opponents)
    points = np.round(part.point * SCALE)
    for at, target in enumerate(part.targets):
        point = None if points[at] == kept[at, MEDIAN] else int(points[at])
        row = [None if np.isnan(number) else int(number) for number in kept[at]]
        yield (prediction * STEPS + at + 1, statuses[at], day_number(target), point, *row)
