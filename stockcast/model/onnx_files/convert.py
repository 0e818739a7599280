"""tf2onnx, kept quiet."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from onnx import ModelProto


def converted(traced: Any) -> ModelProto:
    """A network from `trace` as tf2onnx converts it."""
    from tf2onnx.convert import from_function

    with silenced():
        model: ModelProto = from_function(traced, traced.input_signature)[0]
    return model


@contextmanager
def silenced() -> Iterator[None]:
    """Keep tf2onnx' log, and its and Keras' use of old ways of numpy, from the user's terminal."""
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
            warnings.filterwarnings("ignore", "__array__ implementation doesn't accept", DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)
