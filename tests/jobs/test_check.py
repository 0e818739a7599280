"""`check`: what it says of sound, doubtful, ambiguous and broken files, and what other commands make of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stockcast import errors
from stockcast.data.series import PriceSeries
from stockcast.jobs.check import CheckResult, run_check
from stockcast.jobs.source import reading_lines
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import Hints
from stockcast.view.check import check_text

TODAY = date(2030, 1, 1)
Prices = Callable[..., PriceSeries]


def write(path: Path, several: Sequence[PriceSeries]) -> Path:
    """A plain file of one series, or a long one of several."""
    long = len(several) > 1
    lines = ["Date,Open,High,Low,Close,Volume" + (",Ticker" if long else "")]
    for one in several:
        for row, day in enumerate(one.dates):
            cells = [str(day), *(f"{one.columns[key][row]:.2f}" for key in one.columns)]
            lines.append(",".join([*cells, one.name] if long else cells))
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def with_split(series: PriceSeries, row: int) -> PriceSeries:
    before = np.arange(len(series)) < row
    columns = {key: np.where(before, 2 * v, v) if key != "volume" else v for key, v in series.columns.items()}
    return PriceSeries(series.name, series.dates, columns)


def check(path: Path, hints: Hints = Hints()) -> CheckResult:
    return run_check([str(path)], hints, TODAY, store=path.parent / "models")


def test_a_sound_file_is_described_in_full(prices: Prices, tmp_path: Path) -> None:
    series = prices(rows=60)
    path = write(tmp_path / "acme.csv", [series])
    result = check(path)
    (file,) = json.loads(json.dumps(result.to_dict()))["files"]
    close = series.columns["close"]
    assert file["reading"] == {
        "delimiter": ",",
        "decimal": ".",
        "thousands": "",
        "date_format": "%Y-%m-%d",
        "order": "oldest first",
        "columns": {key: key.capitalize() for key in ("date", "open", "high", "low", "close", "volume")},
        "unused": [],
        "has_header": True,
    }
    (one,) = file["series"]
    assert one["close_sum"] == pytest.approx(close.sum())
    assert {key: one[key] for key in one if key != "close_sum"} == {
        "name": "acme",
        "rows": 60,
        "first": str(series.dates[0]),
        "last": str(series.dates[-1]),
        "first_close": close[0],
        "last_close": close[-1],
        "columns": ["open", "high", "low", "close", "volume"],
    }
    assert file["question"] is None
    assert result.exit_code == 0


def test_a_warning_leaves_a_file_usable(prices: Prices, tmp_path: Path) -> None:
    series = prices(rows=60)
    high = series.columns["high"].copy()
    high[5] = series.columns["close"][5] - 1
    path = write(tmp_path / "acme.csv", [PriceSeries("acme", series.dates, {**series.columns, "high": high})])
    result = check(path)
    (file,) = result.to_dict()["files"]
    assert (file["verdict"], result.exit_code) == ("warn", 0)
    warning = next(one for one in file["warnings"] if one["kind"] == "close_outside")
    assert (warning["count"], warning["first"]) == (1, str(series.dates[5]))


def test_sessions_missing_from_the_matched_calendar_are_found(prices: Prices, tmp_path: Path) -> None:
    series = prices(rows=600)
    kept = np.delete(np.arange(600), [77])
    part = PriceSeries("acme", series.dates[kept], {key: v[kept] for key, v in series.columns.items()})
    (file,) = check(write(tmp_path / "acme.csv", [part])).to_dict()["files"]
    (warning,) = (one for one in file["warnings"] if one["kind"] == "missing_sessions")
    assert warning["first"] == str(series.dates[77])


@pytest.mark.parametrize("step", ["W-WED", "ME"])
def test_weekly_and_monthly_prices_miss_no_sessions(step: str, tmp_path: Path) -> None:
    days = np.datetime64("2015-01-07") + 7 * np.arange(60)
    if step == "ME":
        days = (np.datetime64("2015-02") + np.arange(60)).astype("datetime64[D]") - 1
    lines = [f"{day},{100 + number % 7}" for number, day in enumerate(days)]
    path = tmp_path / "rare.csv"
    path.write_text("\n".join(["Date,Close", *lines, ""]), encoding="utf-8")
    assert check(path).to_dict()["files"][0]["warnings"] == []


def test_a_refused_fault_is_shown_beside_the_prices_and_can_be_accepted(prices: Prices, tmp_path: Path) -> None:
    path = write(tmp_path / "acme.csv", [with_split(prices(rows=300), 100)])
    refused = check(path)
    (file,) = refused.to_dict()["files"]
    assert (file["verdict"], refused.exit_code, file["series"][0]["rows"]) == ("refuse", 65, 300)
    assert check(path, Hints(accept=frozenset({"splits"}))).exit_code == 0


def test_a_question_is_asked_and_a_broken_file_explained(tmp_path: Path) -> None:
    ambiguous, broken = tmp_path / "ambiguous.csv", tmp_path / "broken.csv"
    ambiguous.write_text("Date,Close\n" + "".join(f"0{day}/01/2020,{day}\n" for day in range(6, 10)), encoding="utf-8")
    broken.write_text("<html>", encoding="utf-8")
    result = check(tmp_path)
    first, second = result.to_dict()["files"]
    assert "--date-format" in first["question"]
    assert (first["verdict"], first["series"], first["reading"]) == ("refuse", [], None)
    assert second["question"] is None
    assert "is a web page" in second["warnings"][0]["message"]
    assert result.exit_code == 65


def test_some_refused_files_of_many_give_exit_code_1(prices: Prices, tmp_path: Path) -> None:
    write(tmp_path / "acme.csv", [prices(rows=60)])
    (tmp_path / "broken.csv").write_text("<html>", encoding="utf-8")
    assert check(tmp_path).exit_code == 1


def test_text_has_the_reading_the_series_and_the_findings(prices: Prices, tmp_path: Path) -> None:
    path = write(tmp_path / "acme.csv", [with_split(prices(rows=300), 100)])
    text = check_text(check(path).to_dict())
    assert f"{path}: refused" in text
    assert "Cells between commas" in text
    assert "refused   unadjusted splits: 1 split" in text
    assert max(map(len, text.splitlines()[1:])) <= 110


def test_text_of_a_folder_has_one_line_a_file_and_a_total(prices: Prices, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        write(tmp_path / f"{name}.csv", [prices(rows=60, name=name)])
    (tmp_path / "broken.csv").write_text("{", encoding="utf-8")
    text = check_text(check(tmp_path).to_dict())
    assert [sum(f"{name}.csv" in line for line in text.splitlines()) for name in ("one", "broken")] == [1, 1]
    head, _, *rows = [line.split() for line in text.splitlines()[:6]]
    sound = next(row for row in rows if "two.csv" in row[0])
    assert head == ["file", "verdict", "found", "series", "rows", "first", "last"]
    assert sound[1:4] == ["sound", "1", "60"]
    assert text.endswith("4 files: 3 sound, 0 with warnings, 1 refused.")


def test_a_refusal_names_its_flag_and_one_that_is_accepted_says_so(prices: Prices, tmp_path: Path) -> None:
    path = write(tmp_path / "acme.csv", [with_split(prices(rows=60), 30)])
    text, accepted = (
        check_text(check(path, hints).to_dict()) for hints in (Hints(), Hints(accept=frozenset({"splits"})))
    )
    assert "refused   unadjusted splits: 1 split" in text
    assert "It is 2 for 1" in text
    assert "--accept splits" in " ".join(text.split())
    assert "accepted  unadjusted splits: 1 split" in accepted
    assert "--accept" not in accepted


def test_a_folder_s_table_is_no_wider_than_the_terminal(
    prices: Prices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for row in (20, 30):
        several = [with_split(prices(rows=60, seed=row), row)]
        write(tmp_path / f"a_file_with_quite_a_long_name_{row}.csv", several)
    text = check_text(check(tmp_path).to_dict())
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("a_file_with_") == 2


def test_the_columns_that_are_not_used_are_named(prices: Prices, tmp_path: Path) -> None:
    path = write(tmp_path / "acme.csv", [prices(rows=60)])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join([lines[0] + ",YCP,TRADE", *(f"{line},1.5,7" for line in lines[1:]), ""]), encoding="utf-8"
    )
    result = check(path).to_dict()
    assert result["files"][0]["reading"]["unused"] == ("YCP", "TRADE")
    assert "not used: YCP, TRADE." in " ".join(check_text(result).split())
    assert reading_lines(read_panel([str(path)]).files)[0].endswith("not used: YCP, TRADE.")


def test_the_findings_of_several_series_are_counted_together(prices: Prices, tmp_path: Path) -> None:
    several = [with_split(prices(rows=60, seed=seed, name=name), 30) for seed, name in enumerate("AB")]
    (found,) = check(write(tmp_path / "both.csv", several)).files[0].findings
    assert found.message.startswith("unadjusted splits: 2 splits in 2 series (A, B), the first on ")


def test_a_name_cannot_move_the_terminal_s_cursor(prices: Prices, tmp_path: Path) -> None:
    several = [prices(rows=40, seed=seed, name=name) for seed, name in enumerate(["A\u202e[2J", "B"])]
    text = check_text(check(write(tmp_path / "both.csv", several)).to_dict())
    assert "\u202e" not in text
    assert "A?[2J" in text


def test_other_commands_leave_out_refused_series_and_say_so(prices: Prices, tmp_path: Path) -> None:
    write(tmp_path / "good.csv", [prices(rows=300)])
    write(tmp_path / "split.csv", [with_split(prices(rows=300, seed=1), 100)])
    read = examined(read_panel([str(tmp_path)]), Hints(), TODAY)
    assert read.panel.names == ("good",)
    ((path, error),) = read.failures
    assert path.name == "split.csv"
    assert "--accept splits" in str(error.fix)


def test_other_commands_keep_accepted_series_with_their_findings(prices: Prices, tmp_path: Path) -> None:
    path = write(tmp_path / "split.csv", [with_split(prices(rows=300), 100)])
    hints = Hints(accept=frozenset({"splits"}))
    read = examined(read_panel([str(path)], hints), hints, TODAY)
    assert [one.kind for one in read.files[0].findings] == ["splits"]


def test_one_refused_ticker_does_not_spoil_the_others_of_a_long_file(prices: Prices, tmp_path: Path) -> None:
    several = [prices(rows=300, name="AAA"), with_split(prices(rows=300, seed=1, name="BBB"), 100)]
    read = examined(read_panel([str(write(tmp_path / "both.csv", several))]), Hints(), TODAY)
    assert read.panel.names == ("AAA",)
    assert "BBB" in read.failures[0][1].message


def test_if_every_series_is_refused_that_is_the_error(prices: Prices, tmp_path: Path) -> None:
    path = write(tmp_path / "split.csv", [with_split(prices(rows=300), 100)])
    with pytest.raises(errors.DataError, match="unadjusted splits"):
        examined(read_panel([str(path)]), Hints(), TODAY)


def test_events_are_described_beside_the_prices(prices: Prices, tmp_path: Path) -> None:
    one = prices(rows=300)
    path = write(tmp_path / "acme.csv", [one])
    other = write(tmp_path / "other.csv", [prices(rows=300, seed=1, name="other")])
    events = tmp_path / "events.csv"
    lines = [f"{one.dates[row]},ACME,report" for row in (50, 113, 299)] + ["2031-01-01,FOO,report"]
    events.write_text("\n".join(["date,series,kind", *lines]), encoding="utf-8")
    result = run_check([str(path), str(other)], Hints(), TODAY, [str(events)], store=tmp_path / "models").to_dict()
    (kind,) = json.loads(json.dumps(result))["events"]["kinds"]
    assert {key: kind[key] for key in ("kind", "events", "series", "days", "first", "last")} == {
        "kind": "report",
        "events": 4,
        "series": 1,
        "days": 2,
        "first": str(one.dates[50]),
        "last": "2031-01-01",
    }
    text = check_text(result)
    assert f"{kind['median']:.2f}" in text
    assert "Without any event: other." in text
    assert "Without prices: FOO." in text
    assert "events" not in run_check([str(path)], Hints(), TODAY, store=tmp_path / "models").to_dict()
