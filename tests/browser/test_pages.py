"""The pages in a real browser: nothing is asked for, nothing is out of place, and a screen reader finds its way.

Needs Debian's chromium; without it these tests are skipped, and say so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.ledger import clock
from stockcast.store.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}}
SHAPES = [(width, scheme) for width in (360, 1280) for scheme in ("light", "dark")]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    golden_models: Callable[[Path, Mapping[str, str]], None],
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
) -> Path:
    """The pages of models that were saved long ago: one recorded, one of a strange name, one without prices."""
    folder = tmp_path_factory.mktemp("site")
    golden_models(folder, {"acme": "acme", "pair": "pair", "<b>'\"&": "acme", "gone": "pair"})
    store = Store(folder / "models")
    bundle = store.load("gone")
    manifest = replace(bundle.manifest, csv=(str(folder / "nowhere"),))
    now = datetime.fromisoformat("2020-11-03T22:00:00+00:00")
    store.promote("gone", store.save("gone", replace(bundle, manifest=manifest), now), "moved", now)
    whole = prices(rows=235)
    with pytest.MonkeyPatch.context() as patch:
        for part in filter(None, (whole.upto(day) for day in whole.dates[219:])):
            write_csv(part, folder / "acme.csv")
            evening = datetime.fromisoformat(f"{part.dates[-1]}T22:30:00+00:00")
            patch.setattr(clock, "utc_now", partial(_same, evening))
            said = ["--record", "-o", str(folder / "said.txt"), "--quiet"]
            assert run(["--store", str(folder / "models"), "predict", "acme", *said]) == 0
    words = ["--store", str(folder / "models"), "report", "--all", "-o", str(folder / "site"), "--jobs", "1", "--quiet"]
    assert run(words) == 1
    return folder / "site"


def _same(moment: datetime) -> datetime:
    return moment


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A window of the width and the colours that the test is parametrized with."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield context.new_page()
    context.close()


def pages(site: Path) -> list[Path]:
    return [site / "index.html", *(site / "models" / f"{name}.html" for name in ("acme", "pair"))]


@pytest.mark.parametrize("page", SHAPES, indirect=True)
def test_nothing_is_asked_for_nothing_sticks_out_and_axe_finds_nothing(page: Page, site: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for file in pages(site):
        asked.clear()
        page.goto(file.as_uri())
        assert asked == [file.as_uri()]
        assert said == []
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1]
        for details in page.locator("details").all():
            details.evaluate("one => one.open = true")
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        shown = [one.is_visible() for one in page.locator("figure svg").all()]
        assert sum(shown) * 2 == len(shown)


@pytest.mark.parametrize("page", [SHAPES[0], SHAPES[-1]], indirect=True)
def test_labels_of_pictures_lie_inside_them_and_not_upon_each_other(page: Page, site: Path) -> None:
    for file in pages(site):
        page.goto(file.as_uri())
        for drawn in page.evaluate(f"() => {{{LABELS}}}"):
            box = drawn["box"]
            for one in drawn["labels"]:
                assert one["left"] >= box["left"] - 3, (file.name, one)
                assert one["right"] <= box["right"] + 3, (file.name, one)
                assert one["bottom"] <= box["bottom"] + 3, (file.name, one)
            for number, one in enumerate(drawn["labels"]):
                for other in drawn["labels"][number + 1 :]:
                    assert apart(one, other), (file.name, one, other)


LABELS = """
const box = one => one.getBoundingClientRect().toJSON()
const labels = one => [...one.querySelectorAll('text')].map(text => ({text: text.textContent, ...box(text)}))
return [...document.querySelectorAll('figure svg')].filter(one => box(one).width)
    .map(one => ({box: box(one), labels: labels(one)}))
"""


def apart(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether two boxes overlap by no more than a pixel, but for the ascent and descent that letters rarely fill."""
    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return across <= 1 or down <= 5


@pytest.mark.parametrize("page", SHAPES[2:3], indirect=True)
def test_a_page_is_walked_through_by_keyboard_and_printed(page: Page, site: Path, tmp_path: Path) -> None:
    page.goto((site / "models" / "acme.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
    assert {"A", "SUMMARY", "DIV"} <= set(reached)
    page.keyboard.press("Home")
    printed = page.pdf(path=str(tmp_path / "page.pdf"), format="A4", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert 2 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") + printed.count(b"/Type /Page/") <= 12
