"""Which model of a store a user means, and which there are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from stockcast.store.champion import CHAMPION

_LISTED = 10


def may_serve(folder: Path) -> bool:
    """Whether `folder` is a model with a champion, or can't be looked into."""
    try:
        (folder / CHAMPION).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # so that it is named, by whoever tries to read it, and stops nobody else
    return True


def meant(name: str, names: Sequence[str]) -> str:
    """`name` itself if it is one of `names`, or the only one of them that it differs from in capitals alone."""
    alike = [one for one in names if one.casefold() == name.casefold()]
    return alike[0] if name not in names and len(alike) == 1 else name


def listed(names: Sequence[str], wanted: str = "") -> str:
    """Some of `names` for a message, those most like the `wanted` one first."""

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, wanted.casefold(), name.casefold()).ratio()

    first = sorted(names, key=likeness, reverse=True) if wanted else list(names)
    rest = f" and {len(first) - _LISTED} more" if len(first) > _LISTED else ""
    return (", ".join(first[:_LISTED]) or "none") + rest
