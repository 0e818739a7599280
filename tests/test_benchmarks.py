"""The file of results: its commands exist, and a part can be measured anew without touching the rest."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from benchmarks import __main__ as runner
from benchmarks.common import Sample, ratio_of, table


def test_every_part_has_its_benchmark_and_says_how_busy_the_machine_was() -> None:
    parts = list(runner.PART.finditer(runner.RESULTS.read_text(encoding="utf-8")))
    assert len(parts) >= 9
    for part in parts:
        assert importlib.util.find_spec(f"benchmarks.{part[2]}"), part[2]
        assert "load average" in part[0] or "Not measured yet." in part[0], part[2]


def test_a_part_is_replaced_and_the_words_around_it_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = "python -m benchmarks.one --rounds 5", "python -m benchmarks.other"
    before, after = "# Title\n\nwords\n\n", "\nmore words, and `\\1`\n\n"
    results = tmp_path / "RESULTS.md"
    results.write_text(before + runner.block(one, "1 s\n") + after + runner.block(other, "2 s\n"))
    monkeypatch.setattr(runner, "RESULTS", results)
    runner.replace_part(one, "3 s, \\g<0>\n")
    expected = before + runner.block(one, "3 s, \\g<0>\n") + after + runner.block(other, "2 s\n")
    assert results.read_text() == expected


def test_a_part_is_chosen_by_its_name_or_its_folder() -> None:
    names = ["kernel", "peers.epochs", "peers.quality", "peersonal"]
    assert [name for name in names if runner.is_chosen(name, [])] == names
    assert [name for name in names if runner.is_chosen(name, ["peers"])] == ["peers.epochs", "peers.quality"]
    assert runner.missing_places("python -m benchmarks.x --data DATA --peers PEERS", {"DATA": "prices"}) == ["PEERS"]


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    """Not the ratio of the medians: a round in which the machine was slow is slow for both."""
    mine = [Sample(1.0, 1.0), Sample(30.0, 1.0), Sample(2.0, 1.0)]
    reference = [Sample(2.0, 1.0), Sample(40.0, 1.0), Sample(10.0, 1.0)]
    assert ratio_of(mine, reference, "seconds") == 0.5
    line = table({"reference": reference, "mine": mine}, "reference").splitlines()[-1].split()
    assert line == ["mine", "2.000", "1.000-30.000", "0.500", "1.000", "1.000"]
