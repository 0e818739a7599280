"""A matplotlib figure as SVG that stands inside a page: text as text, colours of the page, ids of its own."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stockcast.view import chart_style
from stockcast.view.chart_style import BAND_COLOURS, BLUE, CHANCE, GRID, INK, QUIET, RED

COLOURS = {
    INK: "ink",
    QUIET: "quiet",
    BLUE: "blue",
    RED: "red",
    CHANCE: "chance",
    GRID: "grid",
    **{colour: f"band{round(100 - 200 * tail)}" for tail, colour in BAND_COLOURS.items()},
}
"""The colours of pictures, and what the page's style sheet calls each of them: light and dark follow the page."""

WIDE, NARROW = (8.6, 3.9), (4.3, 3.7)
"""Inches of a picture for a screen and for a telephone. A point of a letter is a pixel where it is shown at 72 to the
inch; both are stretched to the width that there is."""

_POINTS, _LETTER, _HANDLE = 70, 6, 40
"""Of an inch; and of a legend how wide a letter is, and what stands before it."""

_HEIGHTS = 5
"""So many labelled heights, or fewer: the numbers stand in the table below, and each label takes time to draw."""

_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE = re.compile(r"url\(#(.+?)\)")
_DROPPED = {"font-family", "stroke-linecap"}


@dataclass(frozen=True)
class Picture:
    """A picture in two shapes of the same content, and what a reader who can't see it is told.

    `name` begins its ids and is unique on its page.
    """

    name: str
    title: str
    description: str
    wide: Markup
    narrow: Markup


def picture(name: str, title: str, description: str, draw: Callable[[Figure], None], tall: float = 1) -> Picture:
    """The picture that `draw` makes on an empty figure; `tall` times as high as the others."""

    def shape(inches: tuple[float, float], narrow: bool) -> Markup:
        ids = f"{name}-{'narrow' if narrow else 'wide'}"
        return inline_svg(_drawn(draw, inches, tall), ids, title, description)

    return Picture(name, title, description, shape(WIDE, False), shape(NARROW, True))


def is_narrow(figure: Figure) -> bool:
    """Whether a figure is drawn for a telephone."""
    return figure.get_figwidth() < chart_style.NARROW


def legend(figure: Figure, axes: Axes) -> None:
    """One legend below all axes, of what is labelled in `axes`, in as many columns as it has room for."""
    handles, labels = axes.get_legend_handles_labels()
    widths = sorted((_LETTER * len(str(label)) + _HANDLE for label in labels), reverse=True)
    room = _POINTS * figure.get_figwidth()
    columns = max((count for count in range(1, len(widths) + 1) if sum(widths[:count]) <= room), default=1)
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, columnspacing=1.2, handlelength=1.6)


def _drawn(draw: Callable[[Figure], None], inches: tuple[float, float], tall: float) -> Figure:
    with chart_style.style():
        figure = Figure(figsize=(inches[0], inches[1] * tall))
        figure.set_layout_engine("constrained")
        draw(figure)
    for axes in figure.axes:
        axes.patch.set_visible(False)
        if isinstance(locator := axes.yaxis.get_major_locator(), MaxNLocator):
            locator.set_params(nbins=_HEIGHTS)
    figure.patch.set_visible(False)  # the page is its ground
    return figure


def inline_svg(figure: Figure, ids: str, title: str, description: str) -> Markup:
    """The figure as an `svg` element whose ids all begin with `ids`; the same figure gives the same text."""
    root = ElementTree.fromstring(_saved(figure))
    for parent in list(root.iter()):
        for child in list(parent):
            if _tag(child) in ("metadata", "style"):
                parent.remove(child)
    wanted = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        _tidy(element, wanted, ids)
    _flatten(root)
    for at, (tag, text) in enumerate((("title", title), ("desc", description))):
        named = ElementTree.Element(tag, {"id": f"{ids}-{tag}"})
        named.text = " ".join(text.split())
        root.insert(at, named)
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{ids}-title {ids}-desc",
        "class": ids.rpartition("-")[2],
    }
    # What is markup here was made by matplotlib, and every text in it is escaped by the serializer.
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _saved(figure: Figure) -> str:
    file = io.BytesIO()
    with chart_style.style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # the reader's fonts may have it
        mpl.rcParams["svg.fonttype"] = "none"
        canvas = FigureCanvasSVG(figure)  # savefig would draw it twice
        canvas.print_svg(file, metadata={"Date": None})  # type: ignore[no-untyped-call]  # as matplotlib has it
    return file.getvalue().decode()


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _references(element: ElementTree.Element) -> list[str]:
    own = [value for key, value in element.attrib.items() if key.rpartition("}")[2] == "href"]
    inside = [name for value in element.attrib.values() for name in _REFERENCE.findall(value)]
    return [*(one.removeprefix("#") for one in own), *inside]


def _tidy(element: ElementTree.Element, wanted: set[str], ids: str) -> None:
    """Plain names, short numbers, colours by their names in the style sheet, and ids where something points to them."""
    element.tag = _tag(element)
    element.tail = None
    kept = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    if kept.get("id") in wanted:
        kept["id"] = f"{ids}-{kept['id']}"
    else:
        kept.pop("id", None)
    for key, value in kept.items():
        if key == "href":
            kept[key] = f"#{ids}-{value.removeprefix('#')}"
        elif key == "style":
            kept[key] = _style(value)
        elif key != "id":
            shorter = _REFERENCE.sub(rf"url(#{ids}-\1)", value)
            kept[key] = _NUMBER.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), shorter)
    if "d" in kept:
        kept["d"] = " ".join(kept["d"].split())
    element.attrib = kept
    if _tag(element) != "text":
        element.text = None


def _style(text: str) -> str:
    """The declarations, with the page's colours; where there is no style sheet, the picture's own."""
    kept = [one.strip() for one in text.split(";") if one.partition(":")[0].strip() not in _DROPPED]
    joined = ";".join(kept)
    for colour, name in COLOURS.items():
        joined = joined.replace(colour, f"var(--{name},{colour})")
    return joined


def _flatten(element: ElementTree.Element) -> None:
    """Put what stands in groups that say nothing in their place."""
    for child in list(element):
        _flatten(child)
        if child.tag == "g" and not child.attrib:
            at = list(element).index(child)
            element.remove(child)
            for offset, inner in enumerate(list(child)):
                element.insert(at + offset, inner)
