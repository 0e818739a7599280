"""Opening the ledger: one writer at a time, readers at any time, and every failure of SQLite as one line with a fix."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import TypeVar
from urllib.parse import quote

from stockcast.errors import Busy, CannotCreate, DataError, IOFailure, LedgerDamaged, NotFound, StockcastError
from stockcast.ledger.schema import APPLICATION_ID, MIGRATIONS

LEDGER = "ledger.sqlite"

LONGEST_WAIT = 30.0
"""Seconds that a writer waits for the others, of whom each takes some milliseconds."""

_RETRIES, _PAUSE = 20, 0.05
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_Found = TypeVar("_Found")


class OutdatedLedger(DataError):
    """The ledger has an older schema, which the next writer will bring up to date."""


def ledger_path(store: Path) -> Path:
    """Where the ledger of the store in this folder is."""
    return store / LEDGER


@contextmanager
def appending(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction that is kept as a whole when the body ends, and not at all when it fails or the process dies.

    The ledger is made where there is none, and brought to the newest schema. Writers wait for each other, readers for
    nobody. Raises `Busy` after `LONGEST_WAIT`, `CannotCreate`, `IOFailure` for a full disk, `LedgerDamaged`, and
    `DataError` for a ledger of a newer stockcast.
    """
    with _explained(path):
        _demand_plain(path)
        with _sole_writer(path), closing(_connect(path, "rwc")) as connection:
            _schema_version(connection, path)  # another program's file is not to be touched
            connection.execute("PRAGMA foreign_keys = ON")
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            with _transaction(connection):
                _migrate(connection, path)
            with _transaction(connection):
                yield connection


def consult(path: Path, work: Callable[[sqlite3.Connection], _Found]) -> _Found:
    """What `work` finds in the ledger as it stands at one moment; needs no right to write.

    Raises `NotFound` where there is none, `LedgerDamaged`, `IOFailure`, `DataError` for one of a newer stockcast, and
    `OutdatedLedger` for one of an older.
    """
    if not path.exists():
        raise _no_ledger(path)
    with _explained(path):
        _demand_plain(path)
        try:
            with closing(_connect(path, "rw")) as connection:
                return _snapshot(connection, path, work)
        except sqlite3.OperationalError as error:
            if not _has_no_room(error) and _primary(error) not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            return _read_unwritable(path, work)


def _read_unwritable(path: Path, work: Callable[[sqlite3.Connection], _Found]) -> _Found:
    """The same in a folder or on a disk where SQLite can't put the files that readers and writers talk by.

    Then it can't know of a writer, so the file must be the same before and after, and have no log of what is not in
    it yet, or it is read again.
    """
    for _ in range(_RETRIES):
        before = _state(path)
        if before[-1]:
            sleep(_PAUSE)
            continue
        try:
            with closing(_connect(path, "ro&immutable=1")) as connection:
                found = _snapshot(connection, path, work)
        except sqlite3.DatabaseError:
            if _state(path) == before:
                raise
            continue
        if _state(path) == before:
            return found
    raise Busy(
        f"{path} is being written to, or was left open by a run that died.",
        "try again later, or let its owner run stockcast score once.",
    )


def _state(path: Path) -> tuple[int, int, bool]:
    """What changes with every change to a ledger: its time and size, and whether there is a log beside it."""
    status = path.stat()
    log = path.with_name(f"{path.name}-wal")
    return status.st_mtime_ns, status.st_size, log.exists() and log.stat().st_size > 0


def _snapshot(connection: sqlite3.Connection, path: Path, work: Callable[[sqlite3.Connection], _Found]) -> _Found:
    connection.execute("BEGIN")
    version = _schema_version(connection, path)
    if version == 0:  # the run that made it was killed, and left an empty file
        raise _no_ledger(path)
    if version < len(MIGRATIONS):
        raise OutdatedLedger(
            f"{path} has schema {version}; this stockcast reads schema {len(MIGRATIONS)}.",
            "record a forecast, which brings it up to date: stockcast predict --record",
        )
    return work(connection)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    if sqlite3.sqlite_version_info < (3, 37):
        raise StockcastError(f"this Python has SQLite {sqlite3.sqlite_version}.", "use one with SQLite 3.37 or newer.")
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=LONGEST_WAIT)


@contextmanager
def _sole_writer(path: Path) -> Iterator[None]:
    """Hold the lock of all writers, which the kernel frees when its holder dies.

    SQLite has a lock of its own, but whoever waits for that tries again now and then, and of many some never get it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        if not _locked(descriptor):
            raise Busy(f"another run has been writing to {path} for {LONGEST_WAIT:.0f} s.", "try again later.")
        yield
    finally:
        os.close(descriptor)  # which frees the lock, also one that comes too late


def _locked(descriptor: int) -> bool:
    """Wait for the lock in the kernel's own queue, where nobody is passed over; False after `LONGEST_WAIT`."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held = Event()
        Thread(target=_wait_for_lock, args=(descriptor, held), daemon=True).start()
        return held.wait(LONGEST_WAIT)
    return True


def _wait_for_lock(descriptor: int, held: Event) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    held.set()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled it back already
            connection.execute("ROLLBACK")
        raise


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date, all steps in the caller's transaction."""
    version = _schema_version(connection, path)
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    if version < len(MIGRATIONS):
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema of the ledger, 0 if it is an empty file. Raises `LedgerDamaged` or `DataError` for what is none."""
    (application,), (version,) = (
        connection.execute(f"PRAGMA {key}").fetchone() for key in ("application_id", "user_version")
    )
    if (application, version) == (0, 0) and not connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
        return 0
    if application != APPLICATION_ID:
        raise ledger_damaged(path, "it is another program's database")
    if version > len(MIGRATIONS):
        raise DataError(
            f"{path} has schema {version}; this stockcast knows those up to {len(MIGRATIONS)}.",
            "use the stockcast that wrote it, or a newer one.",
        )
    return int(version)


def _demand_plain(path: Path) -> None:
    """A link could lead out of the store, and a pipe would be waited for."""
    if path.is_symlink() or (path.exists() and not stat.S_ISREG(path.stat().st_mode)):
        raise ledger_damaged(path, "it is not a regular file")


def _no_ledger(path: Path) -> NotFound:
    return NotFound(
        f"there is no ledger {path}: no forecast was recorded.", "record the next one: stockcast predict --record"
    )


def ledger_damaged(path: Path, what: str) -> LedgerDamaged:
    """The error for a ledger that is not what it must be."""
    return LedgerDamaged(
        f"{path} is damaged: {what}.",
        "put back a copy from a backup, or move the file away to begin a new record; see: stockcast score --verify",
    )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system complain of into errors with a fix."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a fault of stockcast itself
    except sqlite3.DatabaseError as error:
        raise _explain(error, path) from error
    except OSError as error:
        what = f"{path} can't be written: {(error.strerror or str(error)).lower()}."
        kind = IOFailure if error.errno in _FULL else CannotCreate
        raise kind(what, "free some space, or mend the folder's permissions.") from error


def _explain(error: sqlite3.DatabaseError, path: Path) -> StockcastError:
    code, said = _primary(error), str(error).rstrip(".")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return ledger_damaged(path, said)
    if _has_no_room(error):
        return IOFailure(f"{path} can't be written: no space left on device.", "free some space, then run it again.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(f"another program holds {path}: {said}.", "try again when it has ended.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return CannotCreate(f"{path} can't be opened or written: {said}.", "mend its permissions and its folder's.")
    if code == sqlite3.SQLITE_IOERR:
        return IOFailure(f"{path}: {said} ({error.sqlite_errorname}).", "check the disk and its space.")
    return ledger_damaged(path, said)


def _has_no_room(error: sqlite3.Error) -> bool:
    """Whether the disk is full, be it for the ledger itself or for the index of its log."""
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; the bits above it only tell more of the same."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
