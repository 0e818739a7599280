"""What a page is made of: sections of words, tables, pictures and facts. The templates know these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from stockcast.view.report.svg import Picture

Cell = str | Markup


@dataclass(frozen=True)
class DataTable:
    """A table: the first cell of each row names it. One with a `summary` is folded below that line."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    summary: str | None = None
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for."""

    pairs: Mapping[str, str]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Figured:
    """A picture, and the table that has its numbers, folded."""

    picture: Picture
    table: DataTable
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True)
class Bullets:
    """Sentences, one a line."""

    sentences: tuple[str, ...]
    kind: ClassVar[str] = "list"


@dataclass(frozen=True)
class Words:
    """A paragraph; what is `code` in it is to be typed."""

    text: str
    code: str = ""
    kind: ClassVar[str] = "words"


Block = DataTable | Facts | Figured | Bullets | Words


@dataclass(frozen=True)
class PageSection:
    """A heading, whose `anchor` is unique on its page, and what stands below it."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """One page: what it is about, what a reader should know first, and its sections.

    `alerts` are what is wrong tonight; `made` is the moment, UTC, that it was made at.
    """

    title: str
    about: str
    sections: tuple[PageSection, ...]
    made: str
    alerts: tuple[str, ...] = ()
    home: str | None = field(default=None)


def table_of(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], summary: str | None = None
) -> DataTable:
    """A table from any sequences."""
    return DataTable(caption, tuple(head), tuple(tuple(row) for row in rows), summary)
