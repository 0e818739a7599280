"""One small file for each dialect and each fault, with its expected reading beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast import errors
from stockcast.reading.reader import read_file
from stockcast.reading.records import Hints

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


def the_file(case: Path) -> Path:
    (file,) = (path for path in case.parent.glob(f"{case.stem}.*") if path != case)
    return file


def hints(expected: dict[str, Any]) -> Hints:
    given = dict(expected.get("hints", {}))
    return Hints(**{**given, "accept": frozenset(given.get("accept", ()))})


def as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_fix_leads_elsewhere_when_it_is_typed(case: Path, follow_the_fix: Callable[[Path, Hints], int]) -> None:
    expected = json.loads(case.read_text(encoding="utf-8"))
    followed = follow_the_fix(the_file(case), hints(expected))
    assert followed >= sum("--" in words for words in expected.get("says", ()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_file_is_read_as_expected(case: Path) -> None:
    expected = json.loads(case.read_text(encoding="utf-8"))
    if "error" in expected:
        with pytest.raises(errors.DataError) as raised:
            read_file(the_file(case), hints(expected))
        told = f"{raised.value.message} {raised.value.fix}"
        assert type(raised.value).__name__ == expected["error"], told
        assert [words for words in expected["says"] if words not in told] == [], told
        return
    read = read_file(the_file(case), hints(expected))
    wanted = expected["reading"]
    found = {key: as_json(getattr(read.reading, key)) for key in wanted if key != "columns"}
    assert found == {key: value for key, value in wanted.items() if key != "columns"}
    assert wanted.get("columns", {}).items() <= read.reading.columns.items()
    assert [one.kind for one in read.findings] == expected["findings"]
    assert [one.name for one in read.series] == [one["name"] for one in expected["series"]]
    for series, truth in zip(read.series, expected["series"], strict=True):
        close = series.columns["close"]
        assert (len(series), str(series.dates[0]), str(series.dates[-1])) == (
            truth["rows"],
            truth["first"],
            truth["last"],
        )
        assert (close[0], close[-1]) == (truth["first_close"], truth["last_close"])
        np.testing.assert_allclose(close.sum(), truth["close_sum"], rtol=1e-9)
        assert sorted(series.columns) == sorted(truth["columns"])
        assert series.decimals == truth["decimals"]
