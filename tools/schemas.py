"""The JSON Schemas of docs/schemas: what each command prints with --json, and whether an output is that and no more.

A user's schema lets new keys come in later versions; `faults` lets none, so that no key goes undocumented.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"
PARTS = "parts"


def names() -> tuple[str, ...]:
    """The outputs that have a schema, such as models-list."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != PARTS))


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of an output."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def faults(name: str, output: object) -> list[str]:
    """What of an output is not as its schema says, a line each, undocumented keys too."""
    from jsonschema import Draft202012Validator, FormatChecker
    from referencing import Registry, Resource

    parts = Resource.from_contents(_closed(schema(PARTS)))
    registry: Registry[Any] = Registry().with_resources([("parts.json", parts)])
    validator = Draft202012Validator(_closed(schema(name)), registry=registry, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(output)]


def _closed(node: Any) -> Any:
    """The same schema where an object that lists its keys may have no others."""
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    lists_its_keys = isinstance(node.get("properties"), dict) and node.get("type") == "object"
    return {**closed, "additionalProperties": False} if lists_its_keys else closed
