"""Numbers as price files write them: which decimal and thousands marks a column's cells allow, and their values.

What a cell allows depends on its shape alone: its text with every digit written as 9. A column has few shapes, so the
grammar is tried once for each shape and not once for each cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from stockcast.data.series import Floats


@dataclass(frozen=True)
class NumberFormat:
    """A decimal and a thousands mark; an empty thousands mark means that digits are not grouped.

    `indian`: only the last three digits stand together, the others in twos, as in 1,16,88,800.
    """

    decimal: str
    thousands: str
    indian: bool = False


# Plain ones first: a column that both read is taken as ungrouped.
NUMBER_FORMATS = (
    *(NumberFormat(decimal, group) for group in ("", ",", ".", " ", "'") for decimal in (".", ",") if decimal != group),
    NumberFormat(".", ",", indian=True),
)

NULLS = frozenset(
    {"", "null", "nan", "na", "n/a", "#n/a", "none", "nil", "-", "--", "---", ".", "..", "?", "nd", "n.d.", "<na>"}
)
SPREADSHEET_ERRORS = re.compile(r"#{3,}|#(?:REF|NUM|VALUE|DIV/0|NAME)[!?]", re.IGNORECASE)

_DIGITS = str.maketrans("0123456789", "9999999999")
_PLAIN_SIGNS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'", "\u2212": "-"})
_SCALES = {
    "k": 1e3, "tys": 1e3, "тыс": 1e3, "tsd": 1e3, "万": 1e4, "m": 1e6, "mn": 1e6, "mln": 1e6, "mio": 1e6, "млн": 1e6,
    "b": 1e9, "bn": 1e9, "mrd": 1e9, "mlrd": 1e9, "млрд": 1e9, "亿": 1e8, "億": 1e8, "t": 1e12,
}  # fmt: skip
_CURRENCY = r"(?:[$€£¥₹₺₽₩฿₫₪₴]|US\$|R\$|A\$|C\$|HK\$|zł|kr\.?|Rs\.?|USD|EUR|GBP|JPY|CHF|PLN|TRY|RUB|INR|CNY|TL)"
_SCALE = "|".join(sorted(_SCALES, key=len, reverse=True))
_CELL = re.compile(
    rf"(?P<open>\()?(?:(?P<sign>[-+]) ?)?(?:(?P<before>{_CURRENCY}) ?)?(?P<minus>-)?(?P<core>[.,]?\d(?:[\d., ']*\d)?)"
    rf"(?P<exponent>e[-+]\d\d)?(?: ?(?P<scale>{_SCALE})\.?)?(?: ?(?P<after>{_CURRENCY}|%))?(?P<close>\))?",
    re.IGNORECASE,
)
_GROUPED = r"(?:\d+|\d{{1,3}}(?:{0}\d{{3}})+)"
_INDIAN = r"(?:\d+|\d{{1,2}}(?:{0}\d{{2}})*{0}\d{{3}})"
_SIMPLE = re.compile(r"-?[9.,' ]*9[9.,' ]*")
_LONG = re.compile(r"[^9]*9{5,}([.,]9*)?[^9]*")
"""Five digits and more before the decimal mark, not grouped: then no number of the column is."""
_MARK_AFTER_ONE_DIGIT = re.compile(r"\D*9([., '])999(?!9)")


def is_null(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in NULLS


@lru_cache(maxsize=65_536)
def formats_of(form: str) -> frozenset[NumberFormat]:
    """The marks under which a shape is a number; empty if it is none."""
    cell = _CELL.fullmatch(form)
    if cell is None or bool(cell["open"]) != bool(cell["close"]):
        return frozenset()
    return frozenset(number_format for number_format in NUMBER_FORMATS if _core(number_format).fullmatch(cell["core"]))


@cache
def _core(number_format: NumberFormat) -> re.Pattern[str]:
    point, group = re.escape(number_format.decimal), re.escape(number_format.thousands)
    whole = (_INDIAN if number_format.indian else _GROUPED).format(group) if group else r"\d+"
    return re.compile(rf"{whole}(?:{point}\d+)?|{point}\d+")


@dataclass(frozen=True)
class Column:
    """A column's cells and the marks that read every number among them; none if no marks read them all.

    `non_numeric` are the rows of the few cells that are neither a number under any marks nor null.
    """

    cells: Sequence[str]
    shapes: frozenset[str]
    formats: frozenset[NumberFormat]
    non_numeric: tuple[int, ...]

    def decimals(self) -> frozenset[str]:
        """The decimal marks that the column allows."""
        return frozenset(number_format.decimal for number_format in self.formats)

    def plainest(self, decimal: str) -> NumberFormat:
        """The marks with this decimal that group least."""
        return next(one for one in NUMBER_FORMATS if one.decimal == decimal and one in self.formats)


def study(cells: Sequence[str]) -> Column | None:
    """What a column's cells say about its marks, or None if it is not a column of numbers.

    In a column of numbers they outnumber the cells that are neither a number nor null.
    """
    rows_of: dict[str, list[int]] = {}
    for row, cell in enumerate(cells):
        rows_of.setdefault(shape(cell), []).append(row)
    allowed = frozenset(NUMBER_FORMATS)
    numbers, non_numeric = 0, list[int]()
    for form, rows in rows_of.items():
        formats = formats_of(form)
        if formats:
            numbers += len(rows)
            allowed &= formats - _excluded_by_zero(form, (cells[row] for row in rows))
        elif not is_null(form):
            non_numeric += rows
    if len(non_numeric) >= numbers:
        return None
    if _mixed(rows_of):
        allowed = frozenset()
    elif any(_LONG.fullmatch(form) for form in rows_of):
        allowed = frozenset(number_format for number_format in allowed if not number_format.thousands)
    return Column(cells, frozenset(rows_of), allowed, tuple(sorted(non_numeric)))


def _mixed(forms: Iterable[str]) -> bool:
    """Whether only some of a column's numbers have a sign of currency, a percent sign or a plus, or end with M or K
    beside long ones that don't: no program writes that, but damage does.
    """
    cells = [cell for cell in map(_CELL.fullmatch, forms) if cell]
    signs = {(cell["before"], cell["after"], cell["sign"] == "+") for cell in cells}
    return len(signs) > 1 or (any(cell["scale"] for cell in cells) and any(map(_LONG.fullmatch, forms)))


def shape(cell: str) -> str:
    """A cell with every digit written as 9, and typographic spaces and signs as their plain likes."""
    return cell.translate(_DIGITS) if cell.isascii() else cell.translate(_PLAIN_SIGNS).translate(_DIGITS)


def _excluded_by_zero(form: str, cells: Iterable[str]) -> frozenset[NumberFormat]:
    """The marks that a zero before a mark excludes: nobody groups 0.123."""
    ambiguous = _MARK_AFTER_ONE_DIGIT.match(form)
    if ambiguous is None or not any(_first_digit(cell) == "0" for cell in cells):
        return frozenset()
    return frozenset(number_format for number_format in NUMBER_FORMATS if number_format.thousands == ambiguous[1])


def _first_digit(cell: str) -> str:
    return next(letter for letter in cell if letter.isdigit())


def values(column: Column, number_format: NumberFormat) -> Floats:
    """The numbers of a column under marks that it allows; NaN for nulls and aliens. A percent sign is left out."""
    simple = {form for form in column.shapes if _SIMPLE.fullmatch(form) and number_format in formats_of(form)}

    def digits(cell: str) -> float:
        ungrouped = cell.replace(number_format.thousands, "") if number_format.thousands else cell
        return float(ungrouped.replace(",", ".") if number_format.decimal == "," else ungrouped)

    def number(cell: str) -> float:
        if shape(cell) in simple and cell.isascii():
            return digits(cell)
        return math.nan if is_null(cell) else value(cell, number_format)

    all_simple = simple == column.shapes and all(map(str.isascii, column.cells))
    return np.array([*map(digits if all_simple else number, column.cells)])


def value(text: str, number_format: NumberFormat) -> float:
    """One number under given marks, or NaN."""
    cell = _CELL.fullmatch(text.translate(_PLAIN_SIGNS))
    if cell is None or not _core(number_format).fullmatch(cell["core"]):
        return math.nan
    core = cell["core"].replace(number_format.thousands, "") if number_format.thousands else cell["core"]
    number = float(core.replace(number_format.decimal, ".") + (cell["exponent"] or ""))
    negative = cell["sign"] == "-" or cell["minus"] or cell["open"]
    return (-number if negative else number) * _SCALES.get((cell["scale"] or "").lower(), 1.0)


def usual_decimals(cells: Sequence[str], decimal: str) -> int:
    """Digits after the point in at least 95 % of a column's numbers, at most 6."""
    digits = np.array([len(cell.partition(decimal)[2]) for cell in cells if not is_null(cell)] or [0])
    return int(min(6, np.quantile(digits, 0.95, method="inverted_cdf")))
