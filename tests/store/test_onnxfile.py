"""What counts as a harmless ONNX file, with the onnx library as the judge of what a file holds."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # protobuf brings no types
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from stockcast.errors import ModelDamaged
from stockcast.store.onnxfile import check_onnx

WEIGHTS = numpy_helper.from_array(np.ones((2, 3), dtype=np.float32), "w")


def model(*nodes: onnx.NodeProto, weights: tuple[TensorProto, ...] = (WEIGHTS,)) -> onnx.ModelProto:
    value = functools.partial(helper.make_tensor_value_info, elem_type=TensorProto.FLOAT, shape=None)
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"]), *nodes], "g", [value("x")], [value("y")])
    graph.initializer.extend(weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 2)])


def foreign() -> onnx.ModelProto:
    return model(helper.make_node("PyOp", ["y"], ["z"], domain="com.microsoft"))


def elsewhere() -> onnx.ModelProto:
    weights = TensorProto()
    weights.CopyFrom(WEIGHTS)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../secret")
    return model(weights=(weights,))


def elsewhere_in_a_constant() -> onnx.ModelProto:
    return model(helper.make_node("Constant", [], ["z"], value=elsewhere().graph.initializer[0]))


def branching() -> onnx.ModelProto:
    body = foreign().graph
    return model(helper.make_node("If", ["y"], ["z"], then_branch=body, else_branch=body))


def looping(turns: int = 3, operator: str = "Loop", body: onnx.GraphProto | None = None) -> onnx.ModelProto:
    count = numpy_helper.from_array(np.array(turns), "turns")
    node = helper.make_node(operator, ["turns", "", "y"], ["z"], body=body or model().graph)
    return model(node, weights=(WEIGHTS, count))


def not_counted() -> onnx.ModelProto:
    made = looping()
    made.graph.node[1].input[0] = "elsewhere"
    return made


def calling() -> onnx.ModelProto:
    made = model()
    opset = [helper.make_opsetid("", 15)]
    made.functions.append(helper.make_function("", "f", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], opset))
    return made


def not_finite(dtype: type[np.floating], raw: bool) -> onnx.ModelProto:
    values = np.array([1, np.nan], dtype=dtype)
    kind = helper.np_dtype_to_tensor_dtype(values.dtype)
    data = values.tobytes() if raw else values.tolist()
    return model(weights=(helper.make_tensor("v", kind, [2], data, raw=raw),))


def test_a_plain_network_passes() -> None:
    whole = numpy_helper.from_array(np.array([-1, 2**63 - 1]), "i")  # as floats these bytes are NaN
    default = helper.make_tensor("d", TensorProto.DOUBLE, [2], [1.0, 2.0])
    default.data_location = TensorProto.DEFAULT
    constant = helper.make_node("Constant", [], ["c"], value=WEIGHTS, domain="ai.onnx")
    made = model(constant, weights=(WEIGHTS, whole, default))
    made.doc_string, made.producer_name = "about", "tf2onnx"
    check_onnx(made.SerializeToString(), "model.onnx")


def test_a_loop_over_a_window_passes() -> None:
    check_onnx(looping(turns=2000).SerializeToString(), "model.onnx")


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (foreign(), r"model\.onnx.*'com\.microsoft'"),
        (elsewhere(), "another file"),
        (elsewhere_in_a_constant(), "another file"),
        (branching(), "branch"),
        (looping(turns=2001), "without a known end"),
        (looping(turns=-1), "without a known end"),
        (looping(operator="Scan"), "without a known end"),
        (not_counted(), "without a known end"),
        (looping(body=looping().graph), "in a loop"),
        (looping(body=foreign().graph), r"'com\.microsoft'"),
        (looping(body=elsewhere().graph), "another file"),
        (looping(body=elsewhere_in_a_constant().graph), "another file"),
        (looping(body=not_finite(np.float32, raw=True).graph), "NaN"),
        (calling(), "functions"),
        (not_finite(np.float32, raw=True), "NaN"),
        (not_finite(np.float32, raw=False), "NaN"),
        (not_finite(np.float64, raw=True), "NaN"),
        (not_finite(np.float64, raw=False), "NaN"),
        (onnx.ModelProto(), "no network"),
    ],
)
def test_anything_more_is_refused(made: onnx.ModelProto, fault: str) -> None:
    with pytest.raises(ModelDamaged, match=fault):
        check_onnx(made.SerializeToString(), "model.onnx")


def is_harmful(made: onnx.ModelProto) -> bool:
    graphs = [made.graph]
    while graphs:
        graph = graphs.pop()
        attributes = [attribute for node in graph.node for attribute in node.attribute]
        graphs += [one for attribute in attributes for one in (attribute.g, *attribute.graphs) if one.node]
        tensors = [*graph.initializer, *(attribute.t for attribute in attributes)]
        if any(node.domain not in ("", "ai.onnx") for node in graph.node):
            return True
        if any(tensor.external_data or tensor.data_location for tensor in tensors):
            return True
    return bool(made.functions or made.training_info)


def edits() -> Iterator[st.SearchStrategy[bytes]]:
    for made in (
        foreign(),
        elsewhere(),
        elsewhere_in_a_constant(),
        branching(),
        looping(),
        looping(body=foreign().graph),
        calling(),
    ):
        data = made.SerializeToString()
        places = st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=3)
        yield places.map(functools.partial(edited, data))


def edited(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    new = bytearray(data)
    for at, value in changes:
        new[at] = value
    return bytes(new)


@settings(max_examples=500)
@given(st.one_of(*edits()))
def test_whatever_is_harmful_to_the_library_is_refused(data: bytes) -> None:
    try:
        harmful = is_harmful(onnx.load_model_from_string(data))
    except DecodeError:
        return
    if harmful:
        with pytest.raises(ModelDamaged):
            check_onnx(data, "model.onnx")


def test_a_file_cut_short_is_refused() -> None:
    data = model().SerializeToString()
    for length in range(len(data)):
        try:
            onnx.load_model_from_string(data[:length])
        except DecodeError:
            with pytest.raises(ModelDamaged):
                check_onnx(data[:length], "model.onnx")
