"""A saved version as bytes: reading it, and refusing it unless every file is what the manifest says."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stockcast.errors import NotFound
from stockcast.store.atomic import reading
from stockcast.store.lock import in_use
from stockcast.store.manifest import LARGEST, MANIFEST, Manifest, parse_manifest
from stockcast.store.records import REMEDY, damaged, load, sha256


@dataclass(frozen=True)
class Bundle:
    """A trained model: its manifest and the content of its files, by name.

    To be saved it needs every file of its schema, `manifest.FILES_OF`; loaded for one purpose it may hold fewer.
    `digest` is the SHA-256 of the manifest's bytes, where they were read.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    digest: str = field(default="", compare=False)


def read_bundle(folder: Path, wanted: Collection[str] | None = None, manifest_sha256: str | None = None) -> Bundle:
    """The version in `folder` with the files `wanted`, each checked against the manifest and for its own soundness.

    None wants all that the version has. Raises `ModelDamaged` naming the file that is missing, stray, a link, too
    large, or not what was saved; `NotFound` if there is no such folder.
    """
    with in_use(folder) as descriptor:
        with reading(folder):
            there = set(os.listdir(descriptor))  # noqa: PTH208, pathlib takes no open folder
        if MANIFEST not in there:
            raise damaged(folder, f"{MANIFEST} is missing")
        page = read_limited(folder / MANIFEST, LARGEST[MANIFEST], descriptor)
        digest = sha256(page)
        if manifest_sha256 not in (None, digest):
            raise damaged(folder / MANIFEST, "it is not the one that was promoted")
        manifest = parse_manifest(page, folder / MANIFEST)
        if manifest.version != folder.name:
            raise damaged(folder / MANIFEST, f"it belongs to version {manifest.version}")
        for name in sorted(there ^ {MANIFEST, *manifest.files}):
            raise damaged(folder, f"{name!r} doesn't belong there" if name in there else f"{name} is missing")
        every = manifest.files if wanted is None else wanted
        files = {name: _read(folder / name, manifest.files[name], descriptor) for name in every}
        return Bundle(manifest, files, digest)


def _read(path: Path, expected: Mapping[str, object], descriptor: int) -> bytes:
    data = read_limited(path, LARGEST[path.name], descriptor)
    if len(data) != expected["size"]:
        raise damaged(path, f"it has {len(data)} bytes; the manifest says {expected['size']}")
    if sha256(data) != expected["sha256"]:
        raise damaged(path, "its content differs from the manifest's SHA-256")
    check_content(path, data)
    return data


def check_content(path: Path, data: bytes) -> None:
    """Refuse a file whose content could do harm or make no forecast, even where it is what the manifest says.

    Raises `ModelDamaged` for JSON that is no object, arrays that aren't finite floats, an ONNX network that reads other
    files or uses operators outside the standard, and text that isn't UTF-8.
    """
    if len(data) > LARGEST[path.name]:
        raise damaged(path, f"it has {len(data)} bytes; at most {LARGEST[path.name]} are allowed")
    if path.suffix == ".json":
        load(data, path)
    elif path.suffix == ".npz":
        from stockcast.store.arrays import decode_arrays

        decode_arrays(data, path)
    elif path.suffix == ".onnx":
        from stockcast.store.onnxfile import check_onnx

        check_onnx(data, path)
    else:
        _check_text(path, data)


def _check_text(path: Path, data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise damaged(path, "it is not UTF-8 text") from error


def read_limited(path: Path, largest: int, folder: int | None = None) -> bytes:
    """The content of a regular file of at most `largest` bytes; with `folder`, of that name in that open folder.

    Raises `ModelDamaged` for a link, another kind of file or more bytes, `NotFound`, `IOFailure`.
    """
    with reading(path):
        try:
            # O_NONBLOCK: opening a pipe must not wait for its writer.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(path if folder is None else path.name, flags, dir_fd=folder)
        except FileNotFoundError:
            raise NotFound(f"there is no {path}.", REMEDY) from None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise damaged(path, "it is not a regular file") from None
            raise
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise damaged(path, "it is not a regular file")
            if status.st_size > largest:
                raise damaged(path, f"it has {status.st_size} bytes; at most {largest} are allowed")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(status.st_size)
        finally:
            os.close(descriptor)
