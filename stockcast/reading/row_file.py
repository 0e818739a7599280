"""A row file of forecasts from the disk: plain or packed, and UTF-8 or refused."""

from __future__ import annotations

from pathlib import Path

from stockcast.errors import DataError
from stockcast.reading.files import load_source


def row_text(path: Path) -> str:
    """The text of a row file. Raises as `load_source`, and `DataError` for another encoding than UTF-8."""
    content = load_source(path).content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}, line {line}: the byte {content[error.start]:#04x} is not UTF-8 text.",
            "save the file as UTF-8: in a spreadsheet as 'CSV UTF-8', in pandas with to_csv(..., encoding='utf-8').",
        ) from error
    if "\0" in text:
        raise DataError(f"{path} has zero bytes: it is UTF-16, or damaged.", "save it as UTF-8.")
    return text
