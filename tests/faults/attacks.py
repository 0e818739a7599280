"""Damaged and malicious models: for each kind the file that must be named, and how to make it from a sound store.

Where an attack is `sealed`, every size, checksum and name has been made to match: only the content gives it away.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sample import make_bundle, make_onnx, part

from stockcast.store.champion import Champion
from stockcast.store.manifest import FILES, LARGEST, MANIFEST, SCHEMA, file_digests
from stockcast.store.records import dump, sha256
from stockcast.store.store import Store

NAME = "acme"
Attack = Callable[[Store], None]


def folder(store: Store) -> Path:
    """Where the champion's files are."""
    return store.root / NAME / "versions" / store.champion(NAME).version


def install(store: Store, table: dict[str, Any], files: dict[str, bytes], version: str | None = None) -> None:
    """Let a version with this manifest and these files serve, with every checksum right."""
    digest = sha256(dump({**table, "version": ""}))
    version = version or f"20261201T000000Z-{digest[:8]}"
    page = dump({**table, "version": version})
    place = store.root / NAME / "versions" / version
    place.mkdir()
    for name, data in {**files, MANIFEST: page}.items():
        (place / name).write_bytes(data)
    pointer = Champion(version, sha256(page), "2026-12-01T00:00:00Z", "attack", None)
    (store.root / NAME / "champion.json").write_bytes(pointer.encode())


def sealed(name: str, data: bytes | Callable[[], bytes]) -> Attack:
    """The file `name` with other content, in an otherwise matching version."""

    def attack(store: Store) -> None:
        content = data if isinstance(data, bytes) else data()
        files = {**make_bundle().files, name: content}
        sound = store.load(NAME).manifest
        install(store, json.loads(replace(sound, files=file_digests(files)).encode()), files)

    return attack


def sealed_manifest(**changes: Any) -> Attack:
    """Keys of the manifest changed, or left out where the new value is `...`, in an otherwise matching version."""

    def attack(store: Store) -> None:
        table = json.loads(store.load(NAME).manifest.encode()) | changes
        kept = {key: value for key, value in table.items() if value is not ...}
        install(store, kept, dict(store.load(NAME).files), changes.get("version"))

    return attack


def edited(name: str, edit: Callable[[bytes], bytes]) -> Attack:
    """One file of the champion changed, the manifest left as it is."""

    def attack(store: Store) -> None:
        path = folder(store) / name
        path.write_bytes(edit(path.read_bytes()))

    return attack


def replaced(name: str, make: Callable[[Path], object]) -> Attack:
    """One file of the champion replaced by something else."""

    def attack(store: Store) -> None:
        path = folder(store) / name
        path.rename(store.root / "aside")
        make(path)

    return attack


def pointer(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Attack:
    """champion.json changed, its own checksum made to match."""

    def attack(store: Store) -> None:
        path = store.root / NAME / "champion.json"
        table = json.loads(path.read_bytes())
        del table["sha256"]
        table = edit(table)
        path.write_bytes(dump({**table, "sha256": sha256(dump(table))}))

    return attack


def _bytes_of_pointer(data: bytes) -> Attack:
    def attack(store: Store) -> None:
        (store.root / NAME / "champion.json").write_bytes(data)

    return attack


def _linked_pointer(store: Store) -> None:
    path = store.root / NAME / "champion.json"
    path.rename(store.root / "aside")
    path.symlink_to(store.root / "aside")


def _linked_version(store: Store) -> None:
    place = folder(store)
    place.rename(store.root / "aside")
    place.symlink_to(store.root / "aside")


def _other_version(store: Store) -> None:
    """The content of an older version under the champion's name."""
    older = store.root / NAME / "versions" / store.versions(NAME)[0]
    newest = folder(store)
    newest.rename(store.root / "aside")
    older.rename(newest)


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 29)


class _Payload:
    """Would make a file if it were ever unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch executed",)


def npz(*members: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def npy(header: str, body: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode() + b"\n"
    length = struct.pack("<H", len(text)) if version == b"\x01\x00" else struct.pack("<I", len(text))
    return b"\x93NUMPY" + version + length + text + body


def array(values: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


def _described(descr: str = "'<f4'", shape: str = "(2,)", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"


def _lying_zip() -> bytes:
    """A member whose directory entry claims four gigabytes."""
    data = bytearray(npz(("w.npy", array(np.ones(2, "f4")))))
    entry = data.rfind(b"PK\x01\x02")
    data[entry + 20 : entry + 28] = struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0)
    return bytes(data)


def _encrypted_zip() -> bytes:
    data = bytearray(npz(("w.npy", array(np.ones(2, "f4")))))
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.rfind(mark) + at] |= 1
    return bytes(data)


def _twice() -> bytes:
    one = array(np.ones(1, "f4"))
    return npz(("w.npy", one), ("x.npy", one)).replace(b"x.npy", b"w.npy")


def graph(*parts: bytes, node: bytes = b"") -> bytes:
    """An ONNX model of one node, with `parts` added to its graph and `node` to its node."""
    one = part(1, b"x") + part(2, b"y") + part(4, b"Identity") + node
    return b"\x08\x08" + part(7, part(1, one) + b"".join(parts)) + part(8, b"\x10\x0f")


def tensor(*parts: bytes) -> bytes:
    return part(5, b"\x08\x01\x10\x01" + part(8, b"w") + b"".join(parts))


def _lied(data: bytes) -> dict[str, Any]:
    return {"sha256": sha256(data), "size": len(data) + 1}


NAN, ONE = np.float32(np.nan).tobytes(), np.float32(1).tobytes()
_OUTSIDE = part(13, part(1, b"location") + part(2, b"../../../etc/passwd"))
_DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000

_EDITS: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda data: data[:-1],
    "longer": lambda data: data + b" ",
    "emptied": lambda data: b"",
    "with one digit edited": lambda data: data.replace(b"0", b"1", 1) if b"0" in data else data[::-1],
}
_REPLACEMENTS: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "a link": lambda path: path.symlink_to(path.parents[4] / "aside"),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a pipe": os.mkfifo,
    "half a gigabyte": _sparse,
}

ATTACKS: dict[str, tuple[str, Attack]] = {
    **{f"{name} {what}": (name, edited(name, edit)) for name in LARGEST for what, edit in _EDITS.items()},
    **{f"{name} is {what}": (name, replaced(name, make)) for name in LARGEST for what, make in _REPLACEMENTS.items()},
    "stray file": ("extra.py", lambda store: (folder(store) / "extra.py").touch()),
    "stray hidden file": (".hidden", lambda store: (folder(store) / ".hidden").touch()),
    "stray folder": ("__pycache__", lambda store: (folder(store) / "__pycache__").mkdir()),
    "version is a link": ("versions", _linked_version),
    "older version under the champion's name": (MANIFEST, _other_version),
    # champion.json
    "pointer is a link": ("champion.json", _linked_pointer),
    "pointer emptied": ("champion.json", _bytes_of_pointer(b"")),
    "pointer is a list": ("champion.json", _bytes_of_pointer(b"[]\n")),
    "pointer is a pickle": ("champion.json", _bytes_of_pointer(pickle.dumps(_Payload()))),
    "pointer is deep": ("champion.json", _bytes_of_pointer(_DEEP[:60_000])),
    "pointer is large": ("champion.json", _bytes_of_pointer(b" " * (1 << 20))),
    "pointer leaves the store": ("champion.json", pointer(lambda table: {**table, "version": "../../../../etc"})),
    "pointer with an absolute version": ("champion.json", pointer(lambda table: {**table, "version": "/etc"})),
    "pointer to nowhere": ("champion.json", pointer(lambda table: {**table, "version": "20261121T021500Z-00000000"})),
    "pointer with a number": ("champion.json", pointer(lambda table: {**table, "version": 7})),
    "pointer with a stray key": ("champion.json", pointer(lambda table: {**table, "run": "rm"})),
    "pointer to another manifest": (MANIFEST, pointer(lambda table: {**table, "manifest_sha256": "0" * 64})),
    "pointer replaced a path": ("champion.json", pointer(lambda table: {**table, "replaced": "../.."})),
    # manifest.json, everything else matching
    "schema of the future": (MANIFEST, sealed_manifest(schema=SCHEMA + 1)),
    "schema of the past": (MANIFEST, sealed_manifest(schema=0)),
    "schema as text": (MANIFEST, sealed_manifest(schema="1")),
    "schema as true": (MANIFEST, sealed_manifest(schema=True)),
    "no schema": (MANIFEST, sealed_manifest(schema=...)),
    "a missing key": (MANIFEST, sealed_manifest(calendar=...)),
    "a stray key": (MANIFEST, sealed_manifest(code="import os")),
    "a test file that was never read": (MANIFEST, sealed_manifest(test_csv="/etc/passwd")),
    "a test file of numbers": (MANIFEST, sealed_manifest(test_csv=[1])),
    "another model's name": (MANIFEST, sealed_manifest(name="other")),
    "a config of text": (MANIFEST, sealed_manifest(config="daily")),
    "a seed of text": (MANIFEST, sealed_manifest(seed="0")),
    "sessions out of order": (MANIFEST, sealed_manifest(next_sessions=["2026-11-24", "2026-11-23"])),
    "sessions that are no dates": (MANIFEST, sealed_manifest(next_sessions=["2026-02-30"])),
    "a time that is none": (MANIFEST, sealed_manifest(created="yesterday")),
    "no data": (MANIFEST, sealed_manifest(data=[])),
    "a schema of megabytes": (MANIFEST, sealed_manifest(schema="x" * 1_000_000)),
    "data of another shape": (MANIFEST, sealed_manifest(data=[{"name": "acme"}])),
    "files that leave the folder": (
        MANIFEST,
        sealed_manifest(files={"../../x": {"sha256": "0" * 64, "size": 1}}),
    ),
    "no files": (MANIFEST, sealed_manifest(files={})),
    "sizes of text": (MANIFEST, sealed_manifest(files={file: {"sha256": "0" * 64, "size": "1"} for file in FILES})),
    "digests that are none": (MANIFEST, sealed_manifest(files={file: {"sha256": "x", "size": 1} for file in FILES})),
    "a size that lies": (
        "weights.npz",
        sealed_manifest(
            files={**file_digests(make_bundle(3).files), "weights.npz": _lied(make_bundle(3).files["weights.npz"])}
        ),
    ),
    "version not of this content": (MANIFEST, sealed_manifest(version="20261201T000000Z-00000000")),
    # weights.npz, everything else matching
    "weights pickled": ("weights.npz", sealed("weights.npz", pickle.dumps(_Payload()))),
    "weights of objects": (
        "weights.npz",
        sealed("weights.npz", lambda: npz(("w.npy", array(np.array([_Payload()], dtype=object))))),
    ),
    "weights of objects in a structure": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy(_described("[('a', '|O')]", "(1,)"), b"\0" * 8)))),
    ),
    "weights with code in the header": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy("__import__('os').system('touch executed')")))),
    ),
    "weights with a long header": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy(_described() + " " * 9000, b"\0" * 8)))),
    ),
    "weights with a deep header": ("weights.npz", sealed("weights.npz", npz(("w.npy", npy("(" * 4000))))),
    "weights of a huge shape": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy(_described(shape="(1000000, 1000000)"), b"\0" * 8)))),
    ),
    "weights of a negative shape": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy(_described(shape="(-1, -2)"), b"\0" * 8)))),
    ),
    "weights of a shape that is none": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy(_described(shape="('a',)"), b"\0" * 8)))),
    ),
    "weights shorter than their shape": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy(_described(), b"\0" * 4)))),
    ),
    "weights NaN": ("weights.npz", sealed("weights.npz", npz(("w.npy", array(np.array([1, np.nan], "f4")))))),
    "weights infinite": ("weights.npz", sealed("weights.npz", npz(("w.npy", array(np.array([-np.inf])))))),
    "weights of integers": ("weights.npz", sealed("weights.npz", npz(("w.npy", array(np.arange(3)))))),
    "weights of text": ("weights.npz", sealed("weights.npz", npz(("w.npy", array(np.array(["a"])))))),
    "weights big-endian": ("weights.npz", sealed("weights.npz", npz(("w.npy", array(np.ones(2, ">f4")))))),
    "weights twice": ("weights.npz", sealed("weights.npz", _twice)),
    "weights not an array": ("weights.npz", sealed("weights.npz", npz(("w.py", b"import os")))),
    "weights of another format": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", npy(_described(), b"\0" * 8, b"\x03\x00")))),
    ),
    "weights compressed": (
        "weights.npz",
        sealed("weights.npz", npz(("w.npy", array(np.ones(2, "f4"))), compression=zipfile.ZIP_DEFLATED)),
    ),
    "weights a zip bomb": (
        "weights.npz",
        sealed("weights.npz", lambda: npz(("w.npy", b"\0" * (40 << 20)), compression=zipfile.ZIP_DEFLATED)),
    ),
    "weights that lie of their size": ("weights.npz", sealed("weights.npz", _lying_zip)),
    "weights encrypted": ("weights.npz", sealed("weights.npz", _encrypted_zip)),
    "weights not a zip": ("weights.npz", sealed("weights.npz", b"\x89HDF\r\n\x1a\n" + b"\0" * 100)),
    # the CSV files, everything else matching
    "history not text": ("history.csv", sealed("history.csv", b"epoch,loss\n1,\xff\n")),
    "backtest a pickle": ("backtest.csv", sealed("backtest.csv", pickle.dumps(_Payload()))),
    # scaler.json, everything else matching
    "scaler NaN": ("scaler.json", sealed("scaler.json", b'{"low": NaN}')),
    "scaler infinite": ("scaler.json", sealed("scaler.json", b'{"low": -Infinity}')),
    "scaler beyond all floats": ("scaler.json", sealed("scaler.json", b'{"low": 1e999}')),
    "scaler of a million digits": ("scaler.json", sealed("scaler.json", b'{"low": ' + b"9" * 1_000_000 + b"}")),
    "scaler deep": ("scaler.json", sealed("scaler.json", _DEEP)),
    "scaler a list": ("scaler.json", sealed("scaler.json", b"[1]")),
    "scaler not text": ("scaler.json", sealed("scaler.json", b"\xff\xfe{}")),
    "scaler a pickle": ("scaler.json", sealed("scaler.json", pickle.dumps(_Payload()))),
    # model.onnx, everything else matching
    "onnx empty": ("model.onnx", sealed("model.onnx", b"")),
    "onnx without a network": ("model.onnx", sealed("model.onnx", b"\x08\x08")),
    "onnx text": ("model.onnx", sealed("model.onnx", b"not a network at all")),
    "onnx a pickle": ("model.onnx", sealed("model.onnx", pickle.dumps(_Payload()))),
    "onnx cut short": ("model.onnx", sealed("model.onnx", make_onnx()[:-3])),
    "onnx with an endless number": ("model.onnx", sealed("model.onnx", b"\xff" * 1000)),
    "onnx of a million parts": ("model.onnx", sealed("model.onnx", graph() + b"\x08\x00" * 1_000_000)),
    "onnx with an operator of others": ("model.onnx", sealed("model.onnx", graph(node=part(7, b"com.microsoft")))),
    "onnx with python inside": ("model.onnx", sealed("model.onnx", graph(node=part(7, b"ai.onnx.contrib")))),
    "onnx with data elsewhere": ("model.onnx", sealed("model.onnx", graph(tensor(_OUTSIDE)))),
    "onnx that says its data are elsewhere": ("model.onnx", sealed("model.onnx", graph(tensor(b"\x70\x01")))),
    "onnx with data elsewhere in an attribute": (
        "model.onnx",
        sealed("model.onnx", graph(node=part(5, part(1, b"value") + part(5, _OUTSIDE)))),
    ),
    "onnx with data elsewhere in attributes": (
        "model.onnx",
        sealed("model.onnx", graph(node=part(5, part(1, b"value") + part(10, _OUTSIDE)))),
    ),
    "onnx with a loop": ("model.onnx", sealed("model.onnx", graph(node=part(5, part(6, part(2, b"body")))))),
    "onnx with branches": ("model.onnx", sealed("model.onnx", graph(node=part(5, part(11, part(2, b"body")))))),
    "onnx with functions": ("model.onnx", sealed("model.onnx", graph() + part(25, part(1, b"f")))),
    "onnx with training": ("model.onnx", sealed("model.onnx", graph() + part(20, part(1, b"f")))),
    "onnx with sparse weights": ("model.onnx", sealed("model.onnx", graph(part(15, part(1, b"w"))))),
    "onnx with NaN weights": ("model.onnx", sealed("model.onnx", graph(tensor(part(9, ONE + NAN))))),
    "onnx with NaN among its floats": ("model.onnx", sealed("model.onnx", graph(tensor(part(4, ONE + NAN))))),
    "onnx with half a float": ("model.onnx", sealed("model.onnx", graph(tensor(part(9, ONE[:3]))))),
}
