"""The only clock that the ledger goes by."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)
