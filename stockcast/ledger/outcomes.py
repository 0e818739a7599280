"""Keeping outcomes: the first that was seen of a forecast for good, and every later one that differs, beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stockcast.ledger import clock
from stockcast.ledger.connection import appending
from stockcast.ledger.records import scaled

Seen = tuple[int, float]
"""A forecast's id and the log return that came."""


def keep_outcomes(path: Path, first: Sequence[Seen], revised: Sequence[Seen]) -> None:
    """Keep outcomes that were seen for the `first` time, and `revised` ones that differ from those that were kept.

    What another run has kept meanwhile stays as it is. Raises as `appending`.
    """
    with appending(path) as connection:
        now = int(clock.utc_now().timestamp())
        connection.executemany(
            "INSERT INTO outcome SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM outcome WHERE forecast = ?1)",
            [(forecast, scaled(move), now) for forecast, move in first],
        )
        connection.executemany(
            "INSERT INTO revision SELECT NULL, ?1, ?2, ?3 WHERE ?2 <> coalesce("
            "(SELECT move FROM revision WHERE forecast = ?1 ORDER BY id DESC LIMIT 1), "
            "(SELECT move FROM outcome WHERE forecast = ?1))",
            [(forecast, scaled(move), now) for forecast, move in revised],
        )
