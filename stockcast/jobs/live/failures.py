"""A model that failed among others that didn't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stockcast.errors import StockcastError


@dataclass(frozen=True)
class FailedModel:
    """Which model, and why."""

    name: str
    error: StockcastError

    def to_dict(self) -> dict[str, Any]:
        """The same as `--json` prints it in the model's place."""
        error = self.error
        told = {"kind": error.kind, "message": error.message, "fix": error.fix, "exit_code": error.exit_code}
        return {"name": self.name, "error": told}
