"""JSON that is read as it was written: one form for every record, so that a single changed byte is noticed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stockcast.errors import ModelDamaged

REMEDY = "see stockcast models verify; then stockcast models rollback, or train it again."


def damaged(where: object, what: str) -> ModelDamaged:
    """The error for a file of a model that is not what it must be."""
    return ModelDamaged(f"{where} is damaged: {what}.", REMEDY)


def dump(table: Mapping[str, Any]) -> bytes:
    """The one form in which a record is written. Raises `ValueError` for NaN and infinity."""
    text = json.dumps(table, indent=1, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def dump_line(table: Mapping[str, Any]) -> bytes:
    """A record as one line. Raises `ValueError` for NaN and infinity."""
    return json.dumps(table, sort_keys=True, allow_nan=False).encode("ascii") + b"\n"


def log_line(event: str, now: datetime, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A record for a model's log: what happened, and when."""
    return {"time": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "event": event, **fields}


def load(data: bytes, where: object) -> dict[str, Any]:
    """A JSON object of finite numbers, in any layout. Raises `ModelDamaged` naming `where`."""
    try:
        table = json.loads(data.decode(), parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise damaged(where, f"not JSON ({str(error)[:80]})") from error
    if not isinstance(table, dict):
        raise damaged(where, "not a JSON object")
    return table


def load_exact(data: bytes, where: object) -> dict[str, Any]:
    """A record in exactly the form that `dump` gives it. Raises `ModelDamaged` naming `where`."""
    table = load(data, where)
    try:
        same = dump(table) == data
    except (ValueError, RecursionError) as error:
        raise damaged(where, str(error)[:80]) from error
    if not same:
        raise damaged(where, "not as stockcast wrote it")
    return table


def sha256(data: bytes) -> str:
    """Its SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number
