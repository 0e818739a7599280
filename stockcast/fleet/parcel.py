"""Values as bytes: what travels to a worker and back.

    stockcast parcel 1 | SHA-256 of all that follows | one line of JSON | the arrays, then the files, end to end

Nothing is unpickled on either side, and a single changed byte is noticed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.data.events.records import Events, events_of, rows_of
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import IOFailure, StockcastError
from stockcast.store.records import dump_line, load, sha256

_MAGIC = b"stockcast parcel 1\n"
_DTYPES = ("<f4", "<f8", "<i8")
_DATES = "dates"


@dataclass(frozen=True)
class Parcel:
    """Plain values of JSON, and beside them arrays (float32, float64 or int64) and the bytes of files, by name."""

    page: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


def pack(parcel: Parcel) -> bytes:
    """A parcel as bytes; equal parcels give equal bytes. Raises `ValueError` for NaN or infinity on its page."""
    arrays = {name: np.ascontiguousarray(one) for name, one in parcel.arrays.items()}
    head = {
        "page": dict(parcel.page),
        "arrays": [[name, one.dtype.str, list(one.shape)] for name, one in arrays.items()],
        "files": [[name, len(data)] for name, data in parcel.files.items()],
    }
    blobs = [*(one.tobytes() for one in arrays.values()), *parcel.files.values()]
    body = b"".join([dump_line(head), *blobs])
    return b"".join([_MAGIC, sha256(body).encode(), b"\n", body])


def unpack(data: bytes, whence: str) -> Parcel:
    """The parcel in `data`, whose arrays are read-only. Raises `IOFailure` for anything but what `pack` wrote."""
    try:
        digest, body = _parts(data)
        if sha256(body) != digest:
            raise ValueError("its SHA-256 is that of other bytes")
        end = body.index(b"\n") + 1
        head = load(body[:end], whence)
        return _filled(head, memoryview(body)[end:])
    except (KeyError, TypeError, ValueError, StockcastError) as error:
        raise not_as_sent(whence, str(error)[:80]) from error


def not_as_sent(whence: str, why: str) -> IOFailure:
    """The error for bytes that are not those that the other side sent, or that no sound worker sends."""
    return IOFailure(
        f"{whence} did not arrive as it was sent ({why}).",
        "run it again; if that happens more than once, look at the network and at the worker's own log.",
    )


def _parts(data: bytes) -> tuple[str, bytes]:
    start = len(_MAGIC)
    if not data.startswith(_MAGIC) or data[start + 64 : start + 65] != b"\n":
        raise ValueError("it does not begin as a parcel does")
    return data[start : start + 64].decode("ascii"), data[start + 65 :]


def _filled(head: Mapping[str, Any], rest: memoryview) -> Parcel:
    """The parcel whose arrays and files lie end to end in `rest`."""
    if head.keys() != {"page", "arrays", "files"}:
        raise ValueError("its first line is of something else")
    at, arrays, files = 0, {}, {}
    for name, dtype, shape in head["arrays"]:
        if dtype not in _DTYPES or not all(type(length) is int and length >= 0 for length in shape):
            raise ValueError(f"an array of {dtype} {shape}")
        size = math.prod(shape) * np.dtype(dtype).itemsize
        arrays[name] = np.frombuffer(rest[at : at + size], dtype).reshape(shape)
        at += size
    for name, size in head["files"]:
        files[name] = bytes(rest[at : at + size])
        at += size
    if at != len(rest):
        raise ValueError(f"{len(rest)} bytes for {at}")
    return Parcel(head["page"], arrays, files)


def panel_page(panel: Panel) -> list[dict[str, Any]]:
    """What a parcel's page says of a panel, whose numbers are `panel_arrays`."""
    return [
        {
            "name": one.name,
            "columns": list(one.columns),
            "decimals": one.decimals,
            "events": [[str(cell) for cell in row] for row in rows_of(one.events)],
        }
        for one in panel.series
    ]


def panel_arrays(panel: Panel) -> dict[str, NDArray[Any]]:
    """The dates, as days since 1970, and the columns of each series of a panel."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, one in enumerate(panel.series):
        arrays[f"{number}/{_DATES}"] = one.dates.astype("datetime64[D]").astype(np.int64)
        arrays |= {f"{number}/{column}": values for column, values in one.columns.items()}
    return arrays


def panel_of(page: list[dict[str, Any]], arrays: Mapping[str, NDArray[Any]]) -> Panel:
    """The panel that `panel_page` and `panel_arrays` describe."""
    return Panel(
        tuple(
            PriceSeries(
                one["name"],
                arrays[f"{number}/{_DATES}"].astype("datetime64[D]"),
                {column: arrays[f"{number}/{column}"] for column in one["columns"]},
                one["decimals"],
                _events_of(one["events"]),
            )
            for number, one in enumerate(page)
        )
    )


def _events_of(rows: list[list[str]]) -> Events:
    return events_of(
        [
            (np.datetime64(day, "D"), series, kind, when, np.datetime64(known, "D"))
            for day, series, kind, when, known in rows
        ]
    )
