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
from stockcast.evaluate.rows import newest_days, read_rows, read_table, rows_text, with_outcome
from stockcast.evaluate.verdict import verdict
from stockcast.model.baselines import build

Prices = Callable[..., PriceSeries]
LEVELS = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.975", "0.99")
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


def small(**changes: object) -> list[dict[str, object]]:
    """Two models of one series, three cutoffs and two steps, as rows; the row that `at` counts has `changes`."""
    days = ["2021-03-01", "2021-03-02", "2021-03-03", "2021-03-04", "2021-03-05"]
    prices = [100.0, 101.5, 99.25, 102.0, 103.5]
    rows: list[dict[str, object]] = []
    for model in ("mine", "other"):
        for at in range(3):
            for step in (1, 2):
                last, actual = prices[at], prices[at + step]
                row: dict[str, object] = {
                    "model": model,
                    "series": "acme",
                    "cutoff": days[at],
                    "date": days[at + step],
                    "step": step,
                }
                row |= {"last": last, "actual": actual, "forecast": last + 0.5}
                rows.append(row | {"q0.1": last - 3, "q0.5": last + 0.25, "q0.9": last + 4})
    rows[int(str(changes.pop("at", 0)))] |= changes
    return rows


def text_of(rows: list[dict[str, object]], columns: list[str] | None = None) -> str:
    """The rows as a CSV file with all their columns, or with these alone."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns or list(rows[0]), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def test_the_form_of_a_file_does_not_matter() -> None:
    plain = read_rows(text_of(small()))
    columns = list(small()[0])
    shuffled = text_of(small(), columns[::-1])
    head, *lines = text_of(small()).splitlines()
    quoted = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in [head, *lines])
    forms = [
        shuffled,
        "\ufeff" + text_of(small()),
        text_of(small()).replace("\n", "\r\n"),
        "\n".join([head.upper().replace("MODEL", " Model "), "", *lines, "", ""]),
        quoted,
        text_of([row | {"step": f"{row['step']}.0", "note": "a, b"} for row in small()]),
        text_of([{"": number} | row for number, row in enumerate(small())]),
    ]
    for form in forms:
        for found, expected in zip(read_rows(form), plain, strict=True):
            assert found.model == expected.model
            np.testing.assert_array_equal(found.forecast.quantiles, expected.forecast.quantiles)
            np.testing.assert_array_equal(found.actual, expected.actual)
            np.testing.assert_array_equal(found.dates, expected.dates)


def test_columns_that_are_not_used_are_named() -> None:
    table = read_table(text_of([{"": 1} | row | {"sigma": 2, "quarter": 3} for row in small()]))
    assert table.notes == ("Not used: the columns one without a name, sigma, quarter.",)


def test_levels_may_be_any_and_may_differ_between_models() -> None:
    rows = [row | {"q0.25": "", "q0.30": row["last"] if row["model"] == "mine" else ""} for row in small()]
    mine, other = read_rows(text_of(rows))
    assert mine.forecast.levels == (0.1, 0.3, 0.5, 0.9)
    assert other.forecast.levels == (0.1, 0.5, 0.9)
    assert mine.forecast.quantiles[0, 0].tolist() == [97, 100, 100.25, 104]


def test_the_median_stands_for_a_forecast_that_is_missing() -> None:
    rows = [row | ({"forecast": ""} if row["model"] == "mine" else {}) for row in small()]
    table = read_table(text_of(rows))
    assert table.notes == ("There is no forecast of mine: its median q0.5 stands for it.",)
    mine, other = read_rows(text_of(rows))
    assert (mine.forecast.point[0, 0], other.forecast.point[0, 0]) == (100.25, 100.5)
    only = read_rows(text_of(small(), [column for column in rows[0] if column != "forecast"]))
    assert only[1].forecast.point[0, 0] == 100.25


def test_steps_with_gaps_and_cutoffs_without_some_steps_are_kept_apart() -> None:
    rows = [row | {"step": 5} if row["step"] == 2 else row for row in small()]
    mine, _ = read_rows(text_of([row for row in rows if (row["cutoff"], row["step"]) != ("2021-03-02", 1)]))
    known = np.isfinite(mine.actual)
    assert known.tolist() == [[True, *[False] * 3, True], [*[False] * 4, True], [True, *[False] * 3, True]]
    assert np.isfinite(mine.forecast.point).tolist() == known.tolist()
    assert (~np.isnat(mine.dates)).tolist() == known.tolist()


def test_rows_whose_price_has_not_come_are_left_out_and_counted() -> None:
    rows = [row | ({"actual": ""} if row["date"] == "2021-03-05" else {}) for row in small()]
    table = with_outcome(read_table(text_of(rows)))
    assert len(table) == 10
    assert table.notes == ("Left out: 2 rows whose price has not come.",)


WRONG: dict[str, tuple[dict[str, object], str, str]] = {
    "a date on its cutoff": ({"date": "2021-03-01"}, "the date 2021-03-01 is not after its cutoff", "leave such rows"),
    "a step of zero": ({"step": 0}, "step '0' is no whole number from 1", "count the sessions"),
    "half a step": ({"step": 1.5}, "step '1.5' is no whole number", "count the sessions"),
    "a step too far": ({"step": 100000}, "step '100000' is no whole number from 1 to 1000", "count"),
    "a German date": ({"date": "02.03.2021"}, "date '02.03.2021' is no date", "YYYY-MM-DD"),
    "a day that is none": ({"cutoff": "2021-02-30"}, "cutoff '2021-02-30' is no date", "YYYY-MM-DD"),
    "a moment": ({"cutoff": "2021-03-01 00:00:00"}, "is no date", "YYYY-MM-DD"),
    "a word": ({"forecast": "n/a"}, "forecast 'n/a' is no number", "1234.5"),
    "nan": ({"forecast": "nan"}, "forecast 'nan' is no number", "1234.5"),
    "infinity": ({"q0.9": "inf"}, "q0.9 'inf' is no number", "1234.5"),
    "a huge number": ({"q0.9": "1e999"}, "q0.9 '1e999' is no number", "1234.5"),
    "a decimal comma": ({"last": "100,5"}, "last '100,5' is no number", "1234.5"),
    "a Python number": ({"last": "1_00"}, "last '1_00' is no number", "1234.5"),
    "a negative price": ({"last": -100}, "last is -100, and prices are above 0", "not returns"),
    "a forecast of zero": ({"forecast": 0}, "forecast is 0, and prices are above 0", "not returns"),
    "crossed quantiles": ({"q0.1": 101}, "the quantiles cross: q0.1 is 101, above q0.5, which is 100.25", "sort"),
    "a hole among the levels": ({"q0.5": ""}, "q0.5 is empty, but mine has it in other rows", "complete"),
    "a hole among the forecasts": ({"forecast": ""}, "forecast is empty, but mine has it in other rows", "complete"),
    "no name": ({"series": ""}, "series is empty", "name the series"),
    "a last price in doubt": ({"last": 100.5}, "but last is 100.5 for the same day in line 2", "the same column"),
    "an actual price in doubt": ({"actual": 101.4}, "but actual is 101.4 for the same day in line 2", "same column"),
    "a date in doubt": ({"at": 7, "date": "2021-03-04", "actual": 102.0}, "but mine on 2021-03-03 in line 3", "alike"),
}


@pytest.mark.parametrize(("changes", "message", "fix"), list(WRONG.values()), ids=list(WRONG))
def test_a_wrong_row_is_named_with_its_line_and_the_rule(changes: dict[str, object], message: str, fix: str) -> None:
    with pytest.raises(DataError, match=r"^rows\.csv, line \d+: ") as error:
        with_outcome(read_table(text_of(small(**changes)), "rows.csv"))
    assert message in error.value.message
    assert fix in str(error.value.fix)


def test_a_row_that_is_there_twice_is_named_with_both_lines() -> None:
    with pytest.raises(DataError) as error:
        read_table(text_of([*small(), small()[3]]))
    assert "line 14: mine has this series, cutoff and step (acme, 2021-03-02, 2) a second time" in error.value.message
    assert "after line 5." in error.value.message


def test_steps_out_of_the_order_of_their_dates_are_named() -> None:
    rows = small()
    rows[0], rows[1] = rows[0] | {"step": 2}, rows[1] | {"step": 1}
    with pytest.raises(DataError, match=r"line 2: the date 2021-03-02 of step 2 is not after that of an earlier step"):
        read_table(text_of(rows))


def test_the_first_wrong_line_stands_for_all() -> None:
    rows = [row | {"last": -1} if number in (4, 7, 9) else row for number, row in enumerate(small())]
    with pytest.raises(DataError, match=r"line 6: last is -1, and prices are above 0\. Likewise 2 more rows\."):
        read_table(text_of(rows))


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("", "not a row file of forecasts: its first line is ''", "the first line names model, series"),
        ("Date,Open,Close\n2020-01-01,1,2\n", "its first line is 'Date,Open,Close', without model, series", "names"),
        (text_of(small()).replace(",", ";"), "not a row file", "write commas between the cells, not semicolons"),
        (text_of(small()).replace(",", "\t"), "not a row file", "write commas between the cells, not tabs"),
        (text_of(small(), ["model", "series", "cutoff", "date", "step", "q0.9"]), "without forecast.", "names"),
        (text_of(small()).split("\n")[0], "has no rows below its first line", "with forecasts"),
        (text_of(small()) + "mine,acme\n", "line 14: there are 2 cells, and 11 in the first line", "complete that"),
        (text_of(small()).replace("mine", '"mine', 1), "line 13: the quotes are broken", "CSV writer"),
        (text_of(small()).replace("q0.9", "q90"), "has a column q90: a level lies between 0 and 1", "call it q0.9"),
        (text_of(small()).replace("q0.9", "q0.10"), "has two columns q0.1", "leave one of them out"),
        (text_of(small()).replace("q0.9", "Last"), "has two columns last", "leave one of them out"),
    ],
)
def test_another_file_is_refused(text: str, message: str, fix: str) -> None:
    with pytest.raises(DataError) as error:
        read_rows(text)
    assert message in error.value.message
    assert fix in str(error.value.fix)


def test_a_file_that_would_fill_the_memory_with_gaps_is_refused() -> None:
    first = np.datetime64("2000-01-01")
    rows = [f"m,x,{first + at},{first + at + 1},1,100,100,100" for at in range(4000)]
    rows.append(f"m,x,{first},{first + 1500},1000,100,100,100")
    with pytest.raises(DataError, match=r"4,001 rows of 4,000 cutoffs for 1000 steps: too many are missing"):
        read_rows("\n".join(["model,series,cutoff,date,step,last,actual,forecast", *rows]))
