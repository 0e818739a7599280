"""A saved network answering without TensorFlow, within bounds of time and memory where it comes from a disk."""

from __future__ import annotations

from functools import lru_cache, partial
from threading import Lock, Timer

import numpy as np

from stockcast.data.rows import Floats32
from stockcast.errors import ModelDamaged
from stockcast.model.quiet import nothing_reported
from stockcast.model.threads import threads_wanted

with nothing_reported():
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

MEMORY = 1 << 30
"""Bytes that saved networks may take to run, beside their weights; where many windows need more, they go in parts."""

PATIENCE: float = 10
"""Seconds that any network may take; one of more weights gets as long as the slowest machine needs for its products."""

_ONE_ARENA = Lock()
_MOST_PATIENCE = 600
_PRODUCTS_A_SECOND = 5e8
_REFUSED = (
    *(refusals.Fail, refusals.InvalidArgument, refusals.InvalidGraph, refusals.InvalidProtobuf),
    *(refusals.NotImplemented, refusals.RuntimeException),
)


class Runner:
    """An ONNX network as a function of windows: (n, L, F) float32 to (n, H, K) float32.

    A `bounded` one is not trusted: what takes too long or too much memory is stopped. Raises `ModelDamaged` then, and
    for a network that can't be run or has no such answer.
    """

    def __init__(self, model: bytes, bounded: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4 if bounded else 3
        options.intra_op_num_threads = threads_wanted()
        # A thread without work sleeps: by itself it would keep a core busy that another process may want.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._weights = len(model) / 4 if bounded else None
        if bounded:
            with _ONE_ARENA:
                _limit_memory()
            options.add_session_config_entry("session.use_env_allocators", "1")
        # Folding runs the network's constant part while it is loaded, which nothing could stop.
        spared = ["ConstantFolding"] if bounded else []
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"], disabled_optimizers=spared
            )
        except _REFUSED as error:
            raise _damaged("it can't be loaded") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(self._session.get_outputs()) != 1:
            raise _damaged("it has not one input and one output")
        self._input = inputs[0].name

    def __call__(self, windows: Floats32) -> Floats32:
        options = onnxruntime.RunOptions()
        timer = None
        if self._weights is not None:
            products = self._weights * windows.shape[0] * windows.shape[1]
            seconds = min(PATIENCE + products / _PRODUCTS_A_SECOND, _MOST_PATIENCE)
            timer = Timer(seconds, partial(setattr, options, "terminate", True))
            timer.daemon = True
            timer.start()
        try:
            return self._answers(np.ascontiguousarray(windows, dtype=np.float32), options)
        finally:
            if timer is not None:
                timer.cancel()

    def _answers(self, windows: Floats32, options: onnxruntime.RunOptions) -> Floats32:
        try:
            (outputs,) = self._session.run(None, {self._input: windows}, options)
        except _REFUSED as error:
            if options.terminate:
                raise _damaged("it takes far longer than a network of its size should") from error
            if "memory" not in str(error) or len(windows) < 2:
                raise _damaged("it can't be run, or only in far too much memory") from error
            halves = np.array_split(windows, 2)
            return np.concatenate([self._answers(half, options) for half in halves])
        answers = np.asarray(outputs)
        if answers.ndim != 3 or len(answers) != len(windows) or answers.dtype.kind != "f":
            raise _damaged(f"its answer has the shape {answers.shape}")
        return answers.astype(np.float32, copy=False)


@lru_cache(maxsize=1)
def _limit_memory() -> None:
    """Have all sessions that want it share one arena of `MEMORY` bytes, as long as this process lives."""
    kind = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    onnxruntime.create_and_register_allocator(kind, onnxruntime.OrtArenaCfg({"max_mem": MEMORY}))


def _damaged(what: str) -> ModelDamaged:
    return ModelDamaged(
        f"the model's network is not one of stockcast's: {what}.", "let another version serve, or train it again."
    )
