"""Sentences for messages: few are all said, many are cut short."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stockcast.data.forecast import evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.steps import naive_errors, score
from stockcast.model.baselines import build
from stockcast.view.text import UNKNOWN, likewise
from stockcast.view.train import score_table


def test_a_few_sentences_are_all_said_and_one_of_many_stands_for_all() -> None:
    sentences = {f"s{number}": f"s{number} ended." for number in range(6)}
    assert likewise({}) == []
    assert likewise(dict(list(sentences.items())[:3])) == ["s0 ended.", "s1 ended.", "s2 ended."]
    assert likewise(dict(list(sentences.items())[:4])) == ["s0 ended. Likewise 3 more: s1, s2, s3."]
    assert likewise(sentences) == ["s0 ended. Likewise 5 more: s1, s2, s3 and 2 more."]


def test_a_step_that_nobody_could_judge_yet_is_a_dash_in_the_table(prices: Callable[..., PriceSeries]) -> None:
    panel = Panel((prices(),))
    forecaster = build("naive", panel.upto(panel.dates[200]), "close", 3)
    origins = [np.array([298])]
    made = evaluate("naive", panel, forecaster.forecast(panel, origins), "close")
    steps = score(made, naive_errors(panel.upto(panel.dates[200]), "close", 3))
    lines = score_table({"model": steps, "naive": steps, "ewma": steps}).splitlines()
    assert "nan" not in "".join(lines)
    assert lines[2].split()[5] != UNKNOWN
    assert lines[3].split()[2:] == [UNKNOWN] * 7
