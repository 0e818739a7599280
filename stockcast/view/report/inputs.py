"""What the model looks at: how much worse it would do without each group of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from stockcast.evaluate.insight.importance import GroupImportance
from stockcast.evaluate.wording import capital
from stockcast.view.chart_style import BLUE, INK
from stockcast.view.report.numbers import signed
from stockcast.view.report.records import Figured, PageSection, Words, table_of
from stockcast.view.report.svg import is_narrow, picture

TITLE = "What the model looks at"


def inputs_section(found: Sequence[GroupImportance], windows: int, why_not: str = "") -> PageSection:
    """The groups, the most needed first, measured on so many held-out `windows`; or `why_not`."""
    if not found:
        return PageSection("inputs", TITLE, (Words(why_not),))
    repeats = len(found[0].rises)
    words = (
        f"Each group of inputs in turn was taken from another day, on {windows} days that the model had not learned "
        f"from, {repeats} times. Shown is by how much the loss rose. A group that costs nothing is one that the model "
        "does not need beside the others, which is not to say that it holds nothing."
    )
    rows = [
        [capital(one.name), str(len(one.inputs)), signed(one.mean), " to ".join(map(signed, one.spread))]
        for one in found
    ]
    table = table_of(
        "Rise of the loss without a group of inputs",
        ["Group", "Inputs", "Mean", "Least to greatest"],
        rows,
        "In numbers",
    )
    most = f"{capital(found[0].name)} matter most: {signed(found[0].mean)} loss without them."
    drawn = picture("importance", "Rise of the loss without each group of inputs", most, _draw(found), tall=0.7)
    return PageSection("inputs", TITLE, (Words(words), Figured(drawn, table)))


def _draw(found: Sequence[GroupImportance]) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        place = np.arange(len(found))[::-1]
        mean = 100 * np.array([one.mean for one in found])
        reach = np.abs(100 * np.array([one.spread for one in found]).T - mean)
        axes.barh(place, mean, 0.6, color=BLUE)
        axes.errorbar(mean, place, xerr=reach, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3)
        labels = [capital(one.name) for one in found]
        axes.set_yticks(place, [label.replace(" and ", "\nand ") for label in labels] if is_narrow(figure) else labels)
        axes.axvline(0, color=INK, linewidth=1)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(4 if is_narrow(figure) else 8, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(_tick))

    return draw


def _tick(value: float, _position: int | None) -> str:
    return f"{value:+.3g} %".replace("-", "\N{MINUS SIGN}") if value else "0 %"
