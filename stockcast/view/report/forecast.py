"""What may happen next: the fan, and a table of the coming sessions; of a panel those that may move most and least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from stockcast.data.forecast import Forecast
from stockcast.data.series import Dates, Floats, Panel
from stockcast.evaluate.levels import band_edges
from stockcast.view.chart_style import one_line, price_text
from stockcast.view.charts import draw_fan
from stockcast.view.predict import PRINTED_BANDS, decimals_of, session_head, session_rows
from stockcast.view.report.numbers import band_bar, signed
from stockcast.view.report.records import Block, Bullets, DataTable, Figured, PageSection, Words, table_of
from stockcast.view.report.svg import legend, picture

DRAWN = 4
"""So many series of a panel have a picture: half of them those with the widest bands, half those with the narrowest."""

BAND = 0.8


def forecast_section(panel: Panel, forecast: Forecast, dates: Dates, price: str) -> PageSection:
    """The forecasts of the series of `panel`, one row each, for the sessions `dates` (series, days)."""
    blocks: list[Block] = []
    if len(panel) > 1:
        blocks.append(_of_all(panel, forecast, dates))
        names = ", ".join(panel.names[at] for at in drawn_series(forecast))
        blocks.append(Words(f"Drawn are the widest and the narrowest bands of the next session: {names}."))
    coming = known_events(panel, dates)
    if coming:
        blocks += [Words("Known to come before the last of these sessions:"), Bullets(coming)]
    for number, at in enumerate(drawn_series(forecast)):
        blocks.append(_fan(panel, forecast, dates, price, at, number))
    return PageSection("next", "What may happen next", tuple(blocks))


def drawn_series(forecast: Forecast) -> tuple[int, ...]:
    """The series that have a picture, the one with the widest band of the next session first."""
    count = len(forecast)
    widest = np.argsort(-np.ptp(next_moves(forecast), axis=1), kind="stable")
    chosen = widest if count <= DRAWN else [*widest[: DRAWN // 2], *widest[-(DRAWN // 2) :]]
    return tuple(int(at) for at in chosen)


def known_events(panel: Panel, dates: Dates) -> tuple[str, ...]:
    """A sentence on each series with events after its newest price and up to the last of its sessions."""
    sentences = []
    for at, one in enumerate(panel.series):
        known = one.events.known_by(one.dates[-1])
        ahead = known.take((known.dates > one.dates[-1]) & (known.dates <= dates[at, -1]))
        said = [
            f"{kind} on {day}{f' ({when} opening hours)' if when else ''}"
            for kind, day, when in zip(ahead.kinds, ahead.dates, ahead.when, strict=True)
        ]
        sentences += [f"{one_line(one.name)}: {', '.join(said)}."] if said else []
    return tuple(sentences)


def next_moves(forecast: Forecast) -> Floats:
    """The ends of the 80 % band of the next session as moves from the last price, (series, 2)."""
    low, high = band_edges(forecast, BAND)
    return np.stack([low[:, 0], high[:, 0]], axis=1) / forecast.last[:, None] - 1


def _fan(panel: Panel, forecast: Forecast, dates: Dates, price: str, at: int, number: int) -> Figured:
    one = panel.series[at]
    name = one_line(one.name)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        draw_fan(axes, one, forecast, dates[at], price=price, at=at)
        axes.set_xlabel("")
        legend(figure, axes)

    rows = session_rows(one, forecast, at, dates[at], price_text)
    last = price_text(forecast.last[at], decimals_of(one, forecast.quantiles[at]))
    day, said, _, band, *_ = rows[-1]
    title = f"{name}: recent prices and the next sessions"
    what = f"Last price {last} on {one.dates[-1]}. Forecast for {day}: {said}, 80 % band {band}."
    head = [column.capitalize() for column in session_head(forecast)]
    caption = f"{name} after {one.dates[-1]}, last price {last}: the sessions to come"
    table = table_of(caption, head, rows, None if len(panel) == 1 else f"{name} in numbers")
    return Figured(picture(f"fan{number}", title, what, draw), table)


def _of_all(panel: Panel, forecast: Forecast, dates: Dates) -> DataTable:
    moves = next_moves(forecast)
    reach = float(np.abs(moves).max()) or 1.0
    rows: list[Sequence[str]] = []
    for at, one in enumerate(panel.series):
        decimals = decimals_of(one, forecast.quantiles[at])
        low, high = (forecast.quantiles[at, 0, forecast.levels.index(end)] for end in PRINTED_BANDS["80 %"])
        band = f"{price_text(low, decimals)} .. {price_text(high, decimals)}"
        bar = band_bar(float(moves[at, 0]), float(moves[at, 1]), reach)
        last, share = price_text(forecast.last[at], decimals), [signed(float(move)) for move in moves[at]]
        rows.append([one_line(one.name), last, str(dates[at, 0]), band, f"{share[0]} .. {share[1]}", bar])
    head = ["Series", "Last price", "Session", "80 % band", "From the last price", "Band"]
    folded = f"All {len(panel)} series in numbers" if len(panel) > 12 else None
    return table_of("The next session of every series", head, rows, folded)
