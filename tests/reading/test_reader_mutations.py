"""Damaged files: whatever happens to cells and bytes, no wrong number is read without a word.

A strict parser of the four undamaged forms says what can be seen at all: where it still accepts a damaged file (one
digit became another and the row still makes sense), nobody can tell. `STOCKCAST_MUTATIONS=100000 pytest -s` runs more.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from stockcast.checks.price_checks import examine_all
from stockcast.errors import DataError
from stockcast.reading.reader import read_file
from stockcast.reading.records import NO_HINTS, FileRead, Hints

MUTATIONS = int(os.environ.get("STOCKCAST_MUTATIONS", "2500"))
FOLLOWED = 5
"""Of so many refusals the fix of one is followed."""
TODAY = date(2026, 1, 1)
COLUMNS = ("open", "high", "low", "close", "volume")

Row = tuple[date, float, float, float, float, int]


def prices(rows: int = 26) -> list[Row]:
    rng = np.random.default_rng(5)
    days = [day for day in (date(2019, 11, 4) + timedelta(step) for step in range(2 * rows)) if day.weekday() < 5]
    close = (1000 * np.exp(np.cumsum(rng.normal(0, 0.01, rows)))).round(2)
    opening = (np.concatenate([[1000], close[:-1]]) * (1 + rng.normal(0, 0.001, rows))).round(2)
    high = (np.maximum(opening, close) + rng.uniform(0.5, 5, rows)).round(2)
    low = (np.minimum(opening, close) - rng.uniform(0.5, 5, rows)).round(2)
    volume = rng.integers(1_100_000, 9_000_000, rows)
    table = zip(days, opening.tolist(), high.tolist(), low.tolist(), close.tolist(), volume.tolist(), strict=False)
    return list(table)


@dataclass(frozen=True)
class Form:
    """One way to write prices, and what a strict parser of it accepts."""

    head: str
    delimiter: str
    write: Callable[[Row], list[str]]
    day: str
    cells: tuple[str, ...]
    order: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    newest_first: bool = False
    decimal: str = "."

    def lines(self) -> list[list[str]]:
        rows = [[cells[place] for place in self.order] for cells in map(self.write, prices())]
        return rows[::-1] if self.newest_first else rows

    def text(self, rows: list[list[str]]) -> str:
        return "\n".join([self.head, *(self.delimiter.join(row) for row in rows)]) + "\n"

    def accepts(self, text: str) -> bool:
        """Whether a strict parser finds nothing wrong: shapes, order and High >= Open, Close >= Low."""
        lines = text.split("\n")
        if lines[0] != self.head or lines[-1] != "":
            return False
        pattern = re.compile(re.escape(self.delimiter).join(f"({self.cells[place]})" for place in self.order))
        found = [pattern.fullmatch(line) for line in lines[1:-1]]
        rows = [[match[1 + self.order.index(place)] for place in range(6)] for match in found if match]
        if len(rows) < len(found):
            return False
        try:
            days = [datetime.strptime(row[0].strip('"'), self.day).date() for row in rows]
        except ValueError:
            return False
        steps = {(later - earlier).days for earlier, later in pairwise(days)}
        right = all(1 <= (-step if self.newest_first else step) <= 10 for step in steps)
        return right and all(self._makes_sense(row) for row in rows)

    def _makes_sense(self, row: list[str]) -> bool:
        thousands = "," if self.decimal == "." else "."
        plain = [cell.strip('"$').replace(thousands, "").replace(self.decimal, ".") for cell in row[1:5]]
        opening, high, low, close = map(float, plain)
        return 0 < low <= min(opening, close) and max(opening, close) <= high


def european(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


PLAIN = (r"\d{4}-\d\d-\d\d", *[r"\d+(?:\.\d+)?"] * 5)
FORMS = {
    "plain": Form(
        "Date,Open,High,Low,Close,Volume",
        ",",
        lambda row: [str(row[0]), *(f"{number:.2f}" for number in row[1:5]), str(row[5])],
        "%Y-%m-%d",
        PLAIN,
    ),
    "quoted": Form(
        "Date,Open,High,Low,Close,Volume",
        ",",
        lambda row: [f"{row[0]:%m/%d/%Y}", *(f'"{number:,.2f}"' for number in row[1:5]), f'"{row[5]:,}"'],
        "%m/%d/%Y",
        (r"\d\d/\d\d/\d{4}", *[r'"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"'] * 5),
    ),
    "european": Form(
        "Datum;Open;Hoch;Tief;Schluss;Volumen",
        ";",
        lambda row: [f"{row[0]:%d.%m.%Y}", *map(european, row[1:5]), str(row[5])],
        "%d.%m.%Y",
        (r"\d\d\.\d\d\.\d{4}", *[r"(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?"] * 4, r"\d+(?:,\d+)?"),
        decimal=",",
    ),
    "dollars": Form(
        "Date,Close/Last,Volume,Open,High,Low",
        ",",
        lambda row: [f"{row[0]:%m/%d/%Y}", *(f"${number:.2f}" for number in row[1:5]), str(row[5])],
        "%m/%d/%Y",
        (r"\d\d/\d\d/\d{4}", *[r"\$\d+(?:\.\d+)?"] * 4, r"\d+"),
        order=(0, 4, 5, 1, 2, 3),
        newest_first=True,
    ),
}


def damage_cells(rng: np.random.Generator, rows: list[list[str]]) -> list[list[str]]:
    """A cell or a row dropped, doubled, swapped, cut short or shifted."""
    row, other = (int(rng.integers(len(rows))) for _ in range(2))
    cells = list(rows[row])
    cell, beside = (int(rng.integers(len(cells))) for _ in range(2))
    kind = int(rng.integers(9))
    if kind == 0:
        del cells[cell]
    elif kind == 1:
        cells.insert(cell, cells[cell])
    elif kind == 2:
        cells[cell], cells[beside] = cells[beside], cells[cell]
    elif kind == 3:
        cells[cell] = cells[cell][: int(rng.integers(len(cells[cell])))]
    elif kind == 4:
        cells.insert(cell, "")
    elif kind == 5:
        cells[cell] = ""
    elif kind == 6:
        return [*rows[:row], *rows[row + 1 :]]
    elif kind == 7:
        return [*rows[:row], rows[row], *rows[row:]]
    else:
        swapped = list(rows)
        swapped[row], swapped[other] = rows[other], rows[row]
        return swapped
    return [*rows[:row], cells, *rows[row + 1 :]]


def damage_bytes(rng: np.random.Generator, data: bytes) -> bytes:
    """A byte dropped, doubled, swapped, replaced by any or by another digit, or the rest cut off."""
    at, kind = int(rng.integers(len(data) - 1)), int(rng.integers(6))
    if kind == 0:
        return data[:at] + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[at : at + 1] + data[at:]
    if kind == 2:
        return data[:at] + data[at + 1 : at + 2] + data[at : at + 1] + data[at + 2 :]
    if kind == 3:
        return data[:at] + bytes([int(rng.integers(256))]) + data[at + 1 :]
    if kind == 4:
        return data[:at]
    digits = [place for place, byte in enumerate(data) if chr(byte).isdigit()]
    place = digits[int(rng.integers(len(digits)))]
    return data[:place] + str(int(rng.integers(10))).encode() + data[place + 1 :]


def is_true(read: FileRead) -> bool:
    """Whether every number that was read stands for the same date in the undamaged file."""
    truth = {np.datetime64(row[0]): row[1:] for row in prices()}
    (series,) = read.series
    for row, day in enumerate(series.dates):
        known = dict(zip(COLUMNS, truth.get(day, ()), strict=False))
        found = {role: values[row] for role, values in series.columns.items() if not np.isnan(values[row])}
        if not known or any(role not in known or known[role] != number for role, number in found.items()):
            return False
    return True


def outcome(form: Form, data: bytes, path: Path) -> str:
    path.write_bytes(data)
    try:
        read = read_file(path)
    except DataError:
        return "refused"
    if len(read.series) == 1 and is_true(read):
        return "true"
    if read.findings or examine_all(read.series, None, TODAY):
        return "said"
    return "undetectable" if form.accepts(data.decode("utf-8", "replace")) else "WRONG"


@pytest.mark.parametrize("name", FORMS)
def test_no_wrong_number_is_read_in_silence_and_fixes_lead_elsewhere(
    name: str, tmp_path: Path, follow_the_fix: Callable[[Path, Hints], int]
) -> None:
    form = FORMS[name]
    rng = np.random.default_rng(17)
    rows = form.lines()
    whole = form.text(rows).encode()
    path = tmp_path / "prices.csv"
    assert outcome(form, whole, path) == "true"
    assert form.accepts(whole.decode())
    counts: Counter[str] = Counter()
    wrong = []
    for _ in range(MUTATIONS // len(FORMS)):
        cells = rng.random() < 0.5
        data = form.text(damage_cells(rng, rows)).encode() if cells else damage_bytes(rng, whole)
        result = outcome(form, data, path)
        counts[result] += 1
        if result == "refused" and counts["refused"] % FOLLOWED == 1:
            counts["fixes"] += follow_the_fix(path, NO_HINTS)
        if result == "WRONG":
            wrong.append(data)
    print(f"{name}: {dict(counts)}")
    assert not wrong, f"{len(wrong)} read in silence, such as {wrong[0]!r}"
    assert counts["refused"] > counts["undetectable"] > 0
