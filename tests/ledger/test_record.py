"""What is put into the ledger comes out again, and what counts is settled when it is issued."""

from __future__ import annotations

import runpy
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.errors import DataError
from stockcast.ledger.connection import consult
from stockcast.ledger.live_record import LiveRecord, read_record
from stockcast.ledger.outcomes import keep_outcomes
from stockcast.ledger.quantiles import from_distances, to_distances
from stockcast.ledger.records import ModelForecast
from stockcast.ledger.schema import LATE, LIVE, SUPERSEDED, TABLES

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "issues.py"))
make_model, issued, faults, MONDAY = (sample[key] for key in ("make_model", "issued", "faults", "MONDAY"))

pytestmark = pytest.mark.usefixtures("clock_put_right")

EVENING = "2026-03-02T22:30"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models" / "ledger.sqlite"


def rows(path: Path, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query, values).fetchall()


def record_of(path: Path, model: str = "acme") -> LiveRecord:
    record = consult(path, lambda connection: read_record(connection, model, "close"))
    assert record is not None
    return record


def test_what_was_issued_comes_out_again(path: Path) -> None:
    model = make_model(series=("aa", "bb"))
    receipt = issued(path, EVENING, model)
    assert (receipt.number, receipt.live, receipt.late, receipt.superseded) == (1, 6, 0, 0)
    record = record_of(path)
    assert record.names == ("aa", "bb")
    assert record.origin.tolist() == [MONDAY.item()] * 2
    assert record.last.tolist() == [100.0, 100.0]
    assert record.cutoff == model.cutoff
    for at, one in enumerate(model.series):
        assert record.target[at].tolist() == one.targets.tolist()
        np.testing.assert_allclose(record.quantiles[at], one.quantiles, rtol=0, atol=5e-12)
        for name in ("naive", "ewma"):
            np.testing.assert_allclose(record.opponents[name][at], one.opponents[name], rtol=0, atol=5e-12)
        assert np.isnan(record.opponents["har"][at]).all()
    assert (record.point == 0).all()
    assert np.isnan(record.move).all()


@given(
    quantiles=arrays(np.float64, (3, 11), elements=st.floats(-20, 20)),
    naive=arrays(np.float64, (3, 11), elements=st.floats(-20, 20)),
    tails=st.booleans(),
)
def test_quantiles_lose_nothing_above_the_eleventh_decimal(
    quantiles: np.ndarray, naive: np.ndarray, tails: bool
) -> None:
    part = slice(None) if tails else slice(1, -1)
    mine, others = from_distances(to_distances(quantiles[:, part], {"naive": naive}))
    np.testing.assert_allclose(mine[:, part], quantiles[:, part], rtol=0, atol=6e-12)
    np.testing.assert_allclose(others["naive"][:, part], naive[:, part], rtol=0, atol=6e-12)
    assert np.isnan(others["ewma"]).all()
    assert tails or np.isnan(np.concatenate([mine, others["naive"]])[:, [0, -1]]).all()


def test_a_record_has_the_tails_only_if_every_forecast_does(path: Path) -> None:
    """A model that was trained by an older stockcast has none."""
    model = make_model()
    (series,) = model.series
    without = {"naive": series.opponents["naive"][:, 1:-1]}
    older = replace(series, quantiles=series.quantiles[:, 1:-1], opponents=without)
    issued(path, EVENING, replace(model, series=(older,)))
    assert faults(path) == []
    assert record_of(path).quantiles.shape == (1, 3, 9)
    issued(path, "2026-03-03T22:30", make_model(origin=MONDAY + 1))
    record = record_of(path)
    assert faults(path) == []
    np.testing.assert_allclose(record.quantiles[0], older.quantiles, rtol=0, atol=5e-12)
    np.testing.assert_allclose(record.opponents["naive"][0], without["naive"], rtol=0, atol=5e-12)
    since = consult(path, lambda connection: read_record(connection, "acme", "close", since=MONDAY + 1))
    assert since is not None
    np.testing.assert_allclose(since.quantiles[0], series.quantiles, rtol=0, atol=5e-12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(wrong: float) -> None:
    (series,) = make_model().series
    quantiles = series.quantiles.copy()
    quantiles[1, 3] = wrong
    with pytest.raises(DataError, match="no number above zero"):
        type(series)(**(vars(series) | {"quantiles": quantiles}))


def statuses(path: Path, issue: int) -> list[int]:
    query = "SELECT f.status FROM prediction p JOIN forecast f ON f.prediction = p.id WHERE p.issue = ? ORDER BY f.id"
    return [status for (status,) in rows(path, query, issue)]


def test_the_first_that_comes_in_time_counts(path: Path) -> None:
    """Monday's forecast of Tuesday to Thursday: twice on Monday evening, once more in the course of Tuesday."""
    assert issued(path, EVENING, make_model(width=0.01)).live == 3
    again = issued(path, "2026-03-02T23:00", make_model(width=0.02))
    assert (again.live, again.late, again.superseded) == (0, 0, 3)
    late = issued(path, "2026-03-03T09:00", make_model(width=0.03, steps=4))
    assert (late.live, late.late, late.superseded) == (1, 1, 2)
    assert statuses(path, 3) == [LATE, SUPERSEDED, SUPERSEDED, LIVE]
    record = record_of(path)
    assert record.counts.sum() == 4
    assert record.quantiles[0, 0, 9] == pytest.approx(0.0196)


def test_what_came_too_late_makes_room_for_what_is_in_time(path: Path) -> None:
    issued(path, "2026-03-03T09:00", make_model())
    assert statuses(path, 1) == [LATE, LIVE, LIVE]
    issued(path, "2026-03-03T10:00", make_model())
    assert statuses(path, 2) == [LATE, SUPERSEDED, SUPERSEDED]


def test_models_series_and_origins_have_their_own_first(path: Path) -> None:
    issued(path, EVENING, make_model(), make_model("zinc"))
    issued(path, EVENING, make_model(series=("other",)))
    issued(path, "2026-03-03T22:30", make_model(origin=np.datetime64("2026-03-03")))
    assert {status for issue in (1, 2, 3) for status in statuses(path, issue)} == {LIVE}


@pytest.mark.parametrize(
    ("calendar", "day", "before", "after"),
    [
        # New York opens at 9:30: 14:30 UTC in winter, 13:30 from the Monday on after clocks were put forward.
        ("XNYS", "2026-03-05", "2026-03-06T14:29:59", "2026-03-06T14:30"),
        ("XNYS", "2026-03-06", "2026-03-09T13:29:59", "2026-03-09T13:30"),
        # Sydney opens at 10:00, which is the day before in UTC.
        ("XASX", "2026-03-02", "2026-03-02T22:59:59", "2026-03-02T23:00"),
        # Of these no exchange is known: the date begins at midnight UTC.
        ("weekdays", "2026-03-02", "2026-03-02T23:59:59", "2026-03-03T00:00"),
        ("24/7", "2026-03-02", "2026-03-02T23:59:59", "2026-03-03T00:00"),
    ],
)
def test_a_session_begins_when_its_exchange_opens(path: Path, calendar: str, day: str, before: str, after: str) -> None:
    model = make_model(origin=np.datetime64(day), steps=1, calendar=calendar)
    assert issued(path, before, model).live == 1
    assert issued(path.with_name("other.sqlite"), after, model).late == 1


def test_openings_are_asked_for_once_a_year(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issued(path, "2026-03-02T22:30", make_model(calendar="XNYS"))
    assert rows(path, "SELECT count(*) FROM opening") > [(240,)]
    monkeypatch.setattr("stockcast.ledger.record.openings", None)
    tuesday = make_model(origin=np.datetime64("2026-03-03"), calendar="XNYS")
    assert issued(path, "2026-03-03T22:30", tuesday).live == 3


def test_a_clock_that_went_back_counts_for_nothing(path: Path) -> None:
    assert issued(path, EVENING, make_model()).clock_behind == 0
    day_before = make_model("zinc", origin=np.datetime64("2026-02-27"))
    behind = issued(path, "2026-03-01T22:30", day_before)
    assert behind.clock_behind == 86_400 - 120
    assert (behind.live, behind.late) == (0, 3)
    # Set right, it is trusted again.
    assert issued(path, "2026-03-03T22:30", make_model(origin=np.datetime64("2026-03-03"))).live == 3


def test_a_clock_that_ran_ahead_once_does_not_spoil_what_follows(path: Path) -> None:
    assert issued(path, "2099-01-01T00:00", make_model()).live == 0
    assert issued(path, EVENING, make_model()).live == 3


def test_a_clock_before_the_prices_themselves_counts_for_nothing(path: Path) -> None:
    behind = issued(path, "2026-02-20T22:30", make_model())
    assert behind.clock_behind > 0
    assert (behind.live, behind.late) == (0, 3)
    # It is Monday in the first time zone while it is still Sunday morning in UTC.
    assert issued(path, "2026-03-01T10:00", make_model()).clock_behind == 0


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_changed_deleted_or_replaced(path: Path, table: str) -> None:
    issued(path, EVENING, make_model(calendar="XNYS"))
    (forecast,) = rows(path, "SELECT id FROM forecast LIMIT 1")[0]
    keep_outcomes(path, [(forecast, 0.01)], [])
    keep_outcomes(path, [], [(forecast, 0.02)])
    before = rows(path, f"SELECT * FROM {table}")
    assert before
    with closing(sqlite3.connect(path)) as connection:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        columns = ", ".join(names)
        for change in (
            f"UPDATE {table} SET {names[-1]} = {names[-1]}",
            f"DELETE FROM {table}",
            f"INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table}",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(change)
    assert rows(path, f"SELECT * FROM {table}") == before


def test_an_outcome_stays_what_was_seen_first(path: Path) -> None:
    issued(path, EVENING, make_model())
    (forecast,) = rows(path, "SELECT id FROM forecast LIMIT 1")[0]
    keep_outcomes(path, [(forecast, 0.01)], [])
    keep_outcomes(path, [(forecast, 0.03)], [])
    keep_outcomes(path, [], [(forecast, 0.02)])
    keep_outcomes(path, [], [(forecast, 0.02)])
    record = record_of(path)
    assert record.move[0, 0] == pytest.approx(0.01)
    assert record.revised[0, 0] == pytest.approx(0.02)
    assert record.revisions[0, 0] == 1


def test_the_views_say_in_sql_what_was_issued_and_how_it_did(path: Path) -> None:
    """Ten forecasts one step ahead, of which the 80 % band held eight."""
    days = np.busday_offset(MONDAY, np.arange(10))
    for number, day in enumerate(days):
        issued(path, f"{day}T22:30", make_model(origin=day, steps=1))
        move = 0.02 if number < 2 else 0.005
        (forecast,) = rows(path, "SELECT max(id) FROM forecast")[0]
        keep_outcomes(path, [(forecast, move)], [])
    (first, *_) = rows(
        path,
        "SELECT model, series, origin, target, step, last, move, q025, q975, naive_q975, q010, q990, ewma_q010 "
        "FROM live_rows",
    )
    assert first[:6] == ("acme", "acme", "2026-03-02", "2026-03-03", 1, 100.0)
    assert first[6:] == pytest.approx((0.02, -0.0196, 0.0196, 1.2 * 0.0196, -0.02326, 0.02326, -1.1 * 0.02326))
    ((model, step, n, loss, naive, har),) = rows(
        path, "SELECT model, step, n, pinball, pinball_naive, pinball_har FROM live_scores"
    )
    assert (model, step, n) == ("acme", 1, 10)
    assert rows(path, "SELECT coverage_80, coverage_95, coverage_98 FROM live_scores") == [(0.8, 0.8, 1.0)]
    levels = np.array([0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975])

    def expected(quantiles: np.ndarray) -> float:
        moves = np.array([0.02, 0.02] + [0.005] * 8)
        below = moves[:, None] - quantiles
        return float(100 * np.maximum(levels * below, (levels - 1) * below).mean())

    quantiles = make_model(steps=1).series[0].quantiles[:, 1:-1]
    assert loss == pytest.approx(expected(quantiles))
    assert naive == pytest.approx(expected(1.2 * quantiles))
    assert har is None


def test_a_model_is_recorded_with_what_made_it(path: Path) -> None:
    model: ModelForecast = make_model()
    issued(path, EVENING, model)
    ((name, version, manifest, config, digest, cutoff, calendar),) = rows(
        path, "SELECT model, version, manifest_sha256, config, config_digest, cutoff, calendar FROM version"
    )
    assert (name, version, manifest, config, digest, calendar) == (
        *(model.model, model.version, model.manifest_sha256, model.config, model.config_digest, model.calendar),
    )
    assert np.datetime64(cutoff, "D") == model.cutoff
