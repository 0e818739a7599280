"""Whether an ONNX file is a plain network: no code, no other file, nothing outside the standard's own operators.

Some recurrent cells are loops over a window's sessions. A loop is a plain network's if it says beforehand how often it
runs, and if there is no other inside.

Reads the protocol buffer's outline only (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), so that no library
has to open a file that isn't known to be harmless.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from stockcast.store.records import damaged

_MOST_FIELDS = 50_000

_Field = tuple[int, memoryview]

_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}

# Field numbers of onnx.proto: those that hold further messages, and those that a plain network doesn't need.
_INNER: dict[str, dict[int, str]] = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "body", 10: "tensor"},
    "body": {1: "step", 5: "tensor"},
    "step": {5: "detail"},
    "detail": {5: "tensor", 10: "tensor"},
    "tensor": {},
}
_REFUSED: dict[str, dict[int, str]] = {
    "model": {20: "training steps", 25: "functions of its own"},
    "graph": {15: "sparse tensors"},
    "node": {},
    "attribute": {11: "branches", 22: "sparse tensors", 23: "sparse tensors"},
    "body": {15: "sparse tensors"},
    "step": {},
    "detail": {6: "a loop or a branch in a loop", 11: "branches", 22: "sparse tensors", 23: "sparse tensors"},
    "tensor": {13: "data in another file", 14: "data in another file"},
}
_STANDARD_DOMAINS = (b"", b"ai.onnx")
_DOMAIN, _DATA_TYPE, _RAW_DATA = 7, 2, 9
_NODE, _INPUT, _OPERATOR, _ATTRIBUTE, _BODY = 1, 1, 4, 5, 6
_INITIALIZER, _NAME, _WHOLE = 5, 8, 7
_MOST_TURNS = 2000  # the longest lookback
_FLOATS = {4: "<f4", 10: "<f8"}
_RAW_FLOATS = {1: "<f4", 11: "<f8"}


def check_onnx(data: bytes, where: object) -> None:
    """Raises `ModelDamaged` naming `where` unless `data` is a network of standard operators and finite weights."""
    try:
        fault = _first_fault(data)
    except (IndexError, ValueError) as error:
        raise damaged(where, "not an ONNX file") from error
    if fault:
        raise damaged(where, f"it has {fault}")


def _first_fault(data: bytes) -> str | None:
    pending = [("model", memoryview(data))]
    nodes, budget = 0, _MOST_FIELDS
    while pending:
        kind, message = pending.pop()
        fields = list(islice(_fields(message), budget + 1))
        nodes += kind == "node"
        budget -= len(fields)
        fault = f"more than {_MOST_FIELDS} parts" if budget < 0 else _fault(kind, fields)
        if fault:
            return fault
        inner = _INNER[kind]
        pending += [(inner[number], value) for number, value in fields if number in inner]
    return None if nodes else "no network"


def _fault(kind: str, fields: list[_Field]) -> str | None:
    for number, value in fields:
        if number in _REFUSED[kind] and any(value):
            return _REFUSED[kind][number]
    if kind in ("node", "step"):
        return _foreign(fields)
    if kind == "graph":
        return _unbounded(fields)
    if kind == "tensor" and not _is_finite(fields):
        return "weights that are NaN or infinite"
    return None


def _foreign(node: list[_Field]) -> str | None:
    for number, value in node:
        if number == _DOMAIN and bytes(value) not in _STANDARD_DOMAINS:
            return f"an operator from {bytes(value)[:60].decode(errors='replace')!r}"
    return None


def _unbounded(graph: list[_Field]) -> str | None:
    """A node that runs other nodes, unless it is a loop whose number of turns is a small constant."""
    turns: dict[bytes, list[int]] = {}
    for number, value in graph:
        if number == _INITIALIZER:
            tensor = dict(_fields(value))
            if _DATA_TYPE in tensor and tensor[_DATA_TYPE] == bytes([_WHOLE]) and len(tensor.get(_RAW_DATA, b"")) == 8:
                turns.setdefault(bytes(tensor.get(_NAME, b"")), []).append(int.from_bytes(tensor[_RAW_DATA], "little"))
    for node in (list(_fields(value)) for number, value in graph if number == _NODE):
        if not any(number == _ATTRIBUTE and _BODY in dict(_fields(value)) for number, value in node):
            continue
        first = next((bytes(value) for number, value in node if number == _INPUT), b"")
        known = turns.get(first, [_MOST_TURNS + 1])
        if [bytes(value) for number, value in node if number == _OPERATOR] != [b"Loop"] or max(known) > _MOST_TURNS:
            return "a branch, or a loop without a known end"
    return None


def _is_finite(tensor: list[_Field]) -> bool:
    kinds = dict(_FLOATS)
    for number, value in tensor:
        if number == _DATA_TYPE and (kind := _varint(value, 0)[0]) in _RAW_FLOATS:
            kinds[_RAW_DATA] = _RAW_FLOATS[kind]
    return all(np.isfinite(np.frombuffer(value, kinds[number])).all() for number, value in tensor if number in kinds)


def _fields(message: memoryview) -> Iterator[_Field]:
    """The number and the bytes of each field. Raises `IndexError` or `ValueError` where the buffer breaks off."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        start = at
        if wire == _VARINT:
            _, at = _varint(message, at)
        elif wire == _BYTES:
            size, start = _varint(message, at)
            at = start + size
        elif wire in _FIXED:
            at += _FIXED[wire]
        else:
            raise ValueError(f"wire type {wire}")
        if at > len(message):
            raise IndexError
        yield number, message[start:at]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at `at`, seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than ten bytes")
