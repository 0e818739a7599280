"""Writing that survives a crash: aside, flushed to the disk, then renamed or replaced.

A failure of the disk leaves here as one line with a fix. Nothing that was whole is ever opened for writing.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote

from stockcast.errors import CannotCreate, IOFailure, ModelDamaged, StockcastError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST}
_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an `OSError` while `path` is written into `CannotCreate` or `IOFailure`."""
    try:
        yield
    except OSError as error:
        raise _explain(error, path) from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an `OSError` while `path` is read into `IOFailure`."""
    try:
        yield
    except OSError as error:
        raise IOFailure(f"{path} can't be read: {_reason(error)}.", "check its permissions and the disk.") from error


def _explain(error: OSError, path: Path) -> StockcastError:
    what = f"{path} can't be written: {_reason(error)}."
    if error.errno in _FULL:
        return IOFailure(what, "free some space, for example with: stockcast models prune NAME")
    if error.errno in _FORBIDDEN | _NOWHERE:
        return CannotCreate(what, "choose another place (for models: --store DIR), or mend its permissions.")
    return IOFailure(what, "check the disk, then run it again.")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def refuse_link(path: Path) -> None:
    """Raise `ModelDamaged` where `path`, which may be missing, is a link: no change may lead out of the store."""
    with reading(path):
        if path.is_symlink():
            message = f"{path} is a link, and nothing is read or changed through it."
            raise ModelDamaged(message, f"take the link away, which leaves what it points to: rm {quote(str(path))}")


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, each flushed to the disk. Raises `CannotCreate` or `IOFailure`."""
    with writing(folder):
        if folder.is_dir():
            return
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _flush_folder(folder.parent)


def empty_folder(folder: Path) -> None:
    """Make `folder` an empty one: what lies in it, or in its place, is deleted. Raises as `make_folder`."""
    if folder.is_dir() and not folder.is_symlink():
        with writing(folder):
            left = os.listdir(folder)  # noqa: PTH208, quicker than pathlib
        for name in left:
            sweep(folder / name)
    else:
        sweep(folder)
        make_folder(folder)


def write_folder(temporary: Path, folder: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` into a new folder `temporary`, then rename it to `folder`, in the same file system.

    After a failure `folder` doesn't exist. Raises `CannotCreate` or `IOFailure`.
    """
    written = temporary
    with writing(folder):
        try:
            temporary.mkdir()
            for name, data in files.items():
                _write_new(temporary / name, data)
            _flush_folder(temporary)
            written = temporary.rename(folder)
            _flush_folder(folder.parent)
        except BaseException:
            # What can't be deleted now is swept by the next run.
            shutil.rmtree(written, ignore_errors=True)
            raise


def replace_file(temporary: Path, path: Path, data: bytes, like: os.stat_result | None = None) -> None:
    """Make `data` the content of `path`: a reader sees the old or the new, never a mixture.

    The file gets the owner and the mode of `like`, where that is given. After a failure `path` holds what it held
    before. Raises `CannotCreate` or `IOFailure`.
    """
    with writing(path):
        before = path.read_bytes() if path.is_file() else None
        try:
            _write_new(temporary, data, like)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        try:
            _flush_folder(path.parent)
        except BaseException:
            _put_back(temporary, path, before, like)
            raise


def _put_back(temporary: Path, path: Path, before: bytes | None, like: os.stat_result | None) -> None:
    if before is None:
        path.unlink()
    else:
        _write_new(temporary, before, like)
        temporary.replace(path)


@contextmanager
def appended(path: Path, line: bytes) -> Iterator[None]:
    """Add `line` to the end of `path`, after cutting off a line that a crash left torn; take it back if the body fails.

    Raises `CannotCreate` or `IOFailure`.
    """
    with writing(path), open(path, "a+b", buffering=0, opener=_open_plain) as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        try:
            write_all(file.fileno(), line)
            os.fsync(file.fileno())
            _flush_folder(path.parent)
            yield
        except BaseException:
            file.truncate(whole)
            raise


def take_away(path: Path, temporary: Path) -> None:
    """Take a file or folder away at one stroke: renamed to `temporary`, then deleted. Raises `IOFailure`."""
    with writing(path):
        path.rename(temporary)
        _flush_folder(path.parent)
    sweep(temporary)


def sweep(path: Path) -> None:
    """Delete a file or a whole folder, if it exists. Raises `IOFailure`."""
    with writing(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _write_new(path: Path, data: bytes, like: os.stat_result | None = None) -> None:
    with open(path, "xb", buffering=0, opener=_open_plain) as file:
        if like is not None:
            with suppress(PermissionError):  # only root may give a file away
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
        write_all(file.fileno(), data)
        os.fsync(file.fileno())


def _open_plain(path: str, flags: int) -> int:
    """An opener that refuses links and doesn't wait for a pipe's reader."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)


def write_all(descriptor: int, data: bytes) -> None:
    """Write `data` to an open file, however many calls that takes. Raises `OSError`."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
