"""The file of results: its commands exist, and a part can be measured anew without touching the rest."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as runner
from benchmarks import anchors
from benchmarks.common import Sample, ratio_of, table
from stockcast.data.forecast import Forecast
from stockcast.data.series import Panel, PriceSeries


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


def test_ltsf_s_error_is_that_of_whole_batches_in_units_of_the_first_part() -> None:
    days, horizon, last = 700, 3, 140
    random = np.random.default_rng(0)
    levels = 5 + random.random((days, anchors.RATES))
    dates = np.busday_offset("1990-01-01", np.arange(days), roll="forward")
    panel = Panel(tuple(PriceSeries(f"{at}", dates, {"close": levels[:, at]}) for at in range(anchors.RATES)))
    rows = np.tile(np.arange(days - last - 1, days - 1), anchors.RATES)
    series = np.repeat(np.arange(anchors.RATES), last)
    at_last = np.repeat(levels[rows, series][:, None], horizon, axis=1)
    forecast = Forecast(series, rows, at_last[:, 0], at_last, np.repeat(at_last[..., None], 9, axis=2))
    scaled = levels / levels[: int(0.7 * days)].std(axis=0)
    windows = (last - horizon + 1) // 32 * 32
    origins = np.arange(days - last - 1, days - last - 1 + windows)
    errors = [(scaled[row + 1 : row + 1 + horizon] - scaled[row]) ** 2 for row in origins]
    assert windows == 128
    assert anchors.exchange_error(panel, forecast) == pytest.approx(np.mean(errors))


def test_the_forecasts_of_variance_see_no_later_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "DAYS", 50)
    variance = np.exp(np.random.default_rng(0).standard_normal(160))
    known = anchors.classics(np.where(np.arange(160) > 140, 100.0, variance))
    for name, (said,) in anchors.classics(variance).items():
        np.testing.assert_array_equal(said[109:141], known[name][0][109:141])
        assert np.isfinite(said[109:]).all()
        assert anchors.qlike(variance[1:], variance[1:]) == 0
