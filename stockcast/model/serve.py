"""A saved network answering without TensorFlow."""

from __future__ import annotations

import numpy as np
import onnxruntime

from stockcast.data.rows import Floats32


class Runner:
    """An ONNX network as a function of windows: (n, L, F) float32 to (n, H, K) float32."""

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, windows: Floats32) -> Floats32:
        (outputs,) = self._session.run(None, {self._input: np.ascontiguousarray(windows, dtype=np.float32)})
        return np.asarray(outputs, dtype=np.float32)
