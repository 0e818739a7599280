"""How often a provider is asked: one request at a time, some time apart, and patience where it wants fewer.

Nothing else of `fetch` sleeps or looks at a clock that runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TypeVar

from stockcast.fetch.transport import TooManyRequests, Unreachable

Answer = TypeVar("Answer")

TRIES = 3
LONGEST_WAIT = 120.0
"""Seconds: where a provider asks for more, the run ends and says what is left."""

_FIRST_WAIT = 15.0
"""Seconds to wait where it doesn't say for how long; twice as many the next time."""


@dataclass
class Pace:
    """Keeps requests `pause` seconds apart."""

    pause: float = 1.0
    _last: float | None = field(default=None, init=False)

    def wait(self) -> None:
        """Return as soon as the next request may be made; whoever makes it calls this first."""
        if self._last is not None:
            rest = self._last + self.pause - monotonic()
            if rest > 0:
                sleep(rest)
        self._last = monotonic()

    def patient(self, ask: Callable[[], Answer]) -> Answer:
        """What `ask` gives, which is asked again after a while where the provider wants that, or can't answer now.

        Raises `TooManyRequests` or `Unreachable` where that goes on, and whatever else `ask` raises at once.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return ask()
            except TooManyRequests as error:
                rest = _FIRST_WAIT * self.pause * 2 ** (tries - 1) if error.wait is None else error.wait
                if tries == TRIES or rest > LONGEST_WAIT:
                    raise
            except Unreachable:
                rest = self.pause * 2 ** (tries - 1)
                if tries == TRIES:
                    raise
            sleep(rest)
