"""What `retrain` prints of a model, alone or among others."""

from __future__ import annotations


def outcome_sentence(name: str, promoted: bool, version: str, reason: str) -> str:
    """What came of a retraining of model `name`: which version serves from now on, and why."""
    return f"{name}: {version} {'serves now' if promoted else 'goes on serving'}; {reason}."
