"""Named arrays as an .npz file, read without unpickling, unpacking or believing anything it says of its own size."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.store.records import damaged

# Magic, version 1.0, the length of the header, and the header as numpy writes it: a Python literal that is matched,
# never evaluated. See numpy.lib.format.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(?P<dtype><f[48])', 'fortran_order': False, "
    rb"'shape': \((?P<shape>(?:\d{1,9}, )*(?:\d{1,9},?)?)\), \} *\n",
    re.DOTALL,
)


def encode_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of an uncompressed .npz file of float32 or float64 arrays; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return buffer.getvalue()


def decode_arrays(data: bytes, where: object) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file, in its order, read-only.

    Raises `ModelDamaged` naming `where` for anything but uncompressed float32 or float64 arrays of finite numbers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            arrays: dict[str, NDArray[Any]] = {}
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name in arrays or member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
                    raise damaged(where, f"{member.filename[:60]!r} is not an array stored once and uncompressed")
                arrays[name] = _decode(archive.read(member), f"{where}: {name[:60]!r}")
            return arrays
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise damaged(where, f"not an .npz file ({str(error)[:80]})") from error


def _decode(data: bytes, where: str) -> NDArray[Any]:
    header = _HEADER.match(data)
    if header is None:
        raise damaged(where, "not little-endian floats in C order, as .npy version 1.0")
    dtype = np.dtype(header["dtype"].decode())
    shape = tuple(int(length) for length in re.findall(rb"\d+", header["shape"]))
    body = data[header.end() :]
    if math.prod(shape) * dtype.itemsize != len(body):
        raise damaged(where, f"{len(body)} bytes for shape {shape} of {dtype}")
    array = np.frombuffer(body, dtype).reshape(shape)
    if not np.isfinite(array).all():
        raise damaged(where, "it has numbers that are NaN or infinite")
    return array
