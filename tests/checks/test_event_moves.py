"""How prices moved on the days of events, against a price whose moves are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stockcast.checks.event_moves import KindMoves, event_moves
from stockcast.data.events.records import Events, events_of
from stockcast.data.series import Panel, PriceSeries

JUMPS = {50: 0.05, 80: -0.03}
"""By row; every other session adds a hundredth."""


def jumping() -> PriceSeries:
    moves = np.full(100, 0.01)
    for row, jump in JUMPS.items():
        moves[row] = jump
    dates = np.busday_offset("2024-01-01", np.arange(100), roll="forward")
    return PriceSeries("acme", dates, {"close": 100 * np.exp(np.cumsum(moves))})


def moved(events: Events) -> KindMoves:
    (found,) = event_moves(events, Panel((jumping(),)).with_events(events).series)
    return found


def on(rows: list[int], when: str, series: str = "ACME") -> Events:
    dates = jumping().dates
    return events_of([(dates[row], series, "report", when, dates[0]) for row in rows])


@pytest.mark.parametrize(("rows", "when"), [([50, 80], "before"), ([49, 79], "after")])
def test_the_move_of_the_session_that_answers_is_set_against_the_year_before(rows: list[int], when: str) -> None:
    found = moved(on(rows, when))
    second = 0.03 / ((78 * 0.01 + 0.05) / 79)  # the other jump is usual by then
    assert found.days == 2
    assert found.mean == pytest.approx((5 + second) / 2, rel=1e-9)
    assert (found.kind, found.events, found.series) == ("report", 2, 1)


def test_of_an_event_that_nobody_times_both_sessions_are_set_against_pairs() -> None:
    assert moved(on([50], "")).median == pytest.approx((0.05 + 0.01) / 0.02, rel=1e-9)


def test_what_lies_outside_the_prices_or_concerns_nobody_is_counted_but_not_measured() -> None:
    late = events_of([(np.datetime64("2030-01-01"), "", "report", "", np.datetime64("2029-01-01"))])
    assert moved(on([3], "before")).days == 0
    assert math.isnan(moved(late).median)
    assert moved(late).series == 1
    assert moved(on([50], "before", "other")).series == 0
