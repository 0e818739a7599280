"""A model that failed among others that didn't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from stockcast.errors import StockcastError

_Made = TypeVar("_Made")


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


def or_failed(names: Sequence[str], made: Sequence[_Made | StockcastError]) -> tuple[_Made | FailedModel, ...]:
    """What was made of each of `names`, in their order; a failure where an error stands in its place."""
    return tuple(
        FailedModel(name, one) if isinstance(one, StockcastError) else one
        for name, one in zip(names, made, strict=True)
    )
