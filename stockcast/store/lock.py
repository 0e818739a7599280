"""Who may change a model, and which version is being read: kernel locks, free when their holder dies.

They hold on a local file system; over a network one host may not see another's lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stockcast.errors import Busy, NotFound
from stockcast.store.atomic import reading, writing
from stockcast.store.records import damaged


@contextmanager
def hold(path: Path, name: str, doing: str = "changing the model") -> Iterator[None]:
    """Hold the lock file `path` of model `name`; nested holding in one thread is fine. The file stays after release.

    `doing` is what the holder does, for the message of those who find it held.

    Raises `Busy` at once if another process or thread holds it, `CannotCreate` or `IOFailure` if it can't be opened.
    """
    from filelock import FileLock, Timeout

    # One object per path makes nesting work across stores. Preserving the file also rules out filelock's fallback
    # to a lock that outlives its holder.
    lock = FileLock(path, timeout=0, is_singleton=True, preserve_lock_file=True)
    with writing(path):
        try:
            lock.acquire()
        except Timeout:
            busy = f"another run{_holder(path)} is {doing} {name!r}."
            raise Busy(busy, "try again when it has ended.") from None
    try:
        yield
    finally:
        with writing(path):
            lock.release()


def _holder(path: Path) -> str:
    """The holder's process id in brackets, where the kernel tells it."""
    try:
        status = path.stat()
        locks = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return ""
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    held = (line.split() for line in locks)  # number, kind, mode, access, process, file, start, end
    return next((f" (process {fields[4]})" for fields in held if fields[1] == "FLOCK" and fields[5] == file), "")


@contextmanager
def in_use(folder: Path) -> Iterator[int]:
    """Keep `folder` from being deleted while it is read; yields its file descriptor. Needs no right to write.

    Raises `NotFound` if there is no such folder or it is just being deleted, `ModelDamaged` if it is a link or a file.
    """
    with _opened(folder) as descriptor:
        if not _flock(descriptor, fcntl.LOCK_SH, folder):
            raise NotFound(f"{folder} is just being deleted.", "see: stockcast models list")
        yield descriptor


@contextmanager
def unused(folder: Path) -> Iterator[bool]:
    """Whether nobody reads `folder`; if so, nobody can begin to until this context ends."""
    with _opened(folder) as descriptor:
        yield _flock(descriptor, fcntl.LOCK_EX, folder)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    with reading(folder):
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound(f"there is no {folder}.", "see: stockcast models list") from None
        except NotADirectoryError:
            raise damaged(folder, "not a folder, or a link") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _flock(descriptor: int, kind: int, folder: Path) -> bool:
    with reading(folder):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
