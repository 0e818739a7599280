"""Whether a ledger's file is sound, and has the tables, triggers and views that were made."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from stockcast.ledger.schema import MIGRATIONS

Recorded = tuple[str, str, str]
"""A version in the ledger: its model, its name and the SHA-256 of its manifest."""

_MOST_NAMED = 10


def file_faults(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with the file, references that lead nowhere, and tables or triggers that were changed."""
    said = [str(line) for (line,) in connection.execute(f"PRAGMA integrity_check({_MOST_NAMED})")]
    if said != ["ok"]:
        return said
    loose = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_NAMED)
    faults = [f"row {row} of {table} refers to a row of {parent} that is not there" for table, row, parent, _ in loose]
    kept, made = _schema(connection), _fresh_schema()
    faults += [f"{name} is missing" for name in sorted(made.keys() - kept.keys())]
    faults += [
        f"{name} is not what stockcast made" for name in sorted(made) if kept.get(name, made[name]) != made[name]
    ]
    return faults + [f"{name} was added" for name in sorted(kept.keys() - made.keys())]


def recorded_versions(connection: sqlite3.Connection) -> list[Recorded]:
    """Every version that the ledger names."""
    return connection.execute("SELECT model, version, manifest_sha256 FROM version ORDER BY id").fetchall()


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"))


def _fresh_schema() -> dict[str, str]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for statements in MIGRATIONS:
            for statement in statements:
                fresh.execute(statement)
        return _schema(fresh)
