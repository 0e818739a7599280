"""How pictures become files, whatever the names, the prices and the dates are."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from stockcast.data.forecast import Forecast, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import UsageError
from stockcast.view import chart_style, charts

ODD_NAMES = [
    "$x_1$",
    "$unbalanced",
    "a_b^c\\frac",
    "$\\nothing$",
    "\N{CJK UNIFIED IDEOGRAPH-4F2F}\N{CJK UNIFIED IDEOGRAPH-514B}",
    "\N{ARABIC LETTER ALEF}\N{HEBREW LETTER ALEF}\N{DEVANAGARI LETTER KA}",
    "nul\0 bell\a <&> --> line\nbreak",
    "lone \udcff surrogate",
    "",
    "long " * 60,
]


def drawing(name: str = "ibm") -> Figure:
    return charts.history(name, "daily", [0.5, 0.4, 0.3], measure="mse")


def drawn(low: float, high: float) -> list[str]:
    """The labels of a price axis from `low` to `high`, as drawn, and the values that they stand at."""
    with chart_style.style():
        figure = chart_style.blank()
        axes = figure.add_subplot()
        axes.plot([0, 1], [low, high])
        chart_style.price_axis(axes, "Price")
        figure.draw_without_rendering()
        bottom, top = axes.get_ylim()
        ticks = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
        return [f"{value!r} {text.get_text()}" for value, text in ticks if bottom <= value <= top]


def dated(first: str, last: str) -> list[str]:
    with chart_style.style():
        figure = chart_style.blank()
        axes = figure.add_subplot()
        axes.plot(np.array([first, last], dtype="datetime64[D]"), [1, 2])
        chart_style.date_axis(axes)
        figure.draw_without_rendering()
        low, high = axes.get_xlim()
        ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        return [text.get_text() for value, text in ticks if low <= value <= high]


def test_a_png_has_1200_by_700_pixels() -> None:
    picture = chart_style.render(drawing(), ".png")
    assert picture[:16] == b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    assert [int.from_bytes(picture[at : at + 4]) for at in (16, 20)] == [1200, 700]


def test_an_svg_is_xml_and_a_pdf_a_pdf() -> None:
    assert ElementTree.fromstring(chart_style.render(drawing(), ".svg")).tag.endswith("svg")
    picture = chart_style.render(drawing(), ".pdf")
    assert picture.startswith(b"%PDF-")
    assert picture.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize("suffix", chart_style.SUFFIXES)
def test_the_same_data_give_the_same_bytes_whatever_the_user_has_set(suffix: str) -> None:
    before = chart_style.render(drawing(), suffix)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "pink", "savefig.dpi": 33, "svg.hashsalt": None}):
        assert chart_style.render(drawing(), suffix) == before
        assert mpl.rcParams["font.size"] == 30


@pytest.mark.parametrize("suffix", chart_style.SUFFIXES)
def test_any_name_can_be_drawn(suffix: str) -> None:
    with chart_style.style():
        figure = chart_style.blank()
        for row, name in enumerate(ODD_NAMES):
            figure.text(0.1, row / len(ODD_NAMES), chart_style.one_line(name))
    picture = chart_style.render(figure, suffix)
    if suffix == ".svg":
        ElementTree.fromstring(picture)


@pytest.mark.parametrize("name", ["$\\nothing$", "nul\0 --> <&>"])
def test_any_series_can_be_drawn(name: str) -> None:
    ElementTree.fromstring(chart_style.render(drawing(name), ".svg"))


def test_a_name_is_shown_as_it_is_on_one_line_and_not_too_long() -> None:
    title = drawing("$x_1$").axes[0].get_title("left")
    assert title.startswith("$x_1$: ")
    assert chart_style.one_line("two\n lines\t") == "two lines"
    assert chart_style.one_line("nul\0") == "nul\N{REPLACEMENT CHARACTER}"
    assert chart_style.one_line("x" * 32) == "x" * 32
    assert chart_style.one_line("x" * 33) == "x" * 31 + "\N{HORIZONTAL ELLIPSIS}"


@pytest.mark.parametrize("size", [2e-5, 0.013, 1.0, 47.0, 203.0, 6.0e5, 4.2e7])
@pytest.mark.parametrize("width", [0.001, 0.2])
def test_prices_are_written_out(size: float, width: float) -> None:
    labels = drawn(size, size * (1 + width))
    assert len(labels) >= 3
    for label in labels:
        value, text = label.removeprefix("np.float64(").replace(")", "").split()
        assert "e" not in text
        assert float(text.replace(",", "")) == pytest.approx(float(value), rel=1e-9)
        assert ("," in text) == (float(value) >= 1000)


def test_negative_differences_have_a_minus_sign() -> None:
    assert any(label.endswith(" \N{MINUS SIGN}2.0") for label in drawn(-2, 2))


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2013-03-01", "2013-03-01", ["1 Mar\n2013"]),
        ("2012-12-30", "2013-01-02", ["30 Dec\n2012", "31 Dec", "1 Jan\n2013", "2 Jan"]),
        ("2012-11-01", "2013-03-01", ["Nov\n2012", "Dec", "Jan\n2013", "Feb", "Mar"]),
        ("2009-06-01", "2013-03-01", ["2010", "2011", "2012", "2013"]),
    ],
)
def test_dates_are_real_and_name_their_year(first: str, last: str, labels: list[str]) -> None:
    assert dated(first, last) == labels


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (202.91, 2, "202.91"),
        (202.0, 0, "202"),
        (608730.004, 3, "608,730.00"),
        (24.237548828125, 12, "24.2375"),
        (0.0000202910, 10, "0.0000202910"),
        (0.0, 4, "0.0000"),
    ],
)
def test_a_price_has_the_digits_of_its_source_within_reason(value: float, decimals: int, text: str) -> None:
    assert chart_style.price_text(value, decimals) == text


def test_the_suffix_says_what_is_drawn() -> None:
    assert chart_style.check_suffix("a/b.PNG") == ".png"
    with pytest.raises(UsageError, match=r"b\.jpg ends in \.jpg; a picture can be \.png, \.svg or \.pdf"):
        chart_style.check_suffix("b.jpg")
    with pytest.raises(UsageError, match=r"png has no ending"):
        chart_style.check_suffix("png")


def test_pyplot_is_never_imported() -> None:
    program = (
        "import sys; from stockcast.view import chart_style, charts;"
        "chart_style.render(charts.history('a', 'b', [1.0], measure='mse'), '.png');"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


SEEN_AS = {
    "all colours": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Linear RGB as readers without one kind of cone see it: Machado, Oliveira and Fernandes (2009), table 1."""

STYLE = (Path(charts.__file__).parent / "report" / "templates" / "style.css").read_text(encoding="utf-8")
TOLD_APART = [("ground", "band95"), ("band95", "band80"), ("band80", "band50"), ("ink", "blue"), ("ground", "quiet")]


def lightness(colour: str, seen: Any) -> float:
    """L* of CIE 1976, from 0 to 100, which is all that is left of a colour in a grey print."""
    share = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    luminance = float(np.array([0.2126, 0.7152, 0.0722]) @ np.clip(np.asarray(seen) @ linear, 0, 1))
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


@pytest.mark.parametrize("kind", SEEN_AS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_must_be_told_apart_is_lighter_or_darker_for_every_reader_and_in_grey(scheme: str, kind: str) -> None:
    light, _, dark = STYLE.partition("prefers-color-scheme: dark")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", light if scheme == "light" else dark))
    for one, other in TOLD_APART:
        apart = abs(lightness(colours[one], SEEN_AS[kind]) - lightness(colours[other], SEEN_AS[kind]))
        assert apart > 9, (one, other)


def test_pictures_have_the_colours_of_the_light_page() -> None:
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", STYLE.partition("prefers-color-scheme: dark")[0]))
    assert [colours[name] for name in ("ink", "blue", "red")] == [chart_style.INK, chart_style.BLUE, chart_style.RED]
    assert [colours[f"band{band}"] for band in (95, 80, 50)] == list(chart_style.BAND_COLOURS.values())


def test_two_parts_of_a_picture_differ_in_their_strokes_too(prices: Callable[..., PriceSeries]) -> None:
    series = prices(rows=60)
    rows = np.arange(20, 55)
    last = series.columns["close"][rows]
    made = Forecast(np.zeros(len(rows), np.int64), rows, last, last[:, None], np.repeat(last[:, None, None], 9, axis=2))
    part = evaluate("acme", Panel((series,)), made, "close")
    _, *forecasts = charts.parts(series, part, part, "acme").axes[0].lines
    assert len({line.get_linestyle() for line in forecasts}) == len(forecasts) == 2
