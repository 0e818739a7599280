"""Prices written in any dialect are read back equal; cut short anywhere, they never give a wrong number."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.data.series import PriceSeries
from stockcast.errors import DataError
from stockcast.reading.reader import read_file
from stockcast.reading.records import FileRead, Hints

CUT_ROWS = int(os.environ.get("STOCKCAST_CUT_ROWS", "1"))
"""Rows from the end at whose every byte a file is cut: one in the suite, five by hand."""

Row = tuple[date, float, float, float, float, int]


@dataclass(frozen=True)
class Dialect:
    """How a file of prices is written: its head, its rows, its line ends."""

    head: str
    row: Callable[[Row], str]
    newest_first: bool = False
    end: str = "\n"

    def text(self, rows: list[Row]) -> str:
        ordered = rows[::-1] if self.newest_first else rows
        return self.end.join([*([self.head] if self.head else []), *map(self.row, ordered), ""])


def comma(number: float) -> str:
    return f"{number:.2f}".replace(".", ",")


def german(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def ticks(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def serial(day: date) -> int:
    return (day - date(1899, 12, 30)).days


def joined(mark: str, *cells: object) -> str:
    return mark.join(str(cell) for cell in cells)


NAMES = "Date,Open,High,Low,Close,Volume"
DIALECTS = {
    "iso": Dialect(NAMES, lambda r: joined(",", *r)),
    "windows": Dialect(NAMES, lambda r: joined(",", *r), end="\r\n"),
    "american": Dialect(NAMES, lambda r: f'{r[0]:%m/%d/%Y},{r[1]},{r[2]},{r[3]},{r[4]},"{r[5]:,}"'),
    "grouped": Dialect(NAMES, lambda r: joined(",", r[0], *(f'"{cell:,.2f}"' for cell in r[1:5]), f'"{r[5]:,}"')),
    "six decimals": Dialect(
        "Date,Open,High,Low,Close,Volume", lambda r: joined(",", r[0], *(f"{cell:.6f}" for cell in r[1:5]), r[5])
    ),
    "european": Dialect(
        "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen",
        lambda r: joined(";", f"{r[0]:%d.%m.%Y}", *map(comma, r[1:5]), r[5]),
    ),
    "german": Dialect(
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke",
        lambda r: joined(";", f"{r[0]:%d.%m.%Y}", *map(german, r[1:5]), r[5]),
        newest_first=True,
    ),
    "investing": Dialect(
        '"Date","Price","Open","High","Low","Vol.","Change %"',
        lambda r: joined(",", f'"{r[0]:%b %d, %Y}"', *(f'"{r[i]:,.2f}"' for i in (4, 1, 2, 3)), f'"{r[5]}"', '"0.1%"'),
        newest_first=True,
    ),
    "dollars": Dialect(
        "Date,Close/Last,Volume,Open,High,Low",
        lambda r: f"{r[0]:%m/%d/%Y},${r[4]},{r[5]},${r[1]},${r[2]},${r[3]}",
        newest_first=True,
    ),
    "tabs": Dialect(
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
        lambda r: joined("\t", f"{r[0]:%Y.%m.%d}", *(f"{cell:.5f}" for cell in r[1:5]), r[5], 0, 2),
    ),
    "bulk": Dialect(
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        lambda r: joined(",", "A.US,D", f"{r[0]:%Y%m%d}", "000000", *r[1:], 0),
        end="\r\n",
    ),
    "milliseconds": Dialect(
        "Open time,Open,High,Low,Close,Volume,Close time",
        lambda r: joined(",", ticks(r[0]), *r[1:], ticks(r[0]) + 86_399_999),
    ),
    "headerless": Dialect("", lambda r: joined(",", f"{r[0]} 00:00", *r[1:])),
    "serial": Dialect(NAMES + ",,", lambda r: joined(",", f"{serial(r[0])}.00", *r[1:], "", "")),
    "zones": Dialect(
        NAMES + ",Dividends,Stock Splits", lambda r: joined(",", f"{r[0]} 00:00:00-05:00", *r[1:], "0.0", "0.0")
    ),
    "month names": Dialect("Date|Open|High|Low|Close|Volume", lambda r: joined("|", f"{r[0]:%d-%b-%y}", *r[1:])),
    "date last": Dialect("open,high,low,close,volume,date", lambda r: joined(",", *r[1:], r[0])),
    "close last": Dialect(
        "date;volume;open;high;low;close",
        lambda r: joined(";", f"{r[0]:%d/%m/%Y}", r[5], *map(comma, r[1:4]), comma(r[4]) + " €"),
    ),
    "three headers": Dialect(
        "Price,Close,High,Low,Open,Volume\nTicker,A.US,A.US,A.US,A.US,A.US\nDate,,,,,",
        lambda r: joined(",", r[0], r[4], r[2], r[3], r[1], r[5]),
    ),
    "apostrophes": Dialect(
        NAMES.replace(",", ";"),
        lambda r: joined(";", r[0], *(f"{cell:,.2f}".replace(",", "'") for cell in r[1:5]), r[5]),
    ),
    "spaces": Dialect(NAMES.replace(",", "  "), lambda r: joined("  ", *r)),
}


@st.composite
def weeks(draw: st.DrawFn, least: int = 20, most: int = 60) -> list[Row]:
    """Weekdays with prices that are positive, move less than tenfold and lie in order, in cents."""
    count = draw(st.integers(least, most))
    start = draw(st.integers(0, 12_000))
    days = np.busday_offset(np.datetime64("1990-01-01") + start, np.arange(count), roll="forward")
    moves = draw(arrays(np.float64, count, elements=st.floats(-0.2, 0.2)))
    close = np.maximum((draw(st.floats(5, 5000)) * np.exp(np.cumsum(moves))).round(2), 1.0)
    opening = np.concatenate([close[:1], close[:-1]])
    # At most three percent beyond open and close, as a session's high and low are.
    spread = draw(arrays(np.int64, (2, count), elements=st.integers(1, 300))) / 10_000 * np.maximum(close, 1)
    high = (np.maximum(opening, close) + spread[0] + 0.01).round(2)
    low = np.maximum(np.minimum(opening, close) - spread[1] - 0.01, 0.01).round(2)
    volume = draw(arrays(np.int64, count, elements=st.integers(10**8, 10**10)))
    values = (column.tolist() for column in (opening, high, low, close, volume))
    return list(zip(days.astype(object).tolist(), *values, strict=True))


def moves(rows: list[Row]) -> float:
    """The mean size of the moves from close to close."""
    return float(np.abs(np.diff(np.log([row[4] for row in rows]))).mean())


def columns_of(rows: list[Row]) -> dict[str, list[float]]:
    names = ("open", "high", "low", "close", "volume")
    columns = [list(map(float, column)) for column in zip(*(row[1:] for row in rows), strict=True)]
    return dict(zip(names, columns, strict=True))


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=12)
@given(rows=weeks())
def test_what_is_written_in_a_dialect_is_read_back_equal(
    name: str, rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    # What never moves does not show which of its columns is the close.
    assume(name != "headerless" or moves(rows) > 0.02)
    path = tmp_path_factory.mktemp("dialect") / "prices.csv"
    path.write_text(DIALECTS[name].text(rows), encoding="utf-8", newline="")
    (series,) = read_file(path).series
    assert series.dates.astype(object).tolist() == [row[0] for row in rows]
    assert {role: values.tolist() for role, values in series.columns.items()} == columns_of(rows)


@settings(max_examples=25)
@given(rows=weeks(least=2), decimals=st.integers(0, 12), end=st.sampled_from(["\n", "\r\n"]))
def test_the_short_way_and_the_long_way_read_the_same(
    rows: list[Row], decimals: int, end: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # A quoted name sends a file the long way.
    folder = tmp_path_factory.mktemp("ways")
    body = [joined(",", row[0], *(f"{cell:.{decimals}f}" for cell in row[1:5]), row[5]) for row in rows]
    found: list[FileRead | str] = []
    for names in (NAMES, NAMES.replace("Date", '"Date"')):
        path = folder / "prices.csv"
        path.write_text(end.join([names, *body, ""]), encoding="utf-8", newline="")
        try:
            found.append(read_file(path))
        except DataError as error:
            found.append(error.message)
    short, long = found
    if isinstance(short, str) or isinstance(long, str):
        assert short == long
        return
    assert (short.reading, short.findings) == (long.reading, long.findings)
    assert_same(short.series[0], long.series[0])


def assert_same(one: PriceSeries, other: PriceSeries) -> None:
    assert (one.name, one.decimals, list(one.columns)) == (other.name, other.decimals, list(other.columns))
    np.testing.assert_array_equal(one.dates, other.dates)
    for role in one.columns:
        np.testing.assert_array_equal(one.columns[role], other.columns[role])


def decimal_number(random: Random) -> str:
    """As many digits as a float holds, fewer and more, with the point anywhere among them."""
    text = "".join(random.choices("0123456789", k=random.randint(1, 22)))
    whole = random.randint(1, len(text))
    return f"{text[:whole]}.{text[whole:]}" if whole < len(text) else text


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_every_number_is_rounded_as_python_rounds_it(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    random = Random(seed)
    numbers = [decimal_number(random) for _ in range(100)]
    path = tmp_path_factory.mktemp("numbers") / "prices.csv"
    rows = [f"{row[0]},1.5,{number}" for row, number in zip(walk(len(numbers)), numbers, strict=True)]
    path.write_text("\n".join(["Date,Close,Volume", *rows, ""]), encoding="utf-8")
    assert read_file(path).series[0].columns["volume"].tolist() == [float(number) for number in numbers]


def test_a_file_of_several_blocks_is_read_as_it_was_written(tmp_path: Path) -> None:
    close = 100 * np.exp(np.random.default_rng(5).normal(0, 0.01, 150_000).cumsum())
    days = np.datetime64("1700-01-01") + np.arange(close.size)
    path = tmp_path / "prices.csv"
    pd.DataFrame({"Date": days.astype(str), "Close": close, "Volume": np.arange(close.size)}).to_csv(path, index=False)
    (series,) = read_file(path, Hints(accept=frozenset({"splits"}))).series
    np.testing.assert_array_equal(series.dates, days)
    np.testing.assert_array_equal(series.columns["close"], close)
    np.testing.assert_array_equal(series.columns["volume"], np.arange(close.size))


@pytest.mark.parametrize("where", [0.01, 0.97])
def test_a_cell_that_is_no_number_is_found_in_each_block(where: float, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    days = (np.datetime64("1700-01-01") + np.arange(70_000)).astype(str)
    rows = [f"{day},100.25,123456789012" for day in days]
    line = int(where * len(rows))
    rows[line] = f"{days[line]},1oo.25,123456789012"
    path.write_text("\n".join(["Date,Close,Volume", *rows, ""]))
    with pytest.raises(DataError, match=f"line {line + 2}"):
        read_file(path)


def walk(count: int) -> list[Row]:
    rng = np.random.default_rng(3)
    days = np.busday_offset("2019-11-04", np.arange(count), roll="forward").astype(object).tolist()
    close = (100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))).round(2)
    opening = np.concatenate([[100.0], close[:-1]])
    high = (np.maximum(opening, close) + rng.uniform(0, 1, count)).round(2)
    low = (np.minimum(opening, close) - rng.uniform(0, 1, count)).round(2)
    volume = rng.integers(100_000, 9_000_000, count)
    return list(zip(days, *(column.tolist() for column in (opening, high, low, close, volume)), strict=True))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_file_cut_short_anywhere_gives_no_wrong_number(name: str, tmp_path: Path) -> None:
    rows = walk(40)
    truth = {row[0]: columns_of([row]) for row in rows}
    dialect = DIALECTS[name]
    whole = dialect.text(rows).encode()
    ordered = rows[::-1] if dialect.newest_first else rows
    tail = dialect.end.join([*map(dialect.row, ordered[-CUT_ROWS:]), ""]).encode()
    path = tmp_path / "prices.csv"
    for length in range(len(whole) - len(tail), len(whole)):
        path.write_bytes(whole[:length])
        (series,) = read_file(path).series
        assert len(series) >= len(rows) - CUT_ROWS
        for row, day in enumerate(series.dates.astype(object)):
            for role, values in series.columns.items():
                assert np.isnan(values[row]) or values[row] == truth[day][role][0], whole[:length][-60:]
