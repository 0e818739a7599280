"""The network that serves, one for all models of a kind: traced once, converted to ONNX once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from threading import Lock

import keras
import numpy as np
from numpy.typing import NDArray

from stockcast.data.rows import Floats32
from stockcast.model.network import around_zero, trace
from stockcast.model.onnx_files.convert import converted
from stockcast.model.onnx_files.template import Fold, OnnxTemplate, probes, template_of


class ServedNetwork:
    """A network of plain Keras layers, (B, L, F) to (B, H, K), that answers with whichever weights it is given.

    It is one for all threads, which take turns: each gives it weights of its own.
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        self._traced = trace(network)
        self._paths = [weight.path for weight in network.weights]
        self._turn = Lock()

    def by_path(self, weights: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Weights by their path in the network."""
        return dict(zip(self._paths, weights, strict=True))

    def answers(self, weights: Sequence[NDArray[np.float32]], windows: Floats32) -> Floats32:
        """What a network with these weights says of windows."""
        with self._turn:
            self.network.set_weights(weights)
            said: Floats32 = self._traced(windows).numpy()
        return said

    @cached_property
    def template(self) -> OnnxTemplate:
        """The network as ONNX, to be filled with weights."""
        with self._turn:
            probed = probes([np.asarray(weight) for weight in self.network.weights])
            self.network.set_weights(probed)
            return template_of(converted(self._traced), probed, self._folds())

    def _folds(self) -> list[Fold]:
        """What a conversion computes from weights: the constants that a head of one scale makes of its gaps."""
        gaps = [number for number, path in enumerate(self._paths) if path.endswith("/gaps")]
        return [partial(_folded_gaps, number) for number in gaps]


def _folded_gaps(number: int, weights: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.asarray(around_zero(weights[number]), np.float32)
