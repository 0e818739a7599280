"""The disk edge of reading: the bytes of one regular local file, whole and unpacked."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from stockcast.errors import Busy, DataError, IOFailure, NotFound

MAX_BYTES = 120_000_000
TRIES = 3


@dataclass(frozen=True)
class Source:
    """A file's content after unpacking; `sha256` is of the bytes on disk."""

    path: Path
    content: bytes
    sha256: str


def load_source(path: Path) -> Source:
    """Read a plain, .gz or .zip file; what it is packed with is seen from its bytes, not from its name.

    Raises `NotFound`, `DataError` (not a regular file, too large, damaged archive), `Busy` if the file was changed
    during each of three tries, `IOFailure` if the system refuses.
    """
    try:
        packed = _read_unchanged(path)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}.", "give the path of a local file.") from error
    except OSError as error:
        raise IOFailure(f"{path} can't be read: {error.strerror}.", "check the file's permissions.") from error
    return Source(path, _unpack(path, packed), hashlib.sha256(packed).hexdigest())


def _read_unchanged(path: Path) -> bytes:
    _check_regular(path, path.stat())
    for _ in range(TRIES):
        # Without O_NONBLOCK, opening a pipe that just took the file's place would wait for a writer.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            before = os.fstat(file.fileno())
            _check_regular(path, before)
            content = file.read(before.st_size + 1)
        if _mark(path.stat()) == _mark(before) and len(content) == before.st_size:
            return content
    raise Busy(f"{path} was changed while it was read, {TRIES} times.", "try again when the file is complete.")


def _mark(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, a socket or a device"
        raise DataError(f"{path} is {kind}, not a file.", "give a regular file.")
    if status.st_size > MAX_BYTES:
        raise _too_large(path)


def _too_large(path: Path) -> DataError:
    return DataError(
        f"{path} holds more than {MAX_BYTES // 1_000_000} MB.", "split it, for example into one file for each ticker."
    )


def _unpack(path: Path, packed: bytes) -> bytes:
    if packed.startswith(b"\x1f\x8b"):
        return _limited(path, gzip.GzipFile(fileobj=io.BytesIO(packed)))
    if packed.startswith(b"PK\x03\x04"):
        return _unzip(path, packed)
    return packed


def _unzip(path: Path, packed: bytes) -> bytes:
    try:
        archive = zipfile.ZipFile(io.BytesIO(packed))
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if "[Content_Types].xml" in names or "mimetype" in names:
            raise DataError(f"{path} is a spreadsheet, not a CSV file.", "open it and save the sheet as CSV.")
        if len(names) != 1:
            raise DataError(f"{path} holds {len(names)} files, not one.", "unpack it and give the file that is meant.")
        return _limited(path, archive.open(names[0]))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path} can't be unpacked: {error}.", "unpack it by other means.") from error


def _limited(path: Path, stream: IO[bytes] | gzip.GzipFile) -> bytes:
    try:
        with stream:
            content = stream.read(MAX_BYTES + 1)
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is packed and damaged: {error}.", "copy or download it again.") from error
    if len(content) > MAX_BYTES:
        raise _too_large(path)
    return content
