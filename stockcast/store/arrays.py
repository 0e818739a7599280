"""Named arrays as an .npz file, read without unpickling, unpacking or believing anything it says of its own size."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.store.records import damaged

_KINDS = {np.dtype("<f4"), np.dtype("<f8")}
_LONGEST_HEADER = 4096


def encode_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of an uncompressed .npz file of float32 or float64 arrays; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return buffer.getvalue()


def decode_arrays(data: bytes, where: object) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file, in its order, read-only.

    Raises `ModelDamaged` naming `where` for anything but uncompressed float32 or float64 arrays of finite numbers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > len(data):
                raise damaged(where, "its arrays claim to be larger than the file")
            arrays = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name in arrays or member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
                    raise damaged(where, f"{member.filename[:60]!r} is not an array stored once and uncompressed")
                arrays[name] = _decode(archive.read(member), f"{where}: {name[:60]!r}")
            return arrays
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise damaged(where, f"not an .npz file ({str(error)[:80]})") from error


def _decode(data: bytes, where: str) -> NDArray[Any]:
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise damaged(where, "not an array of .npy version 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=_LONGEST_HEADER)
    body = data[file.tell() :]
    if dtype not in _KINDS or fortran or any(length < 0 for length in shape):
        raise damaged(where, f"dtype {dtype}, shape {shape} instead of little-endian floats in C order")
    if math.prod(shape) * dtype.itemsize != len(body):
        raise damaged(where, f"{len(body)} bytes for shape {shape} of {dtype}")
    array = np.frombuffer(body, dtype).reshape(shape)
    if not np.isfinite(array).all():
        raise damaged(where, "it has numbers that are NaN or infinite")
    return array
