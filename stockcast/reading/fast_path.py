"""The short way for clean files: commas, ISO dates, plain numbers, known names, every line ended.

Such a file has one reading only, which `one_reading` would find as well; a test holds the two ways equal. Here the
bytes become numbers in array operations, without a Python object for each cell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates, Floats
from stockcast.reading.column_names import VALUE_ROLES, close_tier, normal, role_of
from stockcast.reading.columns.roles import Layout
from stockcast.reading.dates.eras import other_calendar
from stockcast.reading.table import Marks, Table, odd_decimals, reading_of

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

_BLOCK = 1 << 21
"""So much of a text at once: the next block takes the memory of the last one, and threads seldom wait for another."""
_COMMA, _POINT, _DASH, _END = (ord(letter) for letter in ",.-\n")
_MOST_DIGITS = 18
"""So many digits are a whole number of 64 bits, and the powers of ten up to here are exact floats."""
_WHOLE_POWERS = 10 ** np.arange(_MOST_DIGITS + 1)
_POWERS: Floats = np.array([10.0**digits for digits in range(_MOST_DIGITS + 1)])
_SPLITTER = 2.0**27 + 1
_EXACT = 1 << 53
"""Up to here every whole number is a float, and one division by an exact power of ten rounds but once."""

_AT_ONCE = 8
_LEAD = 3 * _AT_ONCE
"""So many letters before the first cell, that eight can be taken up to any cell's end."""
_KEEP = np.array([0, *((1 << 64) - (1 << 8 * (_AT_ONCE - kept)) for kept in range(1, _AT_ONCE + 1))], dtype=np.uint64)
"""Of eight letters those that belong to a number, by their count: its last ones, which are the highest bytes."""
_KEEP_OF = [
    _KEEP[np.clip(np.arange(_MOST_DIGITS + 1) - first, 0, _AT_ONCE)] for first in range(0, _MOST_DIGITS, _AT_ONCE)
]
"""The same by a number's digits, for its last eight, the eight before them, and so on."""
_YEAR, _MONTH, _DASHES_AT = np.uint64(0xFFFFFFFF), np.uint64(0xFFFF << 32), np.uint64(0xFF << 32 | 0xFF << 56)
_DASHES = np.uint64(_DASH << 32 | _DASH << 56)
"""Of the eight letters 2020-01- the year, where the month goes beside it, and the dashes."""


def read_clean(content: bytes) -> Table | None:
    """The table of a clean file; None for any other, without a word about why."""
    if b"\r" in content and content.count(b"\r\n") == content.count(b"\n"):
        content = content.replace(b"\r\n", b"\n")
    body = content.find(b"\n") + 1
    head = content[: max(body - 1, 0)].removeprefix(b"\xef\xbb\xbf")
    if body in (0, len(content)) or not content.endswith(b"\n") or not head.isascii() or b'"' in head:
        return None
    names = head.decode().split(",")
    roles = _roles(names)
    if roles is None:
        return None
    parts = _parts(content, body, len(names), tuple(roles.values()))
    if parts is None:
        return None
    dates = np.concatenate([part[0] for part in parts])
    steps = np.diff(dates).astype(np.int64)
    if not ((steps > 0).all() or (steps < 0).all()) or other_calendar(dates[0], dates[-1]):
        return None
    numbers = {index: np.concatenate([part[1][index] for part in parts]) for index in roles.values()}
    digits = np.concatenate([part[2][roles["close"]] for part in parts])
    layout = Layout(((None, roles),), None, names)
    filled = range(len(names))
    reading = reading_of(layout, (0,), filled, dates, Marks(",", ".", "", "%Y-%m-%d"))
    usual = int(min(6, np.quantile(digits, 0.95, method="inverted_cdf")))
    found = (
        odd_decimals(dates, np.concatenate([part[2][roles["volume"]] for part in parts])) if "volume" in roles else []
    )
    return Table(reading, layout, dates, numbers, None, None, {roles["close"]: usual}, False, tuple(found))


def _roles(names: Sequence[str]) -> dict[str, int] | None:
    """The role of each column after the date, if the names leave no question open."""
    meanings = [role_of(name) for name in names]
    known = [meaning[0] for meaning in meanings if meaning and meaning[0] != "other"]
    plain = all(name == name.strip() and len(normal(name)) > 1 for name in names)
    if not plain or known[:1] != ["date"] or meanings[0] is None or len(set(known)) < len(known) or "ticker" in known:
        return None
    roles = {meaning[0]: index for index, meaning in enumerate(meanings) if meaning and meaning[0] in VALUE_ROLES}
    if "close" not in roles or close_tier(names[roles["close"]]) > 0:
        return None
    return {role: roles[role] for role in VALUE_ROLES if role in roles}


_Part = tuple[Dates, Mapping[int, Floats], Mapping[int, Places]]
"""Dates, numbers and digits after the point of whole lines."""


def _parts(content: bytes, body: int, width: int, used: Sequence[int]) -> list[_Part] | None:
    """The lines from `body` on, block by block, on all cores where there are several; None if one is not clean."""
    blocks = list(_blocks(content, body))

    def parse(block: tuple[int, int]) -> _Part | None:
        return _parse(content, *block, width, used)

    if len(blocks) == 1:
        parts = [parse(*blocks)]
    else:
        from concurrent.futures import ThreadPoolExecutor  # a forecast of a small file needs none

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            parts = list(threads.map(parse, blocks))
    sound = [part for part in parts if part is not None]
    return sound if len(sound) == len(parts) else None


def _blocks(content: bytes, start: int) -> Iterator[tuple[int, int]]:
    """Where each block of whole lines starts and ends."""
    while start < len(content):
        end = content.find(b"\n", min(start + _BLOCK, len(content) - 1)) + 1
        yield start, end
        start = end


@dataclass(frozen=True)
class _Cells:
    """Where in `text` the cells of whole lines are: each array has the shape (rows, width).

    `points` is the place of the decimal point, or of the cell's end where it has none. A few digits' length of other
    text stands before the first cell, so that eight letters can be taken up to any cell's end.
    """

    text: Bytes
    starts: Places
    points: Places
    ends: Places


def _parse(content: bytes, start: int, end: int, width: int, used: Sequence[int]) -> _Part | None:
    """Whole lines; None if one of them is not clean."""
    cells = _cells(content, start, end, width)
    dates = _dates(cells) if cells else None
    if cells is None or dates is None:
        return None
    numbers: dict[int, Floats] = {}
    digits: dict[int, Places] = {}
    longest = (cells.ends - cells.starts).max(axis=0)
    short = [index for index in used if longest[index] <= _AT_ONCE]
    for columns in filter(None, (short, [index for index in used if longest[index] > _AT_ONCE])):
        parsed = _numbers(cells, columns)
        if parsed is None:
            return None
        numbers |= dict(zip(columns, parsed[0].T, strict=True))
        digits |= dict(zip(columns, parsed[1].T, strict=True))
    return dates, numbers, digits


def _cells(content: bytes, start: int, end: int, width: int) -> _Cells | None:
    """The cells of lines that all have `width` of them, with one point each at most; None for others.

    Nothing is in them but digits, points and two dashes a line.
    """
    before = min(start, _LEAD)
    text = np.frombuffer(content, np.uint8, end - start + before, start - before)
    if before < _LEAD:
        text = np.concatenate([np.full(_LEAD - before, ord("0"), np.uint8), text])
    lines = text[_LEAD:]
    dashes = lines == _DASH
    marks = _LEAD + np.flatnonzero((lines < ord("0")) & ~dashes)
    kinds = text[marks]
    is_point, is_end = kinds == _POINT, kinds == _END
    if lines.max() > ord("9") or not (is_point | is_end | (kinds == _COMMA)).all():
        return None
    last = np.flatnonzero(~is_point)
    parts = np.diff(last, prepend=-1)  # a cell's parts: one, or two around a point
    rows = np.count_nonzero(is_end)
    if last.size != width * rows or (parts > 2).any() or np.count_nonzero(dashes) != 2 * rows:
        return None
    if not is_end[last[width - 1 :: width]].all():
        return None
    ends = marks[last].reshape(-1, width)
    starts = np.concatenate([[_LEAD], marks[last[:-1]] + 1]).reshape(-1, width)
    points = marks[last - (parts - 1)].reshape(-1, width)
    return _Cells(text, starts, points, ends)


def _dates(cells: _Cells) -> Dates | None:
    """The first column as dates such as 2020-01-31, (rows,); None if one of them is none."""
    starts, ends = cells.starts[:, 0], cells.ends[:, 0]
    if not ((ends - starts == 10) & (cells.points[:, 0] == ends)).all():
        return None
    letters = _by_eights(cells.text)
    front, back = letters[starts], letters[ends - _AT_ONCE]  # 2020-01- and 20-01-31, the last letter on top
    if not (front & _DASHES_AT == _DASHES).all():
        return None
    number = _eight_digits((front & _YEAR) | ((front >> 8) & _MONTH) | (back & _KEEP[2]))  # 20200131
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    if not ((year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)).all():
        return None
    months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    days: Dates = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    return days if (days.astype("datetime64[M]") == months).all() else None


def _numbers(cells: _Cells, columns: Sequence[int]) -> tuple[Floats, Places] | None:
    """Plain numbers such as 12 or 12.5, and how many digits each has after the point, (rows, columns) both."""
    starts, points, ends = (np.take(one, columns, axis=1) for one in (cells.starts, cells.points, cells.ends))
    whole, after = points - starts, np.maximum(ends - points - 1, 0)
    if whole.min() < 1 or ((points < ends) & (after < 1)).any():
        return None
    if int((ends - starts).max()) <= _AT_ONCE:
        return _quotient(_short_digits(cells.text, ends, whole, after), _POWERS[after]), after
    after_cut = np.minimum(after, _MOST_DIGITS)
    value = _digits(cells.text, points, whole) * _WHOLE_POWERS[after_cut] + _digits(cells.text, ends, after)
    numbers = _quotient(value, _POWERS[after_cut])
    long = whole + after > _MOST_DIGITS
    numbers[long] = _as_python_reads(cells.text, starts[long], ends[long] - starts[long])
    return numbers, after


def _digits(text: Bytes, ends: Places, lengths: Places) -> Places:
    """The whole numbers, of 18 digits at most, that end before `ends`: eight digits at once.

    After D. Lemire, Software: Practice and Experience 51, 2021, 1700-1727.
    """
    letters, lengths = _by_eights(text), np.minimum(lengths, _MOST_DIGITS)
    total = np.zeros(ends.shape, dtype=np.int64)
    for block in range(-(-int(lengths.max()) // _AT_ONCE)):
        eight = letters[ends - _AT_ONCE * (block + 1)] & _KEEP_OF[block][lengths]  # the last digit on top
        total += _eight_digits(eight) * 10 ** (_AT_ONCE * block)
    return total


def _short_digits(text: Bytes, ends: Places, whole: Places, after: Places) -> Places:
    """The digits of numbers of eight letters at most, as one whole number each: the point between them is taken out."""
    eight = _by_eights(text)[ends - _AT_ONCE]  # the last letter on top
    fraction = eight & _KEEP[after]
    integer = (eight << (after > 0).astype(np.uint64) * 8) & _KEEP[whole + after] & ~_KEEP[after]
    return _eight_digits(fraction | integer)


def _by_eights(text: Bytes) -> NDArray[np.uint64]:
    """The eight letters from each place of a text on, as one number: a view."""
    return np.ndarray((text.size - _AT_ONCE + 1,), "<u8", text, strides=(1,))


def _eight_digits(eight: NDArray[np.uint64]) -> Places:
    """The whole number that each eight letters are, of which the last digit is on top, by three products."""
    pairs = ((eight & 0x0F0F0F0F0F0F0F0F) * 2561) >> 8
    fours = ((pairs & 0x00FF00FF00FF00FF) * 6553601) >> 16
    return (((fours & 0x0000FFFF0000FFFF) * 42949672960001) >> 32).view(np.int64)


def _quotient(whole: NDArray[np.int64], power: Floats) -> Floats:
    """whole / power, rounded once, although `whole` may have more digits than a float.

    The first quotient's remainder, exact by Dekker's product (Numerische Mathematik 18, 1971, 224-242), corrects it.
    """
    head = whole.astype(np.float64)
    if whole.max(initial=0) <= _EXACT:
        return head / power
    tail = (whole - head.astype(np.int64)).astype(np.float64)
    first = head / power
    product, error = _product(first, power)
    return first + (((head - product) - error) + tail) / power


def _product(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """A product rounded, and the error of its rounding: together they are exact."""
    (one_high, one_low), (other_high, other_low) = _halves(one), _halves(other)
    product = one * other
    error = ((one_high * other_high - product) + one_high * other_low + one_low * other_high) + one_low * other_low
    return product, error


def _halves(number: Floats) -> tuple[Floats, Floats]:
    """A number as the sum of two with half as many bits."""
    shifted = _SPLITTER * number
    high = shifted - (shifted - number)
    return high, number - high


def _as_python_reads(text: Bytes, starts: Places, lengths: Places) -> Floats:
    """Numbers with more digits than a float holds, rounded once as `float` does."""
    if starts.size == 0:
        return np.empty(0)
    places = np.arange(lengths.max())
    letters = text.take(starts[:, None] + places, mode="clip")  # (rows, longest)
    letters[places >= lengths[:, None]] = 0
    return letters.view(f"S{places.size}")[:, 0].astype(np.float64)
