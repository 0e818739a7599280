"""A kind of network as ONNX: converted once, and then filled with one model's weights after the other.

The conversion takes a second, and gives the same graph for all networks of a kind but for the numbers in it. Where each
of them comes from is seen by converting a network whose weights are all different. What is handed back is in one form:
the converter's own names and their order change from run to run, so that equal networks would be different files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

Array = NDArray[np.float32]
Fold = Callable[[Sequence[Array]], Array]

_ONE = 0x3F800000  # the bits of 1.0
_OTHER = -1


@dataclass(frozen=True)
class OnnxTemplate:
    """A converted graph, and of each of its tensors of floats where its numbers come from.

    `places` (of a tensor's shape) are indices among all weights laid end to end, or -1 where the number is the graph's
    own. `folded` are tensors that the conversion has computed from weights.
    """

    model: ModelProto
    places: dict[str, NDArray[np.int64]]
    folded: dict[str, Fold]

    def filled(self, weights: Sequence[Array]) -> bytes:
        """The bytes of the file of a network of this kind with these weights; equal weights give equal bytes."""
        model = ModelProto()
        model.CopyFrom(self.model)
        flat = np.concatenate([one.ravel() for one in weights])
        for tensor in model.graph.initializer:
            if tensor.name in self.folded:
                _put(tensor, self.folded[tensor.name](weights))
            elif tensor.name in self.places:
                places, own = self.places[tensor.name], numpy_helper.to_array(tensor)
                _put(tensor, np.where(places == _OTHER, own, flat[places]))
        return bytes(model.SerializeToString(deterministic=True))


def probes(weights: Sequence[Array]) -> list[Array]:
    """Weights of the same shapes whose numbers, of 1 and more, are all different."""
    sizes = [one.size for one in weights]
    numbers = (_ONE + 1 + np.arange(sum(sizes), dtype=np.uint32)).view(np.float32)
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return [part.reshape(one.shape) for part, one in zip(parts, weights, strict=True)]


def template_of(model: ModelProto, probed: Sequence[Array], folds: Sequence[Fold]) -> OnnxTemplate:
    """The template that `model` is, which was converted with the weights `probed` from `probes`.

    `folds` are what a conversion may compute from the weights.
    """
    tidy(model)
    count = sum(one.size for one in probed)
    places, folded = {}, {}
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        found = [fold for fold in folds if _alike(fold(probed), values)]
        place = values.view(np.uint32).astype(np.int64) - _ONE - 1
        inside = (place >= 0) & (place < count)
        if found:
            folded[tensor.name] = found[0]
        elif inside.any():
            places[tensor.name] = np.where(inside, place, _OTHER)
    return OnnxTemplate(model, places, folded)


def _alike(computed: Array, values: Array) -> bool:
    return computed.shape == values.shape and np.allclose(computed, values, rtol=1e-5)


def _put(tensor: TensorProto, values: Array) -> None:
    fresh = numpy_helper.from_array(np.ascontiguousarray(values, np.float32), tensor.name)
    tensor.CopyFrom(fresh)


def tidy(model: ModelProto) -> None:
    """Bring a model into the one form of its graph: nodes in the order in which the outputs need them, named by it."""
    _tidy_graph(model.graph, {}, "")
    model.graph.name = "stockcast"


def _tidy_graph(graph: GraphProto, outer: dict[str, str], prefix: str) -> None:
    """Order and rename what is in a graph; `outer` are the new names of what it may use from around it."""
    names = {**outer, "": ""}
    for number, one in enumerate(graph.input):
        names[one.name] = f"{prefix}in{number}" if prefix else one.name
    tensors = {one.name: one for one in graph.initializer}
    used: list[TensorProto] = []
    nodes = list(_ordered(graph))
    for number, node in enumerate(nodes):
        for name in _needs(node):
            if name in tensors and name not in names:
                names[name] = f"{prefix}w{len(used)}"
                used.append(tensors[name])
        for place, name in enumerate(node.output):
            names.setdefault(name, f"{prefix}t{number}" + (f"_{place}" if place else ""))
        for body in _bodies(node):
            _tidy_graph(body, names, f"{prefix}t{number}_")
        _renamed(node, names)
    for tensor in used:
        tensor.name = names[tensor.name]
        tensor.ClearField("doc_string")
    for one in (*graph.input, *graph.output):
        one.name = names[one.name]
        _unnamed_lengths(one)
    _replace(graph.node, nodes)
    _replace(graph.initializer, used)
    del graph.value_info[:]
    graph.name = prefix
    graph.ClearField("doc_string")


def _renamed(node: NodeProto, names: dict[str, str]) -> None:
    for field in (node.input, node.output):
        field[:] = [names[name] for name in field]
    _replace(node.attribute, sorted(node.attribute, key=lambda one: str(one.name)))
    node.name = ""
    node.ClearField("doc_string")


def _replace(field: Any, values: Sequence[Any]) -> None:
    """Put copies of `values`, which may be the field's own, in the place of what a repeated field holds."""
    copies = [type(one).FromString(one.SerializeToString()) for one in values]
    del field[:]
    field.extend(copies)


def _unnamed_lengths(value: Any) -> None:
    for dimension in value.type.tensor_type.shape.dim:
        if dimension.dim_param:
            dimension.dim_param = "n"


def _ordered(graph: GraphProto) -> Iterator[NodeProto]:
    """The nodes that the outputs need, each after those that it needs itself, in one order whatever theirs was."""
    makers = {name: node for node in graph.node for name in node.output if name}
    done: set[int] = set()
    for wanted in graph.output:
        waiting = [(makers[wanted.name], False)] if wanted.name in makers else []
        while waiting:
            node, ready = waiting.pop()
            if id(node) in done:
                continue
            if ready:
                done.add(id(node))
                yield node
                continue
            waiting.append((node, True))
            waiting += [(makers[name], False) for name in reversed(list(_needs(node))) if name in makers]


def _needs(node: NodeProto) -> Iterator[str]:
    """The names that a node, or a body inside it, reads; some may be the body's own."""
    yield from node.input
    for body in _bodies(node):
        for inner in body.node:
            yield from _needs(inner)
        yield from (one.name for one in body.output)


def _bodies(node: NodeProto) -> list[GraphProto]:
    return [one.g for one in node.attribute if one.type == AttributeProto.GRAPH]
