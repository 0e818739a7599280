"""The window itself: with the head's sum on top, the linear unit (Widrow and Hoff 1960)."""

from __future__ import annotations

from typing import Any

import keras

from stockcast.config.sections import ModelConfig
from stockcast.model.cells.common import Seeds


def _flattened(_model: ModelConfig, windows: Any, _seeds: Seeds) -> Any:
    """(B, L, F) to (B, L F)."""
    return keras.layers.Flatten(name="linear")(windows)


layers = _flattened
