"""How PyTorch Lightning, which trains for Darts and NeuralForecast, is asked to train on the processor and be still."""

from __future__ import annotations

from typing import Any

QUIET: dict[str, Any] = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "logger": False,
}
