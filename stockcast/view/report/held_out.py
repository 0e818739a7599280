"""How a model did on the part of the past that it had not learned from: skill, coverage, calm and stormy days."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from stockcast.data.forecast import QUANTILES, EvaluatedForecast
from stockcast.evaluate.insight.regimes import REGIMES
from stockcast.evaluate.levels import central_bands
from stockcast.evaluate.scores import pit_expected
from stockcast.evaluate.steps import Scores
from stockcast.evaluate.verdict import OPPONENTS
from stockcast.evaluate.wording import interval
from stockcast.view.calibration_chart import draw_coverage, draw_pit
from stockcast.view.report.numbers import p_cell, percent, plain, ratio
from stockcast.view.report.records import Block, DataTable, Figured, PageSection, Words, table_of
from stockcast.view.report.svg import Picture, is_narrow, legend, picture

DRAWN_BANDS = (0.5, 0.8, 0.95)

Manifested = Mapping[str, Any]
"""The scores of a manifest: `Assessment.as_dict`, read back from JSON."""


def verdict_sentences(scores: Manifested) -> tuple[str, ...]:
    """All that a training said of its model, in the words that were earned then; nothing of one that was not judged."""
    topics = (scores.get("verdict"), scores.get("risk"))
    said = [sentence for topic in topics if topic for sentence in topic["sentences"]]
    directions = scores.get("directions")
    return (*said, *([directions["sentence"]] if directions else []))


def held_out_section(
    scores: Manifested, evaluated: EvaluatedForecast | None, regimes: Mapping[str, Scores]
) -> PageSection:
    """The scores of a manifest, `evaluated` the forecasts that it kept of them, and the scores of `calm_and_stormy`."""
    title = "How it did on the held-out part"
    if not scores.get("verdict") or evaluated is None:
        words = "This model was never judged: no price was held back to judge it by. How good its settings are,"
        return PageSection("held-out", title, (Words(f"{words} a backtest tells.", "stockcast backtest"),))
    first, last = scores["cutoffs"]["first"], scores["cutoffs"]["last"]
    intro = f"Forecasts made on each day from {first} to {last}, with what was known on that day alone."
    blocks: list[Block] = [Words(intro), skill_table(scores)]
    if central_bands(evaluated.forecast.levels):
        blocks += [Figured(_coverage_picture(evaluated), coverage_table(scores))]
        blocks += [Figured(_pit_picture(evaluated), pit_table(scores))]
    if regimes:
        blocks.append(regime_table(regimes))
    return PageSection("held-out", title, tuple(blocks))


def skill_table(scores: Manifested) -> DataTable:
    """A row a step: the errors in units of others', each with the p of its test, corrected over the steps."""
    models, verdict = scores["models"], scores["verdict"]
    others = [name for name in OPPONENTS if name in models]
    judged_by = verdict.get("opponent") or next(iter(others), None)
    sharp = verdict["sharpness"]
    head = ["Steps ahead", "Days", "RMSE / last price's", "p", "Pinball loss, %", "/ last price's"]
    for name in others:
        head += [f"/ {OPPONENTS[name]}", *(["p"] if sharp and name == judged_by else [])]
    rows = []
    for at, mine in enumerate(models["model"]):
        naive = models["naive"][at]
        row = [str(mine["step"]), str(mine["days"]), ratio(mine["rmse_percent"], naive["rmse_percent"])]
        row += [p_cell(verdict["level"]["corrected"][at]), plain(mine["pinball"], 4)]
        row.append(ratio(mine["pinball"], naive["pinball"]))
        for name in others:
            row.append(ratio(mine["pinball"], models[name][at]["pinball"]))
            row += [p_cell(sharp["corrected"][at])] if sharp and name == judged_by else []
        rows.append(row)
    return table_of("Skill by step. Below 1 is better than the other; p is corrected for all steps", head, rows)


def coverage_table(scores: Manifested) -> DataTable:
    """A row a step: how often each band held, with the interval of that share."""
    steps = scores["models"]["model"]
    bands = [band["level"] for band in steps[0]["bands"]]
    head = ["Steps ahead", *(f"{100 * band:g} % band held" for band in bands)]
    rows = [[str(step["step"]), *(_held(band) for band in step["bands"])] for step in steps]
    return table_of("How often the bands held, with 95 % intervals", head, rows, "Coverage in numbers")


def _held(band: Manifested) -> str:
    return f"{percent(band['coverage'])} ({interval(band['low'], band['high'])})"


def pit_table(scores: Manifested) -> DataTable:
    """One step ahead: the share of prices in each gap between the quantiles beside the share that was promised."""
    shares = scores["models"]["model"][0]["pit"]
    edges = [f"{100 * level:g} %" for level in (0.0, *QUANTILES, 1.0)]
    gaps = [f"{low} to {high}" for low, high in pairwise(edges)]
    rows = [
        [gap, percent(float(promised)), percent(share)]
        for gap, promised, share in zip(gaps, pit_expected(QUANTILES), shares, strict=False)
    ]
    head = ["Between the quantiles", "Promised", "Observed"]
    return table_of("Where the next price fell between the quantiles", head, rows, "These shares in numbers")


def regime_table(regimes: Mapping[str, Scores]) -> DataTable:
    """Calm and stormy days: how often the bands held one step ahead on either half."""
    levels = [band.level for band in regimes[REGIMES[0]].bands if band.level in DRAWN_BANDS]
    head = ["Days", "Forecasts", *(f"{100 * level:g} % band held" for level in levels), "Pinball loss, %"]
    rows = []
    for name, one in regimes.items():
        held = [
            f"{percent(band.coverage)} ({interval(band.low, band.high)})" for band in one.bands if band.level in levels
        ]
        rows.append([name, f"{one.n:,}", *held, plain(one.pinball, 4)])
    caption = "Calm and stormy days apart, one step ahead: stormy is a forecast that is wider than the median one"
    return table_of(caption, head, rows)


def _coverage_picture(evaluated: EvaluatedForecast) -> Picture:
    every = central_bands(evaluated.forecast.levels)
    bands = [band for band in DRAWN_BANDS if band in every] or list(every[:3])

    def draw(figure: Figure) -> None:
        narrow = is_narrow(figure)
        if narrow:
            figure.set_figheight(2 * len(bands))
        grid = (len(bands), 1) if narrow else (1, len(bands))
        parts = list(np.ravel(np.asarray(figure.subplots(*grid))))
        for axes, band in zip(parts, bands, strict=True):
            draw_coverage(axes, evaluated, band)
        for axes in parts[-1:] if narrow else parts:
            axes.set_xlabel("Steps ahead")
        legend(figure, parts[0])

    what = "Share of prices inside each band by step, beside the promised share and the range of chance."
    return picture("coverage", "How often the bands held", what, draw, tall=0.9)


def _pit_picture(evaluated: EvaluatedForecast) -> Picture:
    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        draw_pit(axes, evaluated)
        legend(figure, axes)

    what = "Observed share over promised share for each gap between the quantiles, one step ahead: 1 is as promised."
    return picture("pit", "Where the next price fell between the quantiles", what, draw, tall=0.9)
