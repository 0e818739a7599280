"""Following the fix of a refusal: its flags as a user would type them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from stockcast.errors import StockcastError
from stockcast.reading.column_names import parse_columns
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import Hints

TODAY = date(2026, 1, 1)
FLAG = re.compile(r"--(columns|accept|decimal|delimiter|date-format) ('[^']*'|\"[^\"]*\"|\S+)")


def flags_of(fix: str) -> list[tuple[str, str]]:
    """Every flag that a fix names, with its value as a shell hands it on; a full stop ends the sentence."""
    found = []
    for flag, value in FLAG.findall(fix):
        whole = value[:-1] if len(value) > 1 and value[-1] in ".,;" and value[0] not in "'\"" else value
        (word,) = shlex.split(whole)
        found.append((flag, "\t" if word == "\\t" else word))
    return found


def with_flag(hints: Hints, flag: str, value: str) -> Hints:
    """What the user said before, and one flag more."""
    if flag == "columns":
        return replace(hints, columns={**hints.columns, **parse_columns(value)})
    if flag == "accept":
        return replace(hints, accept=hints.accept | {value})
    return replace(hints, **{flag.replace("-", "_"): value})


def refusal_of(path: Path, hints: Hints) -> tuple[str, str]:
    """What a file is refused with by the commands that use it, and the fix; empty if it is read."""
    try:
        examined(read_panel([str(path)], hints), hints, TODAY)
    except StockcastError as error:
        return error.message, error.fix or ""
    return "", ""


@pytest.fixture
def follow_the_fix() -> Callable[[Path, Hints], int]:
    """Follow each flag of a file's refusal and see that it leads elsewhere; how many flags were followed."""

    def follow(path: Path, hints: Hints) -> int:
        message, fix = refusal_of(path, hints)
        assert not re.search(r"=[A-Z_]{4,}|=\.\.\.", fix), fix
        flags = flags_of(fix)
        for flag, value in flags:
            again, _ = refusal_of(path, with_flag(hints, flag, value))
            assert again != message, f"--{flag} {value} leads back to: {message} Fix: {fix}"
        return len(flags)

    return follow
