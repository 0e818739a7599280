"""What a recorded forecast's outcome is, whatever has happened to the prices since."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.data.series import Panel, PriceSeries
from stockcast.jobs.live.outcomes import Outcomes, match_outcomes
from stockcast.ledger.connection import consult
from stockcast.ledger.live_record import LiveRecord, read_record
from stockcast.ledger.outcomes import keep_outcomes

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "issues.py"))
make_model, issued, MONDAY = sample["make_model"], sample["issued"], sample["MONDAY"]

pytestmark = pytest.mark.usefixtures("clock_put_right")

DAYS = np.busday_offset(MONDAY, np.arange(-5, 25))
CLOSES = np.round(100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.02, len(DAYS)))), 2)
TODAY = DAYS[-1]


def series(closes: np.ndarray = CLOSES, days: np.ndarray = DAYS, name: str = "acme", decimals: int = 2) -> PriceSeries:
    return PriceSeries(name, days, {"close": closes}, decimals)


def record(path: Path, sessions: int = 10, prices: PriceSeries | None = None) -> LiveRecord:
    """Forecasts three sessions ahead from the first Monday's close and the nine that follow."""
    prices = prices or series()
    for row in range(5, 5 + sessions):
        day, closes = prices.dates[row], prices.columns["close"]
        model = make_model(origin=day, series=(prices.name,))
        facts = {"last": float(closes[row]), "before": float(np.log(closes[row] / closes[row - 1]))}
        issued(path, f"{day}T22:30", replace(model, series=(replace(model.series[0], **facts),)))
    return again(path)


def again(path: Path) -> LiveRecord:
    found = consult(path, lambda connection: read_record(connection, "acme", "close"))
    assert found is not None
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def outcomes(record: LiveRecord, *now: PriceSeries, today: np.datetime64 = TODAY) -> Outcomes:
    return match_outcomes(record, Panel(now), "close", today)


def moves(closes: np.ndarray = CLOSES) -> np.ndarray:
    """The log returns of 1 to 3 sessions from each of the ten origins, (10, 3)."""
    return np.array([[np.log(closes[row + step] / closes[row]) for step in (1, 2, 3)] for row in range(5, 15)])


def test_an_outcome_is_the_return_from_the_origin_to_the_session(path: Path) -> None:
    found = outcomes(record(path), series())
    np.testing.assert_allclose(found.move, moves(), rtol=0, atol=1e-12)
    assert len(found.first) == 30
    assert (found.revised, found.revisions, found.skipped) == ((), 0, 14)
    assert not (found.void | found.overdue | found.waiting).any()
    assert not found.changed.any()
    assert (found.row == np.arange(5, 15)).all()


def test_what_has_not_come_is_waited_for(path: Path) -> None:
    kept = record(path)
    found = outcomes(kept, series(CLOSES[:15], DAYS[:15]), today=DAYS[14])
    assert np.isfinite(found.move).sum() == 30 - found.waiting.sum()
    assert found.waiting.sum() == 6
    assert not found.overdue.any()


@pytest.mark.parametrize("by_the_clock", [True, False])
def test_what_never_came_is_counted_and_not_waited_for(path: Path, by_the_clock: bool) -> None:
    """The series ended; that is told by the clock, or by another series of the panel that went on."""
    kept = record(path)
    later = DAYS[14] + 60
    ended = series(CLOSES[:15], DAYS[:15])
    other = series(np.ones(3), np.array([later - 2, later - 1, later]), "other")
    found = outcomes(kept, ended, *([] if by_the_clock else [other]), today=later if by_the_clock else DAYS[14])
    assert (found.waiting.sum(), found.overdue.sum(), found.void.sum()) == (0, 6, 0)


def test_a_session_that_did_not_take_place_has_no_outcome_but_its_own(path: Path) -> None:
    """The eighth day turns out to be a holiday: the next session's price is not its outcome."""
    holiday = 12
    kept = record(path, 6)
    closes, days = np.delete(CLOSES, holiday), np.delete(DAYS, holiday)
    found = outcomes(kept, series(closes, days))
    hit = kept.target == DAYS[holiday]
    assert hit.sum() == 2
    assert (found.void == hit).all()
    assert np.isnan(found.move[hit]).all()
    np.testing.assert_allclose(found.move[~hit], moves()[:6][~hit], rtol=0, atol=1e-12)


def test_dividends_and_splits_change_nothing_not_even_in_cents(path: Path) -> None:
    kept = record(path)
    for now in (series(CLOSES / 2), series(np.round(CLOSES * 0.497, 2)), series(CLOSES * 37.123456, decimals=9)):
        found = outcomes(kept, now)
        np.testing.assert_allclose(found.move, moves(), rtol=0, atol=6e-4)
        assert not found.changed.any()
        assert found.strangers == ()


def test_the_first_outcome_stays_and_later_ones_are_counted(path: Path) -> None:
    kept = record(path)
    first = outcomes(kept, series())
    keep_outcomes(path, first.first, first.revised)
    corrected = CLOSES.copy()
    corrected[10] *= 1.03
    found = outcomes(again(path), series(corrected))
    assert found.first == ()
    np.testing.assert_allclose(found.move, moves(), rtol=0, atol=1e-11)
    touched = (again(path).target == DAYS[10]) | (again(path).origin == DAYS[10])[:, None]
    assert touched.sum() == 6
    assert len(found.revised) == found.revisions == 6
    assert found.changed.sum() == 2
    keep_outcomes(path, found.first, found.revised)
    settled = outcomes(again(path), series(corrected))
    assert (settled.revised, settled.revisions) == ((), 6)
    back = outcomes(again(path), series())
    assert (len(back.revised), back.revisions) == (6, 6)


def test_rounding_to_cents_is_no_revision(path: Path) -> None:
    kept = record(path)
    first = outcomes(kept, series())
    keep_outcomes(path, first.first, first.revised)
    for factor in (0.5, 0.2, 0.993):
        found = outcomes(again(path), series(np.round(CLOSES * factor, 2)))
        assert (found.revised, found.revisions) == ((), 0)


def test_a_series_under_another_name_is_known_by_its_returns(path: Path) -> None:
    kept = record(path)
    other = series(CLOSES[::-1].copy(), name="other")
    found = outcomes(kept, other, series(name="acme-holdings"))
    assert found.renamed == {"acme": "acme-holdings"}
    np.testing.assert_allclose(found.move, moves(), rtol=0, atol=1e-12)
    for now in ((other,), (series(name="one"), series(name="two"))):
        unknown = outcomes(kept, *now)
        assert unknown.renamed == {}
        assert np.isnan(unknown.move).all()


def test_of_four_sessions_nobody_is_known_again(path: Path) -> None:
    assert outcomes(record(path, 4), series(name="acme-holdings")).renamed == {}


def test_another_series_under_the_name_gives_no_outcome(path: Path) -> None:
    kept = record(path)
    found = outcomes(kept, series(CLOSES[::-1].copy()))
    assert found.strangers == ("acme",)
    assert np.isnan(found.move).all()
    assert found.first == ()


def test_a_history_that_was_cut_off_gives_no_outcome_of_what_is_gone(path: Path) -> None:
    kept = record(path)
    found = outcomes(kept, series(CLOSES[8:], DAYS[8:]))
    assert found.void.sum() == 9
    np.testing.assert_allclose(found.move[3:], moves()[3:], rtol=0, atol=1e-12)
    assert found.last[0] == kept.last[0]


def test_sessions_without_a_forecast_are_counted(path: Path) -> None:
    prices = series()
    for row in (5, 6, 9, 10):
        issued(path, f"{DAYS[row]}T22:30", make_model(origin=DAYS[row]))
    found: Any = outcomes(again(path), series(prices.columns["close"][:12], DAYS[:12]), today=DAYS[11])
    assert found.skipped == 2
