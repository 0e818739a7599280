"""Use models whose checksums are right and whose content is forged, as a stranger may make them.

Each is refused with 65, soon, in little memory, with one JSON object of finite numbers, and without a word of another
file.

python tests/faults/forged.py [WORD ...] [--limit-s 30] [--limit-mb 1500]    only kinds whose names hold a word
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from whole import GOLDEN_PRICES, ROOT

from stockcast.store.arrays import encode_arrays
from stockcast.store.read_version import Bundle
from stockcast.store.store import Store

GOLDEN = ROOT / "tests" / "jobs" / "golden" / "schema-1"
SECRET = "root:$6$verysecret:0:0:the operator:/root:/bin/sh"

Forge = Callable[[Bundle, Path], Bundle]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--limit-s", type=float, default=30)
    parser.add_argument("--limit-mb", type=float, default=1500)
    arguments = parser.parse_args()
    bad: list[str] = []
    slowest, largest = (0.0, ""), (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "secret").write_text(f"{SECRET}\n{SECRET}\n")
        shutil.copy(GOLDEN_PRICES, scratch / "acme.csv")
        genuine = answer(forged(scratch, lambda bundle, _: bundle), "predict", "acme")
        if genuine[0] != 0:
            raise RuntimeError(f"the genuine model is refused: {genuine}")
        words = arguments.words or [""]
        chosen = {what: one for what, one in FORGERIES.items() if any(word in what for word in words)}
        for what, (command, forge) in chosen.items():
            code, said, seconds, megabytes = answer(forged(scratch, forge), *command)
            slowest, largest = max(slowest, (seconds, what)), max(largest, (megabytes, what))
            fault = fault_of(code, said)
            bad += [f"{what}: {fault}"] if fault else []
    print(*bad, sep="\n", end="\n" if bad else "")
    most = f"at most {slowest[0]:.1f} s ({slowest[1]}) and {largest[0]:.0f} MB ({largest[1]})"
    print(f"{len(chosen)} kinds of forged model: {len(bad)} got through; {most}")
    return int(bool(bad) or not chosen or slowest[0] > arguments.limit_s or largest[0] > arguments.limit_mb)


def forged(scratch: Path, forge: Forge) -> Path:
    """A store whose model acme is a forgery that all checksums fit."""
    root = scratch / "models"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(GOLDEN, root)
    store = Store(root)
    bundle = store.load("acme")
    manifest = replace(bundle.manifest, csv=(str(scratch / "acme.csv"),))
    now = datetime.now(UTC)
    version = store.save("acme", forge(replace(bundle, manifest=manifest), scratch), now)
    store.promote("acme", version, "forged", now)
    return root


def answer(root: Path, *command: str) -> tuple[int, str, float, float]:
    """The exit code, all that was said, the seconds and the megabytes of a command in a process of its own."""
    picture = ["-o", str(root.parent / "picture.png")] if command[0] == "plot" else []
    out = [*picture, "-o", str(root.parent / "exported")] if command[0] == "export" else picture
    begin = time.monotonic()
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as talk:
        run = subprocess.Popen(
            [sys.executable, "-m", "stockcast", "--store", str(root), "--json", *command, *out],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=told,
            stderr=talk,
        )
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        talk.seek(0)
        said = told.read().decode() + "\0" + talk.read().decode()
    return run.returncode, said, time.monotonic() - begin, usage.ru_maxrss / 1024


def fault_of(code: int, said: str) -> str | None:
    out, _, _ = said.partition("\0")
    if "verysecret" in said:
        return "a line of another file is told"
    if code != 65:
        return f"exit code {code}: {said[:300]}"
    try:
        error = json.loads(out, parse_constant=_refuse)["error"]
    except (ValueError, KeyError) as failed:
        return f"not one object of finite numbers: {failed}"
    return None if error["exit_code"] == 65 and error["fix"] else f"{error}"


def _refuse(text: str) -> float:
    raise ValueError(text)


def scaler(change: Callable[[dict[str, Any]], object]) -> Forge:
    """Another scaler.json."""

    def forge(bundle: Bundle, _: Path) -> Bundle:
        parts = json.loads(bundle.files["scaler.json"])
        change(parts)
        return with_file(bundle, "scaler.json", json.dumps(parts).encode())

    return forge


def each_scaler(change: Callable[[dict[str, Any]], object]) -> Forge:
    return scaler(lambda parts: [change(one) for one in parts["scalers"].values()])


def manifest(**changes: Any) -> Forge:
    return lambda bundle, _: replace(bundle, manifest=replace(bundle.manifest, **changes))


def settings(section: str, **changes: Any) -> Forge:
    """Other settings in the manifest."""

    def forge(bundle: Bundle, _: Path) -> Bundle:
        config = bundle.manifest.config
        changed = {**config, section: {**config[section], **changes}}
        return replace(bundle, manifest=replace(bundle.manifest, config=changed))

    return forge


def with_file(bundle: Bundle, name: str, data: bytes) -> Bundle:
    return replace(bundle, files={**bundle.files, name: data})


def file(name: str, text: str) -> Forge:
    return lambda bundle, _: with_file(bundle, name, text.encode())


def network(*nodes: onnx.NodeProto, **constants: tuple[int, ...]) -> Forge:
    """Another network: from x (n, L, F) over `nodes` to y, with whole numbers as `constants`."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "l", "f"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor(name, TensorProto.INT64, [len(value)], value) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return lambda bundle, _: with_file(bundle, "model.onnx", model.SerializeToString())


def node(kind: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def products(of: str, count: int) -> list[onnx.NodeProto]:
    return [node("MatMul", f"{of}{number} {of}{number}", f"{of}{number + 1}") for number in range(count)]


def recorded(path: str, **hints: Any) -> Forge:
    """The prices are said to be in another file."""
    return lambda bundle, scratch: replace(
        bundle, manifest=replace(bundle.manifest, csv=(str(scratch / path),), hints=hints)
    )


SLOW = [
    node("Expand", "zero size", "a0"),
    *products("a", 300),
    node("ReduceMax", "a300", "most", keepdims=1),
    node("Add", "x most", "y"),
]
NOTHING = [
    node("ReduceMean", "x", "mean", axes=[1, 2], keepdims=1),
    node("Sub", "mean mean", "zero"),
    node("ConstantOfShape", "size", "square"),
    node("Add", "zero square", "zeros"),
    node("Exp", "zeros", "ones"),
    node("Sub", "zeros ones", "less"),
]
"""Zeros, and less than that, as many as the model's steps and quantiles."""

FIRST = [node("Slice", "x begin end axes", "one"), node("ReduceSum", "one axes", "zero", keepdims=0)]

WEIGHTS = encode_arrays({"lstm/kernel": np.ones(3, dtype=np.float32)})

PREDICT, RETRAIN = ("predict", "acme"), ("retrain", "acme", "--force")
PLOT, HISTORY, BACKTEST = (("plot", "acme", "--kind", kind) for kind in ("forecast", "history", "backtest"))
EXPORT = ("export", "acme", "--format", "keras")

FORGERIES: Mapping[str, tuple[tuple[str, ...], Forge]] = {
    "a scale of nothing": (PREDICT, each_scaler(lambda one: one.update(scale=[0.0] * len(one["scale"])))),
    "a scale below nothing": (PREDICT, each_scaler(lambda one: one.update(scale=[-1.0] * len(one["scale"])))),
    "a scale beyond all bounds": (PREDICT, each_scaler(lambda one: one.update(scale=[1e308] * len(one["scale"])))),
    "an offset beyond all bounds": (PREDICT, each_scaler(lambda one: one.update(offset=[1e308] * len(one["offset"])))),
    "a scaler too short": (PREDICT, each_scaler(lambda one: one.update(scale=[1.0]))),
    "a scaler of text": (PREDICT, each_scaler(lambda one: one.update(scale=["a"] * len(one["scale"])))),
    "no scaler": (PREDICT, scaler(lambda parts: parts.update(scalers={}))),
    "no features": (PREDICT, scaler(lambda parts: parts.update(features=[]))),
    "an unknown feature": (PREDICT, scaler(lambda parts: parts["features"].__setitem__(0, "__import__"))),
    "a feature that is no name": (PREDICT, scaler(lambda parts: parts["features"].__setitem__(0, [1]))),
    "a broken code": (PREDICT, scaler(lambda parts: parts["features"].__setitem__(0, "ticker of {"))),
    "bands beyond all bounds": (PREDICT, scaler(lambda parts: parts["calibration"].update(shift=[[1e308] * 9] * 3))),
    "bands of other steps": (PREDICT, scaler(lambda parts: parts["calibration"].update(shift=[[0.0] * 9] * 5))),
    "bands of a date that is none": (PREDICT, scaler(lambda parts: parts["calibration"].update(since="yesterday"))),
    "a widening beyond all bounds": (
        PREDICT,
        scaler(lambda parts: parts["calibration"].update(own={"acme": [1e6] * 3}, own_rate=0.1)),
    ),
    "empty parts": (PREDICT, scaler(lambda parts: parts.clear())),
    "settings of another world": (PREDICT, settings("data", nonsense=1)),
    "settings out of bounds": (PREDICT, settings("data", lookback=-1)),
    "another horizon": (PREDICT, settings("data", horizon=7)),
    "no coming sessions": (PREDICT, manifest(next_sessions=())),
    "hints of no kind": (PREDICT, manifest(hints={"colour": "blue"})),
    "hints that are numbers": (PREDICT, manifest(hints={"columns": {"close": 4}})),
    "prices in another file": (PREDICT, recorded("secret")),
    "prices in another file, with a delimiter": (PREDICT, recorded("secret", delimiter=":")),
    "prices in another file, with columns": (PREDICT, recorded("secret", columns={"date": "0", "close": "2"})),
    "prices in another file, to retrain on": (RETRAIN, recorded("secret")),
    "prices in another file, to draw": (PLOT, recorded("secret", delimiter=":")),
    "scores without a day": (("retrain", "acme"), manifest(scores={})),
    "a history of text": (HISTORY, file("history.csv", "epoch,loss,validation_loss\none,two,three\n")),
    "a history without columns": (HISTORY, file("history.csv", f"{SECRET}\n")),
    "forecasts of text": (BACKTEST, file("backtest.csv", "a,b\n1,2\n")),
    "forecasts of a billion steps": (
        BACKTEST,
        file(
            "backtest.csv",
            "model,series,cutoff,date,step,last,actual,forecast,q0.5\n"
            "m,s,2020-01-01,2020-01-02,1000000000,1,1,1,1\nm,s,2020-01-01,2020-01-02,1,1,1,1,1\n",
        ),
    ),
    "foreign weights": (EXPORT, lambda bundle, _: with_file(bundle, "weights.npz", WEIGHTS)),
    "a network of 300 large products": (
        PREDICT,
        network(*FIRST, *SLOW, begin=(0,), end=(1,), axes=(0,), size=(2000, 2000)),
    ),
    "a network that is a constant of large products": (
        PREDICT,
        network(
            node("ConstantOfShape", "size", "a0"),
            *products("a", 300),
            node("ReduceMax", "a300", "most", keepdims=1),
            node("Add", "x most", "y"),
            size=(2000, 2000),
        ),
    ),
    "a network of six gigabytes": (
        PREDICT,
        network(
            node("ConstantOfShape", "size", "a0"),
            node("Exp", "a0", "b0"),
            node("ReduceMax", "b0", "most", keepdims=1),
            node("Add", "x most", "y"),
            size=(40000, 40000),
        ),
    ),
    "a network that answers with no number": (
        PREDICT,
        network(*NOTHING, node("Log", "less", "y"), size=(1, 3, 9)),
    ),
    "a network that answers without end": (
        PREDICT,
        network(*NOTHING, node("Reciprocal", "zeros", "y"), size=(1, 3, 9)),
    ),
    "a network that answers with its input": (PREDICT, network(node("Identity", "x", "y"))),
    "a network of an unknown operator": (PREDICT, network(node("Abracadabra", "x", "y"))),
    "a network that contradicts itself": (PREDICT, network(node("MatMul", "x x", "y"))),
}


if __name__ == "__main__":
    sys.exit(main())
