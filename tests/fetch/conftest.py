"""What the tests of fetching share: the loopback server, with yfinance's own code and Tiingo's client pointed at it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stockcast.fetch import pace, tiingo, yahoo
from stockcast.ledger import clock

FAULTS = Path(__file__).parents[1] / "faults"


@pytest.fixture(scope="session")
def loopback() -> ModuleType:
    """The module tests/faults/loopback.py."""
    spec = importlib.util.spec_from_file_location("loopback", FAULTS / "loopback.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["loopback"] = module
    spec.loader.exec_module(module)
    return module


class World:
    """A server, the moment that it is, and the seconds that were slept."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.now = datetime(2024, 3, 1, 22, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def set(self, moment: str) -> None:
        """Let it be this moment, in UTC."""
        self.now = datetime.fromisoformat(f"{moment}+00:00")


@pytest.fixture
def world(loopback: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A market that only exists here; no test waits."""
    import yfinance

    yfinance.set_tz_cache_location(str(tmp_path / "of yfinance"))
    server = loopback.Loopback()
    made = World(server)
    server.now = lambda: made.now
    monkeypatch.setattr(clock, "utc_now", lambda: made.now)
    monkeypatch.setattr(yahoo, "new_session", loopback.pointed_at(server.base))
    monkeypatch.setattr(tiingo, "BASE", server.base)
    monkeypatch.setenv("TIINGO_API_KEY", "a-secret-token")
    monkeypatch.setattr(pace, "sleep", made.slept.append)
    yield made
    server.close()


@pytest.fixture
def stock(loopback: ModuleType) -> Callable[..., Any]:
    """Makes a stock: `stock(300, seed=0, first="2023-01-03")`."""

    def make(rows: int = 300, seed: int = 0, first: str = "2023-01-03") -> Any:
        return loopback.made_up_stock(loopback.weekdays(datetime.fromisoformat(first).date(), rows), seed)

    return make
