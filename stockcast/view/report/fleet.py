"""The index of a fleet: a row a model, sorted in several files, and the ten best and worst of them drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from stockcast.data.series import Floats
from stockcast.view.chart_style import BAND_COLOURS, BLUE, INK, one_line
from stockcast.view.report.numbers import band_bar, percent, plain, signed
from stockcast.view.report.render import rendered
from stockcast.view.report.svg import Picture, is_narrow, picture

WELL, STALE, REFUSED, FAILED = "well", "stale", "refused", "failed"
STATES = (FAILED, REFUSED, STALE, WELL)
"""What may be said of a model in a word, what needs a person first."""

EXTREMES = 10

MOST_TROUBLES = 50
"""Above the table; of more, the table tells which."""


@dataclass(frozen=True)
class SmallFan:
    """A fan as small as a stamp: `recent` prices (n,), and the ends of the 95, 80 and 50 % bands, (1 + H, 6), by step
    from the last price on; all in units of the last price."""

    recent: Floats
    bands: Floats


@dataclass(frozen=True)
class FleetRow:
    """One model of the index.

    - `state` of `STATES` and `reason`; `href`: where its page is, None if there is none;
    - `as_of`: its newest price; `series`: how many it forecasts; `low` and `high`: the 80 % band of the next session as
      moves from the last price, of several series their mean; `fan`: of its first series;
    - `coverage`: how often the 80 % band held live over so many `days`, one step ahead;
    - `skill`: the held-out pinball loss one step ahead in units of that of `against`; `since`: when it began to serve,
      `age` days ago. What is not known is NaN, None or empty.
    """

    name: str
    state: str
    reason: str = ""
    href: str | None = None
    as_of: str = ""
    series: int = 0
    low: float = math.nan
    high: float = math.nan
    fan: SmallFan | None = None
    coverage: float = math.nan
    days: int = 0
    skill: float = math.nan
    against: str = ""
    since: str = ""
    age: int | None = None


@dataclass(frozen=True)
class Order:
    """A file of the index: what it is called, by which column it is sorted, and how."""

    file: str
    column: str
    key: Callable[[FleetRow], Any]


def _known(value: float) -> tuple[bool, float]:
    """A key that puts what isn't known last."""
    return (math.isnan(value), value)


ORDERS = (
    Order("index.html", "State", lambda row: STATES.index(row.state)),
    Order("index-name.html", "Model", lambda row: row.name.casefold()),
    Order("index-band.html", "Next 80 % band", lambda row: _known(row.low - row.high)),
    Order("index-coverage.html", "Live, 80 % band", lambda row: _known(row.coverage)),
    Order("index-skill.html", "Skill", lambda row: _known(row.skill)),
    Order("index-age.html", "Age, days", lambda row: _known(math.nan if row.age is None else -row.age)),
)


def index_files(rows: Sequence[FleetRow], made: str, summary: Sequence[str] = ()) -> dict[str, str]:
    """The files of the index by name, each with all rows in one order; the first has the pictures."""
    by_name = sorted(rows, key=lambda row: row.name.casefold())
    reach = max((abs(end) for row in rows for end in (row.low, row.high) if not math.isnan(end)), default=1.0) or 1.0
    counts = {state: sum(row.state == state for row in rows) for state in STATES}
    pictures = _extremes(by_name)
    return {
        order.file: rendered(
            "index.html",
            title=f"{len(rows)} model{'s' * (len(rows) != 1)}",
            counts=counts,
            summary=tuple(summary),
            orders=ORDERS,
            current=order,
            rows=[_cells(row, reach) for row in sorted(by_name, key=order.key)],
            troubles=[row for row in by_name if row.state != WELL][:MOST_TROUBLES] if order is ORDERS[0] else (),
            pictures=pictures if order is ORDERS[0] else (),
            made=made,
        )
        for order in ORDERS
    }


def _cells(row: FleetRow, reach: float) -> Mapping[str, Any]:
    """What the template writes of a row."""
    known = not math.isnan(row.low)
    return {
        "name": one_line(row.name),
        "href": row.href,
        "state": row.state,
        "as_of": row.as_of or "-",
        "band": f"{signed(row.low)} .. {signed(row.high)}" if known else "-",
        "bar": band_bar(row.low, row.high, reach) if known else Markup(""),
        "coverage": f"{percent(row.coverage)} of {row.days}" if row.days else "no record",
        "skill": plain(row.skill, 3),
        "age": "-" if row.age is None else str(row.age),
    }


def _extremes(rows: Sequence[FleetRow]) -> tuple[Picture, ...]:
    """The models with the least and the greatest held-out loss in units of their hardest baseline's, drawn."""
    judged = sorted(
        (row for row in rows if row.fan is not None and not math.isnan(row.skill)), key=lambda row: row.skill
    )
    best, worst = judged[:EXTREMES], judged[EXTREMES:][-EXTREMES:]
    pictures = []
    for name, words, chosen in (("best", "Most skill", best), ("worst", "Least skill", worst)):
        if chosen:
            title = (
                f"{words} on the held-out part: the {len(chosen)} {'lowest' if name == 'best' else 'highest'} ratios"
            )
            what = ", ".join(f"{one_line(row.name)} {row.skill:.3f}" for row in chosen)
            rows_of_five = math.ceil(len(chosen) / 5)
            pictures.append(picture(name, title, what, _stamps(chosen), tall=0.35 + 0.35 * rows_of_five))
    return tuple(pictures)


def _stamps(rows: Sequence[FleetRow]) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        narrow = is_narrow(figure)
        columns = 2 if narrow else 5
        count = math.ceil(len(rows) / columns)
        if narrow:
            figure.set_figheight(1.15 * count)
        every = np.ravel(np.asarray(figure.subplots(count, columns, squeeze=False)))
        for axes, row in zip(every, rows, strict=False):
            _stamp(axes, row)
        for axes in every:
            axes.set_axis_off()

    return draw


def _stamp(axes: Any, row: FleetRow) -> None:
    if row.fan is None:
        return
    recent, bands = row.fan.recent, row.fan.bands
    ahead = np.arange(len(bands)) + len(recent) - 1
    for place, colour in enumerate(BAND_COLOURS.values()):
        axes.fill_between(ahead, bands[:, 2 * place], bands[:, 2 * place + 1], color=colour, linewidth=0)
    axes.plot(np.arange(len(recent)), recent, color=INK, linewidth=1)
    axes.plot(ahead[[0, -1]], [1, 1], color=BLUE, linewidth=1)
    axes.set_title(f"{one_line(row.name, 12)} {row.skill:.3f}", fontsize=10, pad=2, color=INK)
