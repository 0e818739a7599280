"""How the forecasts did that were issued and recorded: the only figures that nobody could tune."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import PriceSeries
from stockcast.evaluate.assessment import Assessment
from stockcast.evaluate.levels import band_ends
from stockcast.evaluate.live import Contest, Rolling
from stockcast.evaluate.steps import Scores
from stockcast.evaluate.wording import interval
from stockcast.view.chart_style import date_axis, one_line, price_text
from stockcast.view.record_chart import draw_rolling, draw_weekly_fans, weekly
from stockcast.view.report.numbers import p_cell, percent, plain
from stockcast.view.report.records import Block, Bullets, DataTable, Figured, PageSection, Words, table_of
from stockcast.view.report.svg import legend, picture
from stockcast.view.score import CALLED, record_sentences
from stockcast.view.text import UNKNOWN

TITLE = "How the last forecasts did"


@dataclass(frozen=True)
class RecordShown:
    """The live record of a model: what `score` says of it, and one of its series to draw.

    - `every`: all forecasts that count, in prices as they are now; `series` those prices, and `at` its index among the
      names of `every`;
    - `assessment`, `contests`, `rolling`, `days`, `enough_on`: as in `record_sentences`; `notes`: what was not scored.
    """

    every: EvaluatedForecast
    series: PriceSeries | None
    at: int
    price: str
    assessment: Assessment | None
    contests: tuple[Contest, ...]
    rolling: Rolling | None
    days: int
    enough_on: np.datetime64 | None
    notes: tuple[str, ...]


def no_record_section(name: str, trouble: str | None) -> PageSection:
    """What to do where nothing was recorded of a model, or `trouble`: why its record could not be read."""
    if trouble is not None:
        return PageSection("record", TITLE, (Words(f"The record can't be told: {trouble}"),))
    begin = "No forecast of this model was recorded yet, so that nobody can say how it does live. Begin the record with"
    every_night = (
        "A line of cron does it every night: each forecast is kept before its session begins, and judged when the "
        "prices have come. It is made by"
    )
    commands = (f"stockcast predict {quote(name)} --record", f"stockcast schedule {quote(name)} --install")
    return PageSection("record", TITLE, (Words(begin, commands[0]), Words(every_night, commands[1])))


def record_section(shown: RecordShown) -> PageSection:
    """The record in words, pictures and tables."""
    blocks: list[Block] = []
    assessment = shown.assessment
    if assessment is None:
        blocks.append(Words("Forecasts were recorded, and none could be judged yet."))
        blocks.append(Bullets(shown.notes))
    else:
        days = assessment.evaluated.origin
        blocks.append(Words(f"Live forecasts from {shown.days} judged days, {days.min()} to {days.max()}."))
        said = record_sentences(assessment, shown.contests, shown.rolling, shown.days, shown.enough_on)
        blocks += [Bullets((*said, *shown.notes)), losses_table(assessment.scores, shown.contests)]
    rows = weekly(shown.every, shown.at)
    if shown.series is not None and rows.size:
        blocks.append(_fans(shown, shown.series, rows))
        if shown.rolling is not None:
            blocks.append(_rolled(shown.rolling))
    return PageSection("record", TITLE, tuple(blocks))


def losses_table(scores: Mapping[str, Sequence[Scores]], contests: Sequence[Contest]) -> DataTable:
    """A row a step: the pinball loss beside each opponent's with its p, and how often the 80 % band held."""
    others = list(dict.fromkeys(one.opponent for one in contests))
    found = {(one.opponent, one.step): one for one in contests}
    head = ["Steps ahead", "Days", "Pinball loss, %"]
    for name in others:
        head += [f"/ {CALLED.get(name, name)}'s", "p"]
    head.append("80 % band held")
    rows = []
    for mine in scores["model"]:
        row = [str(mine.step), str(mine.days), plain(mine.pinball, 4)]
        for name in others:
            one = found.get((name, mine.step))
            row += [plain(one.ratio, 3), p_cell(one.p)] if one else [UNKNOWN, UNKNOWN]
        held = next((band for band in mine.bands if band.level == 0.8), None)
        row.append(f"{percent(held.coverage)} ({interval(held.low, held.high)})" if held and mine.n else UNKNOWN)
        rows.append(row)
    return table_of("Live pinball loss beside others', below 1 is better; p is corrected for all steps", head, rows)


def _fans(shown: RecordShown, series: PriceSeries, rows: NDArray[np.int64]) -> Figured:
    name = one_line(series.name)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        draw_weekly_fans(axes, series, shown.every, rows, shown.price)
        date_axis(axes)
        axes.set_xlabel("")
        legend(figure, axes)

    first, last = shown.every.origin[rows[0]], shown.every.origin[rows[-1]]
    what = f"{rows.size} of the live forecasts, one a week, issued from {first} to {last}, over the prices that came."
    return Figured(
        picture("fans", f"{name}: what was forecast, week by week, and what came", what, draw),
        _fans_table(shown.every, rows, series.decimals, name),
    )


def _fans_table(every: EvaluatedForecast, rows: NDArray[np.int64], decimals: int, name: str) -> DataTable:
    """A row a week: the farthest session of its forecast, the 80 % band for it, and the price that came."""
    made, cells = every.forecast, []
    low, high = band_ends(made.levels, 0.8)
    for row in rows[::-1]:
        step = int(np.flatnonzero(~np.isnat(every.dates[row]))[-1])
        ends = [price_text(made.quantiles[row, step, end], decimals) for end in (low, high)]
        actual = every.actual[row, step]
        inside = made.quantiles[row, step, low] <= actual <= made.quantiles[row, step, high]
        came = ["not yet", "-"] if np.isnan(actual) else [price_text(actual, decimals), "yes" if inside else "no"]
        point = price_text(made.point[row, step], decimals)
        cells.append([str(every.origin[row]), str(every.dates[row, step]), point, " .. ".join(ends), *came])
    head = ["Forecast on", "For", "Forecast", "80 % band", "Came", "Inside"]
    return table_of(f"{name}: one forecast a week and what came, newest first", head, cells, "These weeks in numbers")


def _rolled(rolled: Rolling) -> Figured:
    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        draw_rolling(axes, rolled, rolled.days[0])
        date_axis(axes)
        axes.set_xlabel("")

    every = np.arange(len(rolled.days) - 1, -1, -5)
    names = list(rolled.ratio)
    head = ["Up to", "80 % band held", *(f"Loss / {CALLED.get(name, name)}'s" for name in names)]
    rows = [
        [
            str(rolled.days[at]),
            percent(float(rolled.coverage[at])),
            *(plain(float(rolled.ratio[name][at]), 3) for name in names),
        ]
        for at in every
    ]
    low, high = rolled.low, rolled.high
    what = f"Newest: {percent(float(rolled.coverage[-1]))} held, 95 % interval {interval(low, high)}."
    caption = "Over 60 sessions up to each fifth day, newest first"
    return Figured(
        picture("rolling", "How often the 80 % band held, 60 sessions at a time", what, draw, tall=0.7),
        table_of(caption, head, rows, "Rolling figures in numbers"),
    )
