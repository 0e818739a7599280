"""What is kept of the faults that a user takes with --accept, so that nobody is asked again."""

from __future__ import annotations

from stockcast.errors import Busy, CannotCreate, IOFailure
from stockcast.store.store import Store


def remember(store: Store, name: str, taken: frozenset[str]) -> list[str]:
    """Keep the faults `taken` beside model `name`; a sentence where that can't be done, which stops nothing."""
    if not taken:
        return []
    try:
        store.amend(name, accepted=taken)
    except (Busy, CannotCreate, IOFailure) as error:
        return [f"{', '.join(sorted(taken))} was taken for this time only: {error.message}"]
    return []
