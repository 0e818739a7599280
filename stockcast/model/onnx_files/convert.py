"""tf2onnx, imported when a network is converted."""

from __future__ import annotations

from typing import Any

from onnx import ModelProto


def converted(traced: Any) -> ModelProto:
    """A network from `trace` as tf2onnx converts it."""
    from tf2onnx.convert import from_function

    model: ModelProto = from_function(traced, traced.input_signature)[0]
    return model
