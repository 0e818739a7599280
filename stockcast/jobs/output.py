"""Results into files that the user names: never into a price file or the store, and whole or not at all."""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import re
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from stockcast.errors import CannotCreate, DataError
from stockcast.store.atomic import replace_file, sweep, write_all, writing

PATIENCE: float = 10
"""Seconds to wait for somebody who reads the pipe that is written to."""

_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}


def check_output(path: Path, store: Path, inputs: Iterable[str | Path] = ()) -> None:
    """Refuse to write to one of the `inputs` (files, folders or globs, as `--csv` takes them) or into the `store`.

    A new file that would be among the inputs from now on is refused too. Raises `DataError`.
    """
    place = Path(os.path.realpath(path))
    if place.is_relative_to(os.path.realpath(store)):
        raise DataError(f"{path} lies in the store {store}.", "name another file with -o, outside of the store.")
    for text in inputs:
        if _is_among(path, str(text)):
            message = f"{path} is an input, now or the next time: {text} stands for it."
            raise DataError(message, "name another file with -o, in another folder if need be.")


def _is_among(path: Path, text: str) -> bool:
    given = Path(text)
    pattern = given / "*.csv" if given.is_dir() else given
    matching = [given] if given.is_file() else map(Path, glob.glob(str(pattern)))
    with suppress(FileNotFoundError):  # neither a new file nor one that is just gone is any of them
        return any(path.samefile(one) for one in matching) or _would_match(path, pattern)
    return _would_match(path, pattern)


def _would_match(path: Path, pattern: Path) -> bool:
    """Whether `glob` finds `path` by `pattern`, once it is there."""
    own, wanted = path.resolve().parts, pattern.resolve().parts
    return len(own) == len(wanted) and all(map(fnmatch.fnmatchcase, own, wanted))


def write_output(path: Path, data: bytes) -> None:
    """Make `data` the content of `path`, or of what it links to, and keep its mode and its owner.

    What is no regular file, such as a pipe or a device, is written to as it is. Raises `CannotCreate` or `IOFailure`;
    a regular file then holds what it held before.
    """
    with writing(path):
        known = _status(path)
        descriptor = _own_descriptor(path)
        if descriptor is not None:
            write_all(descriptor, data)
        elif known is not None and (stat.S_ISBLK(known.st_mode) or stat.S_ISDIR(known.st_mode)):
            kind = "disk" if stat.S_ISBLK(known.st_mode) else "folder"
            raise CannotCreate(f"{path} is a {kind}.", "name a file in it.")
        elif known is not None and not stat.S_ISREG(known.st_mode):
            _write_through(path, data)
        elif known is not None and not os.access(path, os.W_OK):
            raise CannotCreate(f"{path} may not be written.", "name another file, or change its mode.")
        else:
            place = Path(os.path.realpath(path))
            temporary = place.with_name(f".stockcast.{os.getpid()}")
            sweep(temporary)  # of a dead process with the same number
            replace_file(temporary, place, data, like=known)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _own_descriptor(path: Path) -> int | None:
    """The open file of this process that `path` stands for, which may hold earlier output that must stay."""
    match = _DESCRIPTOR.fullmatch(str(path))
    return int(match[1]) if match else _STANDARD.get(str(path))


def _write_through(path: Path, data: bytes) -> None:
    descriptor = _opened(path, time.monotonic() + PATIENCE)
    try:
        os.set_blocking(descriptor, True)
        write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _opened(path: Path, until: float) -> int:
    """`path` opened for writing, as soon as there is somebody who reads it."""
    while True:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(path.stat().st_mode):
                raise
            if time.monotonic() > until:
                raise CannotCreate(f"{path} is a pipe that nobody reads.", "start its reader first.") from None
            time.sleep(0.05)
