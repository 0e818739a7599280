"""Dates as price files write them: every way to read a column of cells as dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates
from stockcast.errors import ConfigError
from stockcast.reading.dates.eras import MINGUO, OFFSETS, common_year, era_of, weekdays_disprove, weekdays_prove
from stockcast.reading.dates.month_names import month


@dataclass(frozen=True)
class DateReading:
    """One way to read a column: a strptime format or a name, and the dates, NaT where a cell is no such date."""

    format: str
    dates: Dates

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which cells are dates."""
        return ~np.isnat(self.dates)


@dataclass(frozen=True)
class _Style:
    """Cells that match `pattern`: its groups are y, m, d, q (quarter), n (a month's name), or a serial number or ticks.

    `{s}` in the format stands for the separator that a cell has.
    """

    format: str
    pattern: re.Pattern[str]

    @property
    def is_minguo(self) -> bool:
        """Whether it is a style of years that have three digits."""
        return self.format.endswith(MINGUO)


_GROUPS = {
    "<Y>": r"(?P<y>\d{4})",
    "<C>": r"(?P<y>(?:1[6-9]|2[0-2])\d\d)",
    "<y>": r"(?P<y>\d\d)",
    "<m>": r"(?P<m>\d{1,2})",
    "<d>": r"(?P<d>\d{1,2})",
    "<mm>": r"(?P<m>\d\d)",
    "<dd>": r"(?P<d>\d\d)",
    "<R>": r"(?P<y>\d{2,3})",
    "<name>": r"(?P<n>(?:[^\W\d_]|[\u0e31-\u0e4e]){3,}\.?|(?:[\u0e01-\u0e46]{1,2}\.){2})",
    "<s>": r"(?P<s>[-/. ]) ?",
    "<again>": r"(?P=s) ?",
}


def _style(label: str, sketch: str) -> _Style:
    pattern = re.sub(r"(?<!\?P)<\w+>", lambda found: _GROUPS[found[0]], sketch)
    return _Style(label, re.compile(pattern))


# Where two styles fit equally well, the whole file decides (`dialect`), and only if it can't, the user.
_STYLES = (
    _style("%Y{s}%m{s}%d", r"<Y><s><m><again><d>\.?"),
    _style("%Y{s}%d{s}%m", r"<Y><s><d><again><m>"),
    _style("%d{s}%m{s}%Y", r"<d><s><m><again><Y>\.?"),
    _style("%m{s}%d{s}%Y", r"<m><s><d><again><Y>"),
    _style("%d{s}%m{s}%y", r"<d><s><m><again><y>\.?"),
    _style("%m{s}%d{s}%y", r"<m><s><d><again><y>"),
    _style("%y{s}%m{s}%d", r"<y><s><m><again><d>"),
    _style("%Y%m%d", r"<C><mm><dd>(?:\.0+)?"),
    _style("%d%m%Y", r"<dd><mm><C>"),
    _style("%m%d%Y", r"<mm><dd><C>"),
    _style("%Y%m", r"<C><mm>"),
    _style("%y%m%d", r"<y><mm><dd>"),
    _style("%d%m%y", r"<dd><mm><y>"),
    _style("%m%d%y", r"<mm><dd><y>"),
    _style("%Y{s}%m{s}%d" + MINGUO, r"<R><s><m><again><d>"),
    _style("%Y%m%d" + MINGUO, r"<R><mm><dd>"),
    _style("%Y年%m月%d日" + MINGUO, r"(?:中華)?(?:民[國国])? ?<R>年 ?<m>月 ?<d>日"),
    _style("%b %d, %Y", r"<name>[ -]?<d>(?:st|nd|rd|th)?,? ?<Y>"),
    _style("%b %d, %y", r"<name>[ -]<d>, ?<y>"),
    _style("%d %b %Y", r"<d>(?:st|nd|rd|th)?[-/. ]{0,2}(?:de )?<name>(?: de)?[-/., ]{0,2}<Y>\.?"),
    _style("%d %b %y", r"<d>[-/. ]{0,2}<name>[-/., ]{0,2}'?<y>"),
    _style("%Y %b %d", r"<Y>[-/. ]?<name>[-/. ]?<d>"),
    _style("%Y年%m月%d日", r"<Y>[年년] ?<m>[月월] ?<d>[日일]"),
    _style("%Y{s}%m", r"<Y><s><m>"),
    _style("%m{s}%Y", r"<m><s><Y>"),
    _style("%YM%m", r"<Y>M<m>"),
    _style("%Y年%m月", r"<Y>年 ?<m>月"),
    _style("%b %Y", r"<name>(?: de)?[-/., ]{0,2}<Y>"),
    _style("%b %y", r"<name>[-/., ]{0,2}'?<y>"),
    _style("%Y %b", r"<Y>[-/. ]?<name>"),
    _style("%Y quarter", r"<Y>[-/ ]?Q(?P<q>[1-4])"),
    _style("quarter %Y", r"Q(?P<q>[1-4])[-/ ]?<Y>"),
    _style("%Y", r"<C>"),
    _style("epoch seconds", r"(?P<ticks>-?\d{9,10})(?:\.0+)?"),
    _style("epoch milliseconds", r"(?P<ticks>-?\d{12,13})(?:\.0+)?"),
    _style("epoch microseconds", r"(?P<ticks>-?\d{15,16})"),
    _style("epoch nanoseconds", r"(?P<ticks>-?\d{18,19})"),
    _style("Excel serial", r"(?P<serial>[1-9]\d{4})(?:[.,]\d+)?"),
)
_TICKS = {"epoch seconds": 1, "epoch milliseconds": 10**3, "epoch microseconds": 10**6, "epoch nanoseconds": 10**9}
_LETTERS = (("YYYY", "%Y"), ("YY", "%y"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"))

# A time of day and a zone after the date: the local date stands as it is written.
_TIME = re.compile(
    r"(?:(?<=\d)T|[T ]+|, *)(?:\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?|\d{1,2}-[AP]M|(?<=\d{8} )\d{6})"
    r"(?: ?[AaPp]\.?[Mm]\.?)? ?(?:Z|(?:UTC|GMT)? ?[+-]\d{2}:?\d{2}(?: \(.*\))?|[A-Z]{2,4}(?:/[A-Za-z_]+)?)?$"
)
_WEEKDAY = re.compile(r"([^\W\d_]{2,})\.?,? +(?=\S)")


def date_readings(cells: Sequence[str], today: date) -> tuple[DateReading, ...]:
    """The readings that understand the most cells, if that is at least a quarter of them.

    Two-digit years are never after `today`. Cells that are no date (headers, footers) are NaT.
    """
    slots: dict[str, int] = {}
    index = [slots.setdefault(cell, len(slots)) for cell in cells]
    texts = [day_part(cell) for cell in slots]
    fitting = [style for style in _STYLES if _fits(style, texts)]
    found = [_read(style, texts, today) for style in fitting]
    found = [DateReading(one.format, one.dates[index]) for one in found]
    most = max((int(one.known.sum()) for one in found), default=0)
    best = [one for one in found if int(one.known.sum()) == most > 0 and 4 * most >= len(cells)]
    # Nobody writes year, day, month where year, month, day is possible too.
    year_first = {one.format for one in best if one.format.startswith("%Y") and one.format.endswith("%d")}
    plain = [one for one in best if not (year_first and re.fullmatch("%Y.%d.%m", one.format))]
    return tuple(_in_an_era(plain, cells, today) or plain)


def _in_an_era(readings: Sequence[DateReading], cells: Sequence[str], today: date) -> list[DateReading]:
    """Dates with years of two digits that weekdays disprove, in the era in which weekdays prove them."""
    short = [one for one in readings if "%y" in one.format]
    if not short or len(short) < len(readings) or not all(weekdays_disprove(one.dates) for one in short):
        return []
    others = [date_reading(cells, one.format + era, today) for one in short for era in OFFSETS]
    return [one for one in others if weekdays_prove(one.dates) and np.nanmax(one.dates) <= np.datetime64(today)]


def date_reading(cells: Sequence[str], label: str, today: date) -> DateReading:
    """The cells in a format that the user names. Raises `ConfigError` for a text that is no format."""
    era = next((era for era in OFFSETS if label.endswith(era)), "")
    generic = re.sub(r"(?<=[A-Za-z])[-/. ](?=%)", "{s}", label)
    known = {label, generic, label.removesuffix(era), generic.removesuffix(era)}
    for style in _STYLES:
        if style.format in known:
            return DateReading(label, _read(style, [day_part(cell) for cell in cells], today, era).dates)
    code = label
    for letters, directive in _LETTERS if "%" not in label else ():
        code = code.replace(letters, directive)
    if code != label:
        return date_reading(cells, code, today)
    if "%" not in code:
        raise ConfigError(f"--date-format {label!r} is no date format.", "write for example --date-format %d/%m/%Y.")
    return DateReading(code, np.array([_parse(cell, code) for cell in cells], dtype="datetime64[D]"))


def day_part(cell: str) -> str:
    """A cell without its time of day, zone and weekday."""
    text = _TIME.sub("", cell) if ":" in cell or " " in cell else cell
    first = _WEEKDAY.match(text)
    return text[first.end() :] if first and not month(first[1]) else text


def has_time(cell: str) -> bool:
    """Whether a time of day stands in a cell, other than midnight."""
    time = _TIME.search(cell)
    return bool(time and re.search("[1-9]", time[0].partition("+")[0]))


def _parse(cell: str, code: str) -> date | None:
    for text in (cell, day_part(cell)):
        try:
            return datetime.strptime(text, code).date()
        except ValueError:
            continue
    return None


def _fits(style: _Style, texts: Sequence[str]) -> bool:
    sample = texts[:: max(1, len(texts) // 16)]
    return sum(style.pattern.fullmatch(text) is not None for text in sample) * 4 >= len(sample)


def _read(style: _Style, texts: Sequence[str], today: date, era: str = "") -> DateReading:
    """A column in a style; its years in the named era, or in the one that they show."""
    matches = [style.pattern.fullmatch(text) for text in texts]
    years = [match["y"] for match in matches if match and "y" in match.groupdict()]
    shown = era or era_of(years, style.is_minguo, "d" in style.pattern.groupindex, today)
    if style.is_minguo and not shown:
        matches = [None] * len(matches)
    days = [_day(match, style.format, today, shown) if match else None for match in matches]
    separator = next((match["s"] for match in matches if match and "s" in match.groupdict()), "")
    label = style.format.replace("{s}", separator).removesuffix(shown) + shown
    return DateReading(label, np.array(days, dtype="datetime64[D]"))


def _day(match: re.Match[str], label: str, today: date, era: str) -> date | None:
    parts = match.groupdict()
    try:
        if "serial" in parts:
            return date(1899, 12, 30) + timedelta(days=int(parts["serial"]))
        if "ticks" in parts:
            return date(1970, 1, 1) + timedelta(days=int(parts["ticks"]) // (86_400 * _TICKS[label]))
        if era:
            return date(common_year(parts["y"], era), _month(parts), int(parts.get("d") or 1))
        return _dated(parts["y"], _month(parts), int(parts.get("d") or 1), today)
    except (ValueError, OverflowError):
        return None


def _month(parts: dict[str, str]) -> int:
    if "n" in parts:
        return month(parts["n"])
    return 3 * int(parts["q"]) - 2 if "q" in parts else int(parts.get("m") or 1)


def _dated(year: str, number: int, day: int, today: date) -> date:
    if len(year) == 4:
        return date(int(year), number, day)
    ours = date(2000 + int(year), number, day)
    return ours if ours <= today else date(1900 + int(year), number, day)
