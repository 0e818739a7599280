"""The row file: what is written comes back, and nothing in it runs in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import numpy as np
import pytest

from stockcast.data.forecast import EvaluatedForecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import DataError
from stockcast.evaluate.rows import newest_days, read_rows, rows_text
from stockcast.evaluate.verdict import verdict
from stockcast.model.baselines import build

Prices = Callable[..., PriceSeries]
LEVELS = ("0.025", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.975")
HEADER = ["model", "series", "cutoff", "date", "step", "last", "actual", "forecast", *(f"q{level}" for level in LEVELS)]


def evaluated(panel: Panel, name: str) -> EvaluatedForecast:
    train = panel.upto(panel.series[0].dates[199])
    origins = [np.arange(min(200, len(one) - 2), len(one) - 1) for one in panel.series]
    return evaluate(name, panel, build(name, train, "close", 3).forecast(panel, origins), "close")


@pytest.fixture
def both(prices: Prices) -> list[EvaluatedForecast]:
    panel = Panel(
        (prices(seed=1, name="B"), prices(seed=2, name="A, with a comma"), prices(rows=250, seed=3, name="C"))
    )
    return [evaluated(panel, "naive"), evaluated(panel, "ewma")]


def test_what_is_written_comes_back(both: list[EvaluatedForecast]) -> None:
    read = read_rows(rows_text(both))
    assert [one.model for one in read] == ["naive", "ewma"]
    for found, wrote in zip(read, both, strict=True):
        assert found.names == wrote.names
        assert found.forecast.levels == wrote.forecast.levels
        np.testing.assert_array_equal(found.forecast.series, wrote.forecast.series)
        np.testing.assert_array_equal(found.origin, wrote.origin)
        np.testing.assert_array_equal(found.dates, wrote.dates)
        np.testing.assert_array_equal(found.actual, wrote.actual)
        np.testing.assert_array_equal(found.forecast.last, wrote.forecast.last)
        known = np.isfinite(wrote.actual)
        np.testing.assert_array_equal(found.forecast.point[known], wrote.forecast.point[known])
        np.testing.assert_allclose(found.forecast.quantiles[known], wrote.forecast.quantiles[known], rtol=1e-9)
    assert verdict(read[1], {"naive": read[0]}).sentences() == verdict(both[1], {"naive": both[0]}).sentences()


def test_it_is_a_plain_csv_with_later_dates_than_cutoffs(both: list[EvaluatedForecast]) -> None:
    header, *rows = csv.reader(io.StringIO(rows_text(both)))
    assert header == HEADER
    assert len(rows) == sum(int(np.isfinite(one.actual).sum()) for one in both)
    assert all(row[2] < row[3] for row in rows)
    first = dict(zip(header, rows[0], strict=True))
    assert (first["model"], first["series"], first["step"]) == ("naive", "B", "1")
    assert first["forecast"] == first["last"] == repr(float(both[0].forecast.last[0]))


def test_the_newest_days_are_whole_and_as_many_as_there_is_room_for(both: list[EvaluatedForecast]) -> None:
    naive = both[0]
    written = list(csv.DictReader(io.StringIO(rows_text([naive]))))
    assert newest_days(naive, len(written)) is naive
    for room in (len(written) - 1, 100, 10):
        kept = list(csv.DictReader(io.StringIO(rows_text([newest_days(naive, room)]))))
        first = min(row["cutoff"] for row in kept)
        assert kept == [row for row in written if row["cutoff"] >= first]
        day_before = max(row["cutoff"] for row in written if row["cutoff"] < first)
        assert len(kept) <= room < sum(row["cutoff"] >= day_before for row in written)
    newest = newest_days(naive, 1)  # one day stays, whatever its size
    assert set(newest.origin) == {naive.origin.max()}


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A0", "+1", "-1", "@sum", "\tx", "'plain", 'with "quotes"', "nul,l"])
def test_names_can_not_be_formulas_and_come_back_as_they_were(prices: Prices, name: str) -> None:
    text = rows_text([evaluated(Panel((prices(name=name),)), "naive")])
    cell = next(iter(csv.DictReader(io.StringIO(text))))["series"]
    assert cell[0] not in "=+-@\t"
    assert read_rows(text)[0].names == (name,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a row file"),
        ("Date,Open,Close\n2020-01-01,1,2\n", "not a row file of forecasts: its first line is 'Date,Open,Close'"),
        (f"{','.join(HEADER)}\nnaive,x,2020-01-01\n", "line 2 of the row file has 3 cells, not 17"),
        (f"{','.join(HEADER)}\nnaive,x,2020-01-01,soon,1{',1' * 12}\n", "not a number or a date"),
        (f"{','.join(HEADER)}\nnaive,x,2020-01-01,2020-01-02,1{',x' * 12}\n", "not a number or a date"),
    ],
)
def test_another_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_rows(text)
