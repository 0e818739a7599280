"""Prices that don't move: the last price has no error there, so that nothing can be measured in units of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stockcast.data.forecast import EvaluatedForecast, Forecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.assessment import Assessment, assess
from stockcast.evaluate.gate import decide
from stockcast.evaluate.seeds import seed_spread
from stockcast.evaluate.steps import naive_errors
from stockcast.model.baselines import build
from stockcast.view.backtest import backtest_report
from stockcast.view.train import train_report

PANEL = Panel((PriceSeries("peg", np.arange(300).astype("datetime64[D]"), {"close": np.full(300, 166.87)}),))
ORIGINS = [np.arange(279, 299)]
NORMAL = np.array([-1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96])


def forecast(width: float, off: float = 0.0) -> EvaluatedForecast:
    """Forecasts of the last price, `off` times off, in normal bands of `width`."""
    (rows,) = ORIGINS
    last = np.full(len(rows), 166.87)
    point = np.repeat(last[:, None] * (1 + off), 2, axis=1)
    made = Forecast(np.zeros_like(rows), rows, last, point, point[..., None] * np.exp(width * NORMAL))
    return evaluate("daily", PANEL, made, "close")


def assessed(width: float, off: float = 0.0) -> Assessment:
    known = PANEL.upto(PANEL.dates[200])
    others = {
        name: evaluate(name, PANEL, build(name, known, "close", 2).forecast(PANEL, ORIGINS), "close")
        for name in ("naive", "ewma")
    }
    return assess(forecast(width, off), others, naive_errors(known, "close", 2))


@pytest.mark.parametrize("off", [0.0, 0.01])
def test_ratios_are_dashes_and_the_verdict_says_why(off: float) -> None:
    one = assessed(0.01, off)
    spread = seed_spread([one, one])
    table = train_report(one, spread, "Saved.").splitlines()
    assert table[4].split()[4] == "-"
    row = next(line for line in backtest_report("daily", one, 1, spread).splitlines() if line.startswith("1 "))
    assert row.split()[3] == "-"
    assert one.verdict.sentences()[0].startswith("The prices did not move")
    assert one.verdict.as_dict()["sentences"][0].startswith("The prices did not move")
    assert "no error to compare with" in spread.sentence()
    for record in (one.as_dict(), spread.as_dict()):
        json.dumps(record, allow_nan=False)


def test_the_gate_decides_by_the_champion_alone() -> None:
    exact, narrow, wide = forecast(0.0), forecast(0.001), forecast(0.002)
    better = decide(narrow, wide, exact, 0.01)
    assert (better.promoted, better.against_naive) == (True, None)
    assert not decide(wide, narrow, exact, 0.01).promoted
    unbeaten = decide(narrow, exact, exact, 0.01)
    assert (unbeaten.promoted, unbeaten.ratio) == (False, None)
    assert "did not move" in unbeaten.reason
    json.dumps(better.as_dict(), allow_nan=False)
