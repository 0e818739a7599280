"""What every picture shares: its size, its style, its axes, and how it becomes bytes.

Figures are made through matplotlib's objects; pyplot, with its global state and its windows, is never used. Whatever a
user's matplotlibrc says is set aside, so that the same data give the same bytes everywhere.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import PurePath
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DayLocator
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, Locator

from stockcast.errors import UsageError

SUFFIXES = (".png", ".svg", ".pdf")

INK = "#222222"
QUIET = "#5c5c5c"
BLUE = "#0b4f8a"
RED = "#b3261e"
CHANCE = "#dddddd"
GRID = "#e4e4e4"
# The bands by the probability on either side; light to dark, so that they stay apart in greyscale.
BAND_COLOURS = {0.025: "#d3e3f1", 0.1: "#a9c9e4", 0.25: "#76a8d2"}

_DOTS = 40

NARROW = 6
"""A figure of fewer inches is drawn for a telephone."""

_METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's own defaults with stockcast's style over them, inside a `with` or around a function."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "axes.axisbelow": True,
                "axes.edgecolor": QUIET,
                "axes.grid": True,
                "axes.labelcolor": QUIET,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "axes.titlelocation": "left",
                "axes.titlesize": 15,
                "font.size": 11,
                "grid.color": GRID,
                "legend.frameon": False,
                "pdf.fonttype": 42,
                "svg.hashsalt": "stockcast",  # else the same picture gets other ids each time
                "text.parse_math": False,  # a ticker may hold $ or _
                "xtick.color": QUIET,
                "ytick.color": QUIET,
            }
        )
        yield


class NotebookFigure(Figure):
    """A figure that a notebook shows although pyplot, which holds figures until they are closed, does not know it."""

    def _repr_png_(self) -> bytes:
        return render(self, ".png")


def blank() -> NotebookFigure:
    """An empty figure of 1200 x 700 pixels."""
    figure = NotebookFigure(figsize=(12, 7), dpi=100)
    figure.set_layout_engine("constrained", w_pad=0.15, h_pad=0.1)
    return figure


def check_suffix(path: str | PurePath) -> str:
    """The suffix of a picture's path, in lower case. Raises `UsageError` for one that can't be drawn."""
    suffix = PurePath(path).suffix.lower()
    if suffix not in SUFFIXES:
        found = f"ends in {suffix}" if suffix else "has no ending"
        raise UsageError(f"{path} {found}; a picture can be .png, .svg or .pdf.", "name the file for example plot.png.")
    return suffix


def render(figure: Figure, suffix: str) -> bytes:
    """The picture's file as bytes; `suffix` is one of `SUFFIXES`. The same figure gives the same bytes."""
    file = io.BytesIO()
    with style(), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(file, format=suffix.removeprefix("."), metadata=_METADATA[suffix])
    return file.getvalue()


def dots(count: int) -> dict[str, Any]:
    """How a line of so many points is drawn: of few, each is also a dot."""
    return {"marker": "o", "markersize": 4} if count <= _DOTS else {}


def one_line(name: str, width: int = 32) -> str:
    """A name on one line, cut short with an ellipsis, a box for each character that can't be printed."""
    line = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in " ".join(name.split()))
    return line if len(line) <= width else f"{line[: width - 1]}\u2026"


def headline(axes: Axes, title: str, facts: str) -> None:
    """A title over the axes and, between the two, a line of facts."""
    axes.set_title(title, pad=26, color=INK, fontweight="bold")
    line = axes.annotate(facts, (0, 1), (0, 9), xycoords="axes fraction", textcoords="offset points", color=QUIET)
    line.set_in_layout(False)  # the title keeps its room


def legend_below(figure: Figure, axes: Axes) -> None:
    """One legend below all axes, where it can't cover anything, of what is labelled in `axes`."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(handles))


def date_axis(axes: Axes) -> None:
    """Real dates below what is drawn already: days, months or years, with the year wherever it changes.

    A narrow figure has room for fewer of them.
    """
    figure = axes.get_figure(root=True)
    fewest, most = (2, 4) if figure is not None and figure.get_figwidth() < NARROW else (4, 10)
    first, last = axes.dataLim.intervalx
    if last - first >= 7:
        locator: Locator = AutoDateLocator(minticks=fewest, maxticks=most)  # type: ignore[no-untyped-call]  # as matplotlib has it
    else:
        locator = DayLocator()  # type: ignore[no-untyped-call]  # as matplotlib has it
        axes.set_xlim(first - 0.5, last + 0.5)

    def written(places: Sequence[float]) -> list[str]:
        low, high = axes.get_xlim()
        return _date_labels(
            [_day(place) for place in places], [_day(place) for place in places if low <= place <= high]
        )

    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_TogetherFormatter(written))
    axes.set_xlabel("Date")


class _TogetherFormatter(Formatter):
    """Labels that depend on each other, which are `written` of all ticks at once: one by one takes their square."""

    def __init__(self, written: Callable[[Sequence[float]], list[str]]) -> None:
        self.written = written

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        return self.written(values)

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002 -- matplotlib's signature
        return self.written([x])[0]


def _date_labels(days: Sequence[date], ticks: Sequence[date]) -> list[str]:
    """What is written at each of the `days`, of which `ticks` can be seen."""
    if len(ticks) > 1 and all((tick.month, tick.day) == (1, 1) for tick in ticks):
        return [f"{day.year}" for day in days]
    monthly = len(ticks) > 1 and all(tick.day == 1 for tick in ticks)
    texts = []
    for day in days:
        text = f"{day:%b}" if monthly else f"{day.day} {day:%b}"
        earlier = any(tick.year == day.year and tick < day for tick in ticks)
        texts.append(text if earlier else f"{text}\n{day.year}")
    return texts


def _day(number: float) -> date:
    """The date that matplotlib's axis counts as `number` days since 1970."""
    return date(1970, 1, 1) + timedelta(days=int(number))


def price_axis(axes: Axes, label: str) -> None:
    """Prices written out: with thousands commas, never as powers of ten, with the digits that the ticks need."""

    def written(places: Sequence[float]) -> list[str]:
        ticks = np.asarray(places)
        step = float(np.min(np.diff(ticks))) if ticks.size > 1 else float(np.abs(ticks).max(initial=1))
        digits = next((d for d in range(15) if np.allclose(ticks, np.round(ticks, d), rtol=0, atol=step / 100)), 15)
        return [f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}") for value in places]

    axes.yaxis.set_major_formatter(_TogetherFormatter(written))
    axes.set_ylabel(label)


def price_text(value: float, decimals: int) -> str:
    """A price with the digits of its source, but past the second decimal no more than six significant ones."""
    size = int(np.floor(np.log10(value))) if value else 0
    digits = min(decimals, max(2, 5 - size)) if value else decimals
    if value and abs(round(value, digits) / value - 1) > 0.005:
        digits = 2 - size  # a price far below one: three digits of it
    return f"{value:,.{digits}f}"
