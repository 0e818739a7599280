"""What is said about a file before it is read, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stockcast.checks.findings import Finding
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import StockcastError

Order = Literal["oldest first", "newest first", "mixed"]


@dataclass(frozen=True)
class Hints:
    """What the user says about a file; each settles one question.

    - `date_format` is a strptime format, or one of the names that a `Reading` gives ("epoch seconds", ...);
    - `columns` maps a role (date, ticker, open, high, low, close, adj_close, volume) to a header name, or to a column
      number from 0 where no header has that name;
    - `accept` holds the findings that are taken although they would be refused: a kind, or a kind and the date of one
      row, as in splits:2020-08-31.
    """

    date_format: str | None = None
    decimal: str | None = None
    delimiter: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    accept: frozenset[str] = frozenset()


NO_HINTS = Hints()


@dataclass(frozen=True)
class Reading:
    """How a file was read.

    - `columns` maps each role to its header name, or to its number where there is no header line (`has_header`);
    - `unused` are all other columns that hold anything.
    """

    delimiter: str
    decimal: str
    thousands: str
    date_format: str
    order: Order
    columns: Mapping[str, str]
    unused: tuple[str, ...] = ()
    has_header: bool = True

    def sentence(self) -> str:
        """One plain sentence."""
        names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
        cells = names.get(self.delimiter, repr(self.delimiter))
        marks = f"decimal {self.decimal!r}" + (f", thousands {self.thousands!r}" if self.thousands else "")
        out = f"; not used: {', '.join(self.unused)}" if self.unused else ""
        return f"Cells between {cells}, {marks}, dates as {self.date_format}, {self.order}; {self._columns()}{out}."

    def _columns(self) -> str:
        if not self.has_header:
            return "no header line, by number from 0: " + ", ".join(
                f"{role} {number}" for role, number in self.columns.items()
            )
        return "columns " + ", ".join(
            name if role == name.lower() else f"{role} from {name!r}" for role, name in self.columns.items()
        )


@dataclass(frozen=True)
class FileRead:
    """A file's series, how it was read, and what was found while reading. `sha256` is of the bytes on disk."""

    path: Path
    sha256: str
    reading: Reading
    series: tuple[PriceSeries, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class PanelRead:
    """All series of several files, beside the files that could not be read and why."""

    panel: Panel
    files: tuple[FileRead, ...]
    failures: tuple[tuple[Path, StockcastError], ...]
