"""A warning says what it means for the forecast; what nobody can act on is told to those who ask with -v."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries

GOLDEN = Path(__file__).parent / "golden" / "schema-1"

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture
def wild(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prices: Prices, write_csv: WriteCsv) -> Callable[..., str]:
    """Prices that were trained on, and ten later ones to so many times their end, in steps that are no split."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN, "models")

    def write(times: float) -> str:
        series = prices(rows=220)
        steps = times ** (np.arange(1, 11) / 10)
        columns = {
            key: np.append(values, values[-1] * (np.ones(10) if key == "volume" else steps))
            for key, values in series.columns.items()
        }
        dates = np.append(series.dates, np.busday_offset(series.dates[-1], np.arange(1, 11)))
        return str(write_csv(PriceSeries("acme", dates, columns), tmp_path / "acme.csv"))

    return write


def test_inputs_beyond_those_of_training_are_for_those_who_ask(wild: Callable[..., str], capsys: Capture) -> None:
    csv = wild(1.9)
    assert run(["predict", "acme", "--csv", csv, "--json"]) == 0
    told = capsys.readouterr()
    assert not any("scaler" in one or "trained on" in one for one in json.loads(told.out)["warnings"])
    assert "scaler" not in told.err
    assert run(["predict", "acme", "--csv", csv, "-v"]) == 0
    assert "left the range that the scaler was fitted on" in capsys.readouterr().err


@pytest.mark.parametrize(("times", "words"), [(1.9, ("above", "too low")), (0.55, ("below", "too high")), (1.0, None)])
def test_a_price_that_the_network_has_never_seen_is_said_in_prices(
    times: float, words: tuple[str, str] | None, wild: Callable[..., str], capsys: Capture
) -> None:
    assert run(["predict", "level", "--csv", wild(times), "--json"]) == 0
    warnings = [one for one in json.loads(capsys.readouterr().out)["warnings"] if "was trained on" in one]
    assert len(warnings) == (words is not None)
    for word in words or ():
        assert word in warnings[0]
