"""Text that a spreadsheet could take for a formula, made harmless."""

from __future__ import annotations

_TRIGGERS = ("=", "+", "-", "@", "\t", "\r")


def neutral(text: str) -> str:
    """`text` for a cell of a CSV: an apostrophe goes before what a spreadsheet would run as a formula (CWE-1236)."""
    return f"'{text}" if text.startswith(_TRIGGERS) else text


def restored(cell: str) -> str:
    """The text that `neutral` made `cell` of."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_TRIGGERS) else cell
