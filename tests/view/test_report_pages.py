"""Pages made of hostile words, and the index of many models: nothing that comes from data becomes markup."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from stockcast.data.forecast import Forecast
from stockcast.data.series import Panel, PriceSeries
from stockcast.view.chart_style import INK, one_line
from stockcast.view.report.fleet import FAILED, ORDERS, REFUSED, STATES, WELL, FleetRow, SmallFan, index_files
from stockcast.view.report.forecast import forecast_section
from stockcast.view.report.numbers import band_bar
from stockcast.view.report.records import Bullets, Facts, Figured, Page, PageSection, Words, table_of
from stockcast.view.report.render import LONGEST, page_html
from stockcast.view.report.svg import COLOURS, Picture, picture

pytestmark = pytest.mark.trial

HOSTILE = (
    "<script>alert(1)</script>",
    "\"' onload='alert(1)",
    "</title><svg onload=alert(1)>",
    "]]><!-- & &lt; {{ 7 * 7 }}",
    "\u202egnp.exe\u2066 \x00\x1b[31m\ud800",
    "A" * 10_000,
    "javascript:alert(1)",
)


def parsed(html: str) -> Element:
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return root


@cache
def drawn_with(word: str) -> Picture:
    """A picture that has the word as a label."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=INK, label="a line")
        axes.set_title("".join(letter if letter.isprintable() else "?" for letter in word[:40]))

    return picture("drawn", "a title", "what it shows", draw)


def page_of(word: str, label: str = "label") -> str:
    """A page that has the same word wherever words come from data."""
    table = table_of(word, [word, word], [[word, word], [word, band_bar(-0.1, 0.1, 0.2)]], word)
    blocks = (Words(word, word), Bullets((word,)), Facts({"name": word}), table, Figured(drawn_with(label), table))
    return page_html(Page(word, word, (PageSection("one", word, blocks),), "now", (word,), "../index.html"))


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_stay_words(word: str) -> None:
    html, plain = page_of(word, word), page_of("plain")
    root = parsed(html)
    assert [one.tag for one in root.iter()] == [one.tag for one in parsed(plain).iter()]
    attributes, usual = ([sorted({*one.attrib} - {"class"}) for one in each.iter()] for each in (root, parsed(plain)))
    assert attributes == usual
    text = "".join(root.itertext())
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "49" not in text or "49" in word
    assert max(map(len, html.splitlines())) < 40 * LONGEST
    html.encode("utf-8")


@given(st.text(min_size=1, max_size=50).filter(lambda word: bool(word.strip())))
def test_no_word_changes_the_form_of_a_page(word: str) -> None:
    assert [one.tag for one in parsed(page_of(word)).iter()] == _FORM


_FORM = [one.tag for one in parsed(page_of("plain")).iter()]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_ticker_is_a_name_in_tables_and_pictures(name: str) -> None:
    day = np.datetime64("2024-01-05")
    series = PriceSeries(name, day - np.arange(60)[::-1], {"close": np.linspace(90, 100, 60)})
    quantiles = 100 + np.linspace(-2, 2, 9) * np.ones((2, 2, 1))
    forecast = Forecast(np.array([0, 1]), np.array([59, 59]), np.full(2, 100.0), np.full((2, 2), 100.0), quantiles)
    panel = Panel((series, replace(series, name="plain")))
    dates = np.tile(day + np.arange(1, 3), (2, 1))
    root = parsed(page_html(Page("p", "p", (forecast_section(panel, forecast, dates, "close"),), "now")))
    assert not [one for one in root.iter() if one.tag in ("script", "b") or "onload" in one.attrib]
    first = [("".join(row[0].itertext())) for row in next(root.iter("tbody"))]
    assert len(first) == 2
    assert first[1] == "plain"
    assert first[0] == one_line(name)
    assert len(list(root.iter("figure"))) == 2


def test_pictures_take_the_colours_of_the_page() -> None:
    style = (Path(__file__).parents[2] / "stockcast/view/report/templates/style.css").read_text()
    for name in COLOURS.values():
        assert style.count(f"--{name}:") == 2, f"{name} has no colour for light and for dark"
    html = page_of("plain")
    assert f"stroke: var(--ink,{INK})" in html
    assert "font-family: 'DejaVu" not in html.partition("</style>")[2]
    assert "<metadata" not in html


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_bands_stay_apart_in_greyscale_in_both_schemes() -> None:
    style = (Path(__file__).parents[2] / "stockcast/view/report/templates/style.css").read_text()
    for scheme in style.split("prefers-color-scheme: dark")[:2]:
        last = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in _declarations(scheme)}
        greys = [luminance(last[f"--{name}"]) for name in ("ground", "band95", "band80", "band50", "blue")]
        contrasts = [(max(one, other) + 0.05) / (min(one, other) + 0.05) for one, other in pairwise(greys)]
        assert min(contrasts) > 1.15
        assert (max(luminance(last["--ink"]), greys[3]) + 0.05) / (min(luminance(last["--ink"]), greys[3]) + 0.05) > 3


def _declarations(text: str) -> list[str]:
    root = text[text.index(":root {") :].partition("}")[0]
    return [one for one in root.removeprefix(":root {").split(";") if "--" in one]


def fleet(count: int) -> list[FleetRow]:
    """Models of which some failed, in no order, with numbers that differ."""
    random = np.random.default_rng(0)
    fan = SmallFan(np.linspace(0.9, 1, 40), np.linspace([1.0] * 6, [0.9, 1.1, 0.93, 1.07, 0.96, 1.04], 6))
    rows = []
    for number in random.permutation(count):
        state = {3: FAILED, 7: REFUSED}.get(int(number), WELL)
        rows.append(
            FleetRow(f"model {number:03}", state, "<b>no</b> file" * 30)
            if state != WELL
            else FleetRow(
                f"model {number:03}",
                state,
                href=f"models/model%20{number:03}.html",
                as_of="2026-11-27",
                series=1,
                low=-float(random.uniform(0.005, 0.05)),
                high=float(random.uniform(0.005, 0.05)),
                fan=fan,
                coverage=float(random.uniform(0.7, 0.9)) if number % 2 else math.nan,
                days=250 if number % 2 else 0,
                skill=float(random.uniform(0.95, 1.05)),
                against="har",
                since="2026-11-01T00:00:00Z",
                age=int(random.integers(0, 90)),
            )
        )
    return rows


def test_an_index_of_five_hundred_is_small() -> None:
    files = index_files(fleet(500), "2026-11-28 06:00 UTC")
    assert {file: len(html.encode()) for file, html in files.items() if len(html.encode()) >= 400_000} == {}


def test_an_index_is_sorted_in_every_way() -> None:
    rows = fleet(50)
    files = index_files(rows, "2026-11-28 06:00 UTC")
    assert list(files) == [order.file for order in ORDERS]
    by_name = {row.name: row for row in rows}
    for order in ORDERS:
        html = files[order.file]
        root = parsed(html)
        body = next(root.iter("tbody"))
        names = [("".join(row[0].itertext())) for row in body]
        assert sorted(names) == sorted(by_name)
        keys = [order.key(by_name[name]) for name in names]
        known = [key for key in keys if not (isinstance(key, tuple) and key[0])]
        assert known == sorted(known)
        assert keys[: len(known)] == known
        heads = list(next(root.iter("thead")).iter("th"))
        assert [("".join(one.itertext())) for one in heads if one.get("aria-sort")] == [order.column]
        assert {link.get("href") for one in heads for link in one.iter("a")} == set(files) - {order.file}
    states = [row[1].text for row in next(parsed(files["index.html"]).iter("tbody"))]
    assert states == sorted(states, key=lambda word: STATES.index(word or ""))
    assert sum(1 for one in parsed(files["index.html"]).iter("figure")) == 2
    assert "<b>" not in files["index.html"]


def test_an_index_of_nothing_that_is_known_is_whole() -> None:
    files = index_files([FleetRow("one", FAILED, "gone")], "now")
    assert all(parsed(html) is not None for html in files.values())
