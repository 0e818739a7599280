"""Issues to record, and what a ledger holds of them: made up, and told by their number."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import numpy as np

from stockcast.errors import NotFound
from stockcast.ledger import clock
from stockcast.ledger.chain import chain_faults
from stockcast.ledger.connection import consult
from stockcast.ledger.record import append_issue
from stockcast.ledger.records import Issue, ModelForecast, SeriesForecast
from stockcast.ledger.verify import file_faults

MONDAY = np.datetime64("2026-03-02")
SIGMA = np.array([-2.326, -1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96, 2.326])


def make_model(
    model: str = "acme",
    origin: np.datetime64 = MONDAY,
    steps: int = 3,
    series: tuple[str, ...] = ("acme",),
    calendar: str = "weekdays",
    width: float = 0.01,
) -> ModelForecast:
    """A forecast of `width` a day from `origin`, beside a wider last price and EWMA."""
    return ModelForecast(
        model,
        "20260221T021500Z-3f9c2a1b",
        "0" * 64,
        "daily",
        "0123456789ab",
        np.datetime64("2026-01-02"),
        calendar,
        "close",
        tuple(make_series(name, origin, steps, width) for name in series),
    )


def make_series(name: str, origin: np.datetime64, steps: int, width: float) -> SeriesForecast:
    quantiles = width * np.sqrt(np.arange(1.0, steps + 1))[:, None] * SIGMA
    return SeriesForecast(
        name,
        origin,
        100.0,
        0.001,
        bytes(16),
        np.busday_offset(origin, np.arange(1, steps + 1)),
        np.zeros(steps),
        quantiles,
        {"naive": 1.2 * quantiles, "ewma": 1.1 * quantiles},
    )


def issued(path: Path, moment: str, *models: ModelForecast) -> Issue:
    """Record an issue at that moment (ISO, with its zone)."""
    clock.utc_now = lambda: np.datetime64(moment, "us").item().replace(tzinfo=UTC)
    return append_issue(path, models)


def faults(path: Path) -> list[str]:
    """Whatever is wrong with a ledger. Raises `LedgerDamaged` for what is none."""
    return consult(path, lambda connection: file_faults(connection) or chain_faults(connection))


def issue_count(path: Path) -> int:
    """How many issues the ledger holds, 0 if there is none."""
    try:
        return int(consult(path, lambda connection: connection.execute("SELECT count(*) FROM issue").fetchone()[0]))
    except NotFound:
        return 0
