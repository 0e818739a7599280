"""Event files: what is read, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stockcast.data.events.records import Events
from stockcast.errors import AmbiguousData, DataError, NotFound
from stockcast.reading.events import read_events


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> Events:
    path = tmp_path / "events.csv"
    path.write_bytes(text.encode(encoding))
    return read_events([str(path)])


def rows(events: Events) -> list[tuple[str, ...]]:
    columns = (events.dates, events.series, events.kinds, events.when, events.known)
    return [tuple(map(str, row)) for row in zip(*columns, strict=True)]


def test_a_line_is_an_event_known_thirty_days_before(tmp_path: Path) -> None:
    text = "date,series,kind\n2024-05-02,AAPL,report\n2024-01-31,,rates\n"
    assert rows(read(tmp_path, text)) == [
        ("2024-01-31", "", "rates", "", "2024-01-01"),
        ("2024-05-02", "AAPL", "report", "", "2024-04-02"),
    ]


def test_it_may_say_when_in_the_day_and_from_when_on_it_is_known(tmp_path: Path) -> None:
    text = (
        "date,series,kind,when,known\n2024-05-02,aapl,report,after,2024-04-20\n2024-05-03,xom,report,BMO,\n"
        "2024-05-06,kkr,report,,2024-05-07\n"
    )
    assert rows(read(tmp_path, text)) == [
        ("2024-05-02", "aapl", "report", "after", "2024-04-20"),
        ("2024-05-03", "xom", "report", "before", "2024-04-03"),
        ("2024-05-06", "kkr", "report", "", "2024-05-07"),
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Date;Symbol;Event;EPS\r\n02.05.2024;AAPL;Earnings;1,53\r\n31.07.2024;AAPL;Earnings;1,40\r\n", "utf-16"),
        ("kind\tticker\tdate\nresults\tAAPL\tMay 2, 2024\nresults\tAAPL\tJul 31, 2024\n", "utf-8-sig"),
        ("date|series|kind\n2024-05-02 16:30:00|AAPL|report\n\n2024-07-31 16:30:00|AAPL|report", "cp1252"),
        ('"date","series","kind"\n"05/02/24","AAPL","report"\n"07/31/24","AAPL","report"\n', "utf-8"),
    ],
)
def test_it_is_read_in_the_dialects_of_prices(tmp_path: Path, text: str, encoding: str) -> None:
    assert [row[:3] for row in rows(read(tmp_path, text, encoding))] == [
        ("2024-05-02", "AAPL", "report"),
        ("2024-07-31", "AAPL", "report"),
    ]


def test_two_digits_may_be_a_year_to_come(tmp_path: Path) -> None:
    soon = np.datetime64("today") + 40
    day = soon.item()
    text = f"date,series,kind\n12/31/19,a,report\n{day:%m/%d/%y},a,report\n"
    assert str(read(tmp_path, text).dates[-1]) == str(soon)


def test_several_files_and_folders_may_say_the_same(tmp_path: Path) -> None:
    for name, text in {
        "a.csv": "2024-05-02,AAPL,report\n",
        "b.csv": "2024-05-02,aapl,Earnings\n2024-05-03,b,x\n",
    }.items():
        (tmp_path / name).write_text(f"date,series,kind\n{text}", encoding="utf-8")
    assert len(read_events([str(tmp_path), str(tmp_path / "b.csv")])) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("date,series,kind\n", "has a header and no event"),
        ("2024-05-02,AAPL,report\n2024-07-31,AAPL,report\n", "no header with the columns date, series, kind"),
        ("date,kind\n2024-05-02,report\n", "no header"),
        ("date,series,kind\n2024-05-02,AAPL,report\n2024-05-32,AAPL,report\n", "line 3: '2024-05-32' is no date"),
        ("date,series,kind\n2024-05-02,AAPL,report\n,AAPL,report\n", "line 3: '' is no date"),
        ("date,series,kind\n2024-05,AAPL,report\n", "line 2: '2024-05' is no date"),
        ("date,series,kind\n\n2024-05-02,AAPL\n2024-05-03,AAPL,report\n2024-05-04,AAPL,report\n", "line 3: 2 cells"),
        ("date,series,kind\n2024-05-02,AAPL,\n", "line 2: the kind '' is not a word"),
        ("date,series,kind\n2024-05-02,AAPL,1.53\n", "line 2: the kind '1.53' is not a word"),
        ("date,series,kind,when\n2024-05-02,AAPL,report,noon\n", "line 2: 'noon' doesn't say when"),
        ("date,series,kind,known\n2024-05-02,AAPL,report,soon\n", "line 2: 'soon' is no date"),
        (
            "date,series,kind,when\n2024-05-02,AAPL,report,after\n2024-05-02,aapl,report,before\n",
            "line 3: report of aapl on 2024-05-02 stands in .*line 2, too, with another time",
        ),
        (
            "date,series,kind\n" + "".join(f"2024-05-02,AAPL,word{n}\n" for n in range(13)),
            "there are 13 kinds of events",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        read(tmp_path, text)
    assert raised.value.fix


def test_a_date_that_could_be_two_is_asked_about(tmp_path: Path) -> None:
    with pytest.raises(AmbiguousData, match=r"line 2: '03/04/2024' is 2024-0[34]-0[34], or 2024-0[34]-0[34]"):
        read(tmp_path, "date,series,kind\n03/04/2024,AAPL,report\n")


def test_no_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file") as raised:
        read_events([str(tmp_path / "events.csv")])
    assert "--events" in str(raised.value.fix)
