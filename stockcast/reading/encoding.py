"""Bytes to lines of text: what isn't text, which encoding it is, and where its lines end."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from stockcast.errors import DataError
from stockcast.reading.legacy_encodings import decode_legacy

_BINARIES = (
    (b"PK", "a spreadsheet or an archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x89PNG", "a picture"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"ARROW1", "an Arrow file"),
)
_MARKUP = (("{", "JSON"), ("[", "JSON"), ("<!doctype", "a web page"), ("<html", "a web page"), ("<?xml", "XML"))
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Lines:
    """A file's lines without their ends.

    `ended` tells whether the last one has an end of its own, `odd_ends` how many end otherwise than most do.
    """

    lines: list[str]
    ended: bool
    odd_ends: int


def decode(content: bytes, where: str, known: Callable[[str], int]) -> Lines:
    """The lines of a text file.

    UTF-8 and UTF-16/32 are seen from the bytes. Among older encodings the one in whose reading `known` counts most
    known words in a line is taken; digits and marks are the same in all of them.
    Raises `DataError` for an empty file and for what is not text.
    """
    _refuse_binary(content, where)
    text = _text(content, where, known).replace("\ufeff", "")
    _refuse_markup(text, where)
    text = text.rstrip("\x1a")  # old DOS programs end a text so
    _refuse_controls(text, where)
    # Some tools write CR CR LF, old ones a lone CR.
    text = text.replace("\r\r\n", "\r\n")
    both, feeds, returns = (text.count(end) for end in ("\r\n", "\n", "\r"))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    odd_ends = feeds + returns - both - max(both, feeds - both, returns - both)
    return Lines(lines, not lines[-1].strip(), odd_ends)


def _refuse_binary(content: bytes, where: str) -> None:
    if not content.strip():
        raise DataError(f"{where} is empty.", "export it again.")
    for magic, kind in _BINARIES:
        if content.startswith(magic):
            raise DataError(f"{where} is {kind}, not a CSV file.", "export the prices as CSV.")


def _refuse_markup(text: str, where: str) -> None:
    start = text.lstrip()[:20].lower()
    for mark, kind in _MARKUP:
        if start.startswith(mark):
            raise DataError(f"{where} is {kind}, not a CSV file.", "export the prices as CSV.")


def _refuse_controls(text: str, where: str) -> None:
    control = _CONTROLS.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise DataError(
            f"{where}, line {line} has the control character {control[0]!r}: the file is damaged or not text.",
            "export it again.",
        )


def _text(content: bytes, where: str, known: Callable[[str], int]) -> str:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _whole_characters(content[len(mark) :], encoding, where)
    if b"\0" in content:
        return _whole_characters(content, _wide_encoding(content, where), where)
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return decode_legacy(content, known)


def _whole_characters(content: bytes, encoding: str, where: str) -> str:
    # An incremental decoder leaves out a last character that is cut short.
    try:
        return codecs.getincrementaldecoder(encoding)().decode(content)
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not {encoding} text: {error.reason}.", "export it again as UTF-8.") from error


def _wide_encoding(content: bytes, where: str) -> str:
    even, odd = content[0:4000:2].count(0), content[1:4000:2].count(0)
    half = len(content[:4000]) // 2
    if odd > 0.8 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.8 * half and odd < 0.1 * half:
        return "utf-16-be"
    line = content[: content.index(b"\0")].count(b"\n") + 1
    raise DataError(f"{where} has zero bytes, first in line {line}: it is damaged or not text.", "export it again.")
