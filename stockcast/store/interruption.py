"""What is said when the user breaks off: how far the work has come, as the disk has it, and nothing that isn't so."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from stockcast.errors import StockcastError

if TYPE_CHECKING:
    from stockcast.store.store import Store


@contextmanager
def noted(so_far: Callable[[], str]) -> Iterator[None]:
    """Add the sentence `so_far`, asked for in that moment, to an interruption that comes from the body."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(so_far())
        raise


@contextmanager
def deaf() -> Iterator[None]:
    """Ignore further interruptions, where this is the thread that they come to: an impatient user sends several."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def notes_of(stop: BaseException) -> list[str]:
    """All sentences that were added to an interruption, or to those that it came on top of or was made from."""
    notes: list[str] = []
    error: BaseException | None = stop
    while error is not None:
        notes = [*getattr(error, "__notes__", ()), *notes]
        error = error.__cause__ or error.__context__
    return notes


def who_serves(store: Store, name: str) -> Callable[[], str]:
    """A sentence, for later, on whether another version of model `name` serves then than at the time of this call."""
    before = serving(store, name)

    def so_far() -> str:
        now = serving(store, name)
        if now is None:
            return f"{name} was not saved, and serves no forecasts yet."
        return f"{name} is served by {now} {'as before' if now == before else 'from now on'}."

    return so_far


def serving(store: Store, name: str) -> str | None:
    """The version of model `name` that serves, or None where there is none that can be read."""
    try:
        return store.champion(name).version
    except StockcastError:
        return None
