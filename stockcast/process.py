"""Whose process this is: the command line's own, or that of somebody who imported stockcast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OWN: ContextVar[bool] = ContextVar("own", default=False)


@contextmanager
def own_process() -> Iterator[None]:
    """Inside this, standard error and all loggers are stockcast's to change, as they are on the command line."""
    token = _OWN.set(True)
    try:
        yield
    finally:
        _OWN.reset(token)


def is_own() -> bool:
    """Whether nobody else has anything to say on standard error."""
    return _OWN.get()
