"""Models that earlier versions saved go on forecasting, and forecast the same.

They were trained on `prices(rows=220)`, of the seeds 0 and 1; beside them lies what `predict --json` said of them then.
A change that turns this red would make every user's saved model say something else: it needs a new schema, not a new
expectation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(("name", "series"), [("acme", ["acme"]), ("level", ["acme"]), ("pair", ["aa", "bb"])])
def test_an_old_model_forecasts_as_it_did(
    name: str,
    series: list[str],
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for seed, one in enumerate(series):
        write_csv(prices(rows=220, seed=seed), tmp_path / f"{one}.csv")
    assert run(["predict", name, "--csv", str(tmp_path), "--store", str(GOLDEN / "schema-1"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    now = answer["forecasts"]
    then = json.loads((GOLDEN / f"{name}.json").read_text())["forecasts"]
    assert [one["date"] for one in now] == [one["date"] for one in then]
    for mine, old in zip(now, then, strict=True):
        assert mine.keys() == old.keys()  # no tails, where none were made
        assert mine["quantiles"].keys() == old["quantiles"].keys()
        assert mine["forecast"] == pytest.approx(old["forecast"], rel=1e-5)
        assert list(mine["quantiles"].values()) == pytest.approx(list(old["quantiles"].values()), rel=1e-4)
    biased = any(not one["quantiles"]["0.25"] <= one["forecast"] <= one["quantiles"]["0.75"] for one in now)
    assert biased == (name == "level")
    assert biased == ("outside its own 50 % band" in " ".join(answer["warnings"]))
