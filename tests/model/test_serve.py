"""A saved network runs within bounds of time and memory, and answers as one that is trusted does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from stockcast.errors import ModelDamaged
from stockcast.model import serve
from stockcast.model.serve import Runner

GOLDEN = Path(__file__).parents[1] / "jobs" / "golden" / "schema-1"
WINDOWS = np.random.default_rng(0).standard_normal((64, 10, 16)).astype(np.float32)


def network(nodes: Sequence[onnx.NodeProto], size: tuple[int, ...] = (1, 1)) -> bytes:
    """From x (n, L, F) over `nodes` to y; they may ask for zeros of `size`."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "l", "f"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [helper.make_tensor("size", TensorProto.INT64, [len(size)], size)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def products(count: int) -> list[onnx.NodeProto]:
    """The product of a large square of zeros with itself, again and again."""
    return [
        helper.make_node("ConstantOfShape", ["size"], ["a0"]),
        *(helper.make_node("MatMul", [f"a{one}", f"a{one}"], [f"a{one + 1}"]) for one in range(count)),
        helper.make_node("ReduceMax", [f"a{count}"], ["most"], keepdims=1),
        helper.make_node("Add", ["x", "most"], ["y"]),
    ]


@pytest.mark.parametrize("name", ["acme", "level", "pair"])
def test_a_bounded_network_answers_as_a_trusted_one(name: str) -> None:
    model = next((GOLDEN / name / "versions").iterdir()) / "model.onnx"
    trusted = Runner(model.read_bytes())
    _, lookback, features = trusted._session.get_inputs()[0].shape
    windows = np.resize(WINDOWS, (64, lookback, features))
    answers = Runner(model.read_bytes(), bounded=True)(windows)
    np.testing.assert_allclose(answers, trusted(windows), rtol=1e-4, atol=1e-5)


def test_what_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "PATIENCE", 0.2)
    endless = Runner(network(products(400), (1000, 1000)), bounded=True)
    with pytest.raises(ModelDamaged, match="far longer"):
        endless(WINDOWS[:1])


def test_what_takes_too_much_memory_is_refused() -> None:
    with pytest.raises(ModelDamaged, match="memory"):
        Runner(network(products(1), (40_000, 40_000)), bounded=True)(WINDOWS)


def test_more_windows_than_fit_go_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each window asks for 32 MB, twice: all at once would take more than twice what there is."""
    monkeypatch.setattr(serve, "PATIENCE", 600)
    nodes = [
        helper.make_node("Expand", ["x", "size"], ["wide"]),
        helper.make_node("Exp", ["wide"], ["other"]),
        helper.make_node("ReduceMin", ["other"], ["least"], axes=[1, 2], keepdims=1),
        helper.make_node("Identity", ["least"], ["y"]),
    ]
    windows = (np.arange(40, dtype=np.float32) / np.float32(40)).reshape(40, 1, 1)
    answers = Runner(network(nodes, (1, 4_000, 2_000)), bounded=True)(windows)
    np.testing.assert_allclose(answers, np.exp(windows), rtol=1e-6)


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("Abracadabra", ["x"], ["y"]),
        helper.make_node("MatMul", ["x", "x"], ["y"]),
        helper.make_node("ReduceMax", ["x"], ["y"], keepdims=0),
        helper.make_node("Shape", ["x"], ["y"]),
    ],
)
def test_what_is_no_network_of_ours_is_refused(node: onnx.NodeProto) -> None:
    with pytest.raises(ModelDamaged):
        Runner(network([node]), bounded=True)(WINDOWS)


@pytest.mark.parametrize(("chosen", "left"), [(None, None), ("1", "1")])
def test_onnxruntime_tells_nobody_and_leaves_nothing_with_its_user(
    chosen: str | None, left: str | None, tmp_path: Path
) -> None:
    quiet = ("CI", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY")
    environment = {key: value for key, value in os.environ.items() if key not in quiet} | {"HOME": str(tmp_path)}
    if chosen is not None:
        environment["ORT_DISABLE_TELEMETRY"] = chosen
    program = "import os, stockcast.model.serve; print(os.environ.get('ORT_DISABLE_TELEMETRY'))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(left)
    assert list(tmp_path.rglob("*")) == []
