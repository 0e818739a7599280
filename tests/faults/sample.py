"""A small model to save, every file of which tells from which seed it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from stockcast.data.series import Panel, PriceSeries
from stockcast.store.arrays import decode_arrays, encode_arrays
from stockcast.store.manifest import Manifest, fingerprint
from stockcast.store.read_version import Bundle
from stockcast.store.trained_prices import prices_file

NOW = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)


def make_bundle(seed: int = 0, weights: int = 100) -> Bundle:
    """A bundle whose files all hold `seed`, with `weights` numbers."""
    files = {
        "scaler.json": json.dumps({"seed": seed}).encode(),
        "weights.npz": encode_arrays({"lstm/kernel": np.full(weights, seed, dtype=np.float32)}),
        "model.onnx": make_onnx(seed),
        "history.csv": f"epoch,loss\n1,{seed}\n".encode(),
        "backtest.csv": f"model,series\n{seed},acme\n".encode(),
        "prices.npz": prices_file(Panel((make_series(seed),))),
    }
    return Bundle(make_manifest(seed), files)


def make_series(seed: int = 0) -> PriceSeries:
    """Thirty days; the last close is the seed, from one on."""
    return PriceSeries(
        "acme", np.arange(30).astype("datetime64[D]"), {"close": np.append(np.arange(1.0, 30.0), 1 + seed)}
    )


def make_manifest(seed: int = 0) -> Manifest:
    return Manifest(
        config_name="daily",
        config={"data": {"lookback": 60}},
        csv=("prices/acme.csv",),
        hints={"decimal": "."},
        findings=({"kind": "stale", "count": 1},),
        data=(fingerprint(make_series(seed)),),
        libraries={"numpy": "2.4.6"},
        seed=seed,
        scores={"rmse": 1.5},
        calendar="XNYS",
        next_sessions=("1970-02-02", "1970-02-03"),
    )


def seeds_of(bundle: Bundle) -> set[int]:
    """The seeds that the manifest and the files of a bundle tell: one, unless versions were mixed."""
    arrays = decode_arrays(bundle.files["weights.npz"], "weights")
    return {
        bundle.manifest.seed,
        json.loads(bundle.files["scaler.json"])["seed"],
        *(int(number) for number in arrays["lstm/kernel"]),
        int(bundle.files["model.onnx"].partition(b"seed ")[2].partition(b".")[0]),
        int(bundle.files["history.csv"].split(b",")[-1]),
        int(bundle.files["backtest.csv"].split(b"\n")[1].split(b",")[0]),
        *_of_prices(bundle.files),
    }


def _of_prices(files: Mapping[str, bytes]) -> list[int]:
    """The seed in prices.npz, which versions of schema 1 have not."""
    if "prices.npz" not in files:
        return []
    return [int(decode_arrays(files["prices.npz"], "prices")["0.closes"][-1]) - 1]


def make_onnx(seed: int = 0) -> bytes:
    """The least that is an ONNX network: one Identity, and a float tensor."""
    node = part(1, b"x") + part(2, b"y") + part(4, b"Identity")
    tensor = b"\x08\x01" + b"\x10\x01" + part(8, b"w") + part(9, np.float32(seed).tobytes())
    graph = part(1, node) + part(2, b"graph") + part(5, tensor)
    return b"\x08\x08" + part(2, f"seed {seed}.".encode()) + part(7, graph) + part(8, b"\x10\x0f")


def part(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    digits = []
    while number > 127:
        digits.append(number & 127 | 128)
        number >>= 7
    return bytes([*digits, number])
