"""What the ledger of a store holds of a model."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np

from stockcast.ledger.connection import consult, ledger_path
from stockcast.ledger.live_record import LiveRecord, newest_price, read_record


def recorded_of(
    store: Path, name: str, since: np.datetime64 | None = None, version: str | None = None
) -> tuple[LiveRecord | None, str]:
    """What was recorded of a model, None if nothing was, and which column of the prices; from `since` on, or all.

    Raises `NotFound` where there is no ledger, and as `consult` does.
    """

    def find(connection: sqlite3.Connection) -> tuple[LiveRecord | None, str]:
        column = newest_price(connection, name) or ""
        return read_record(connection, name, column, since, version), column

    return consult(ledger_path(store), find)
