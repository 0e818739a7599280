"""The short way for clean files: commas, ISO dates, plain numbers, known names, every line ended.

Such a file has one reading only, the one that `dialect` would find as well; a test holds the two ways equal. Here the
bytes become numbers in array operations, without a Python object for each cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stockcast.data.header import VALUE_ROLES, normal, role_of
from stockcast.data.layout import Layout
from stockcast.data.series import Dates, Floats
from stockcast.data.table import Table, reading_of

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

_BLOCK = 1 << 22
_COMMA, _POINT, _DASH, _ZERO, _END = (ord(letter) for letter in ",.-0\n")
_MOST_DIGITS = 18
"""So many digits are a whole number of 64 bits, and the powers of ten up to here are exact floats."""
_POWERS: Floats = np.array([10.0**digits for digits in range(_MOST_DIGITS + 1)])
_SPLITTER = 2.0**27 + 1


def read_clean(content: bytes) -> Table | None:
    """The table of a clean file; None for any other, without a word about why."""
    if b"\r" in content and content.count(b"\r\n") == content.count(b"\n"):
        content = content.replace(b"\r\n", b"\n")
    head, _, body = content.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    if not body.endswith(b"\n") or not head.isascii() or b'"' in head or body.translate(None, b"0123456789,.-\n"):
        return None
    names = head.decode().split(",")
    roles = _roles(names)
    if roles is None:
        return None
    parts = [_parse(block, len(names), tuple(roles.values())) for block in _blocks(body)]
    sound = [part for part in parts if part is not None]
    if len(sound) < len(parts):
        return None
    dates = np.concatenate([part[0] for part in sound])
    steps = np.diff(dates).astype(np.int64)
    if not ((steps > 0).all() or (steps < 0).all()):
        return None
    numbers = {index: np.concatenate([part[1][index] for part in sound]) for index in roles.values()}
    digits = np.concatenate([part[2][roles["close"]] for part in sound])
    layout = Layout(((None, roles),), None, names)
    reading = reading_of(layout, 0, False, dates, (",", ".", "", "%Y-%m-%d"))
    usual = int(min(6, np.quantile(digits, 0.95, method="inverted_cdf")))
    return Table(reading, layout, dates, numbers, None, None, {roles["close"]: usual}, False, ())


def _roles(names: Sequence[str]) -> dict[str, int] | None:
    """The role of each column after the date, if the names leave no question open."""
    meanings = [role_of(name) for name in names]
    known = [meaning[0] for meaning in meanings if meaning]
    plain = all(name == name.strip() and len(normal(name)) > 1 for name in names)
    if not plain or known[:1] != ["date"] or meanings[0] is None or len(set(known)) < len(known) or "ticker" in known:
        return None
    roles = {meaning[0]: index for index, meaning in enumerate(meanings) if meaning and meaning[0] != "date"}
    return {role: roles[role] for role in VALUE_ROLES if role in roles} if "close" in roles else None


def _blocks(body: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        end = body.find(b"\n", min(start + _BLOCK, len(body) - 1)) + 1
        yield body[start:end]
        start = end


def _parse(
    block: bytes, width: int, used: Sequence[int]
) -> tuple[Dates, Mapping[int, Floats], Mapping[int, NDArray[np.int64]]] | None:
    """Dates, numbers and digits after the point of whole lines; None if one of them is not clean."""
    text = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero((text == _COMMA) | (text == _END))
    if ends.size % width:
        return None
    cells = ends.reshape(-1, width)  # (rows, width): where each cell ends
    last = np.zeros(width, dtype=bool)
    last[-1] = True
    if not ((text[cells] == _END) == last).all():
        return None
    starts = np.concatenate([[0], ends[:-1] + 1]).reshape(-1, width)
    dates = _dates(text, starts[:, 0], cells[:, 0])
    if dates is None:
        return None
    numbers: dict[int, Floats] = {}
    digits: dict[int, NDArray[np.int64]] = {}
    for index in used:
        parsed = _numbers(text, starts[:, index], cells[:, index] - starts[:, index])
        if parsed is None:
            return None
        numbers[index], digits[index] = parsed
    return dates, numbers, digits


def _dates(text: Bytes, starts: Places, ends: Places) -> Dates | None:
    if not (ends - starts == 10).all():
        return None
    digit = {place: text[starts + place].astype(np.int64) - _ZERO for place in (0, 1, 2, 3, 5, 6, 8, 9)}
    if not all((text[starts + place] == _DASH).all() for place in (4, 7)):
        return None
    if not all(((values >= 0) & (values <= 9)).all() for values in digit.values()):
        return None
    year = 1000 * digit[0] + 100 * digit[1] + 10 * digit[2] + digit[3]
    month, day = 10 * digit[5] + digit[6], 10 * digit[8] + digit[9]
    if not ((year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)).all():
        return None
    months = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    days: Dates = months.astype("datetime64[D]") + (day - 1)
    return days if (days.astype("datetime64[M]") == months).all() else None


def _numbers(text: Bytes, starts: Places, lengths: Places) -> tuple[Floats, NDArray[np.int64]] | None:
    """Plain numbers such as 12 or 12.5, and how many digits each has after the point."""
    value = np.zeros(starts.size, dtype=np.int64)
    after = np.full(starts.size, -1, dtype=np.int64)  # -1: no point yet
    for place in range(int(lengths.max())):
        inside = place < lengths
        letter = text.take(starts + place, mode="clip")
        figure = letter - np.uint8(_ZERO)
        is_digit, is_point = inside & (figure < 10), inside & (letter == _POINT)
        if (inside & ~is_digit & ~is_point).any() or (is_point & (after >= 0)).any():
            return None
        value = np.where(is_digit, value * 10 + figure, value)
        after = np.where(is_point, 0, after + (is_digit & (after >= 0)))
    pointed = after >= 0
    whole = lengths - np.where(pointed, after + 1, 0)
    if (whole < 1).any() or (after == 0).any():
        return None
    numbers = _quotient(value, _POWERS[np.clip(after, 0, _MOST_DIGITS)])
    long = np.flatnonzero(lengths - pointed > _MOST_DIGITS)
    numbers[long] = _as_python_reads(text, starts[long], lengths[long])
    return numbers, np.maximum(after, 0)


def _quotient(whole: NDArray[np.int64], power: Floats) -> Floats:
    """whole / power, rounded once, although `whole` may have more digits than a float.

    The first quotient's remainder, exact by Dekker's product (Numerische Mathematik 18, 1971, 224-242), corrects it.
    """
    head = whole.astype(np.float64)
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
