"""`report`: a page that stands alone, tells what the other commands tell, and is harmed by no name in it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.jobs.common.workers import spread
from stockcast.ledger import clock
from stockcast.store.store import Store

Capture = pytest.CaptureFixture[str]
Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]

pytestmark = pytest.mark.trial

SECTIONS = ["verdict", "next", "record", "held-out", "inputs", "data", "lineage", "claims"]


@pytest.fixture(autouse=True)
def one_evening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utc_now", clock.utc_now)  # so that it is put right afterwards
    clock.utc_now = lambda: datetime.fromisoformat("2020-11-03T22:30:00+00:00")


def parsed(html: str) -> Element:
    """The page's root, after a strict reading that allows no error of syntax."""
    root: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return root


def page_of(*arguments: str) -> tuple[str, Element]:
    assert run(["report", *arguments, "-o", "page.html", "--quiet"]) == 0
    html = Path("page.html").read_text(encoding="utf-8")
    return html, parsed(html)


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def one_in(element: Element, name: str) -> Element:
    return next(element.iter(name))


def tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def check_page(html: str, root: Element) -> None:
    """What holds of every page: nothing is run, nothing is asked for elsewhere, everything can be found and named."""
    every = list(root.iter())
    policy = next(one for one in every if one.get("http-equiv") == "Content-Security-Policy")
    assert policy.get("content") == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert root.get("lang") == "en"
    tags = {tag(one) for one in every}
    assert tags.isdisjoint({"script", "iframe", "object", "embed", "img", "form", "base"})
    handlers = [name for one in every for name in one.attrib if str(name).startswith("on")]
    assert handlers == []
    assert "@import" not in html
    named = [(str(name).rpartition("}")[2], value) for one in every for name, value in one.attrib.items()]
    links = [value for name, value in named if name in ("href", "src")]
    assert [link for link in links if re.match(r"(?!data:)\w+:|//", link)] == []
    ids = [one.get("id") for one in every if one.get("id")]
    assert len(ids) == len(set(ids))
    pointed = [link[1:] for link in links if link.startswith("#")]
    pointed += re.findall(r"url\(#(.+?)\)", html)
    pointed += [name for one in every for name in (one.get("aria-labelledby") or "").split()]
    assert set(pointed) <= set(ids)
    for table in (one for one in every if tag(one) == "table"):
        assert text_of(one_in(table, "caption"))
        assert {cell.get("scope") for cell in table.iter("th")} == {"col", "row"}
    for drawn in (one for one in every if tag(one) == "svg" and one.get("role") == "img"):
        assert [tag(child) for child in list(drawn)[:2]] == ["title", "desc"]
        assert all(text_of(child) for child in list(drawn)[:2])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["acme", "pair"])
def test_a_page_stands_alone_and_has_its_sections_in_order(name: str) -> None:
    html, root = page_of(name)
    check_page(html, root)
    assert [one.get("id") for one in root.iter("h2")] == SECTIONS
    assert len(html) < 300_000
    figures = len(list(root.iter("figure")))
    assert figures >= 4
    assert sum(tag(one) == "svg" and one.get("role") == "img" for one in root.iter()) == 2 * figures
    assert sum(1 for one in root.iter("details") if one.find(".//table") is not None) >= figures - 1


@pytest.mark.usefixtures("folder")
def test_a_page_says_what_the_other_commands_say(capsys: Capture) -> None:
    html, root = page_of("acme")
    capsys.readouterr()
    assert run(["predict", "acme", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    tables = {text_of(one_in(one, "caption")): one for one in root.iter("table")}
    sessions = next(table for caption, table in tables.items() if "the sessions to come" in caption)
    rows = [[text_of(cell) for cell in row] for row in sessions.iter("tr")][1:]
    assert [row[0] for row in rows] == [one["date"] for one in said["forecasts"]]
    for row, one in zip(rows, said["forecasts"], strict=True):
        low, high = (float(part) for part in row[3].split(" .. "))
        assert low == pytest.approx(one["quantiles"]["0.1"], abs=0.006)
        assert high == pytest.approx(one["quantiles"]["0.9"], abs=0.006)
    for sentence in Store(Path("models")).load("acme").manifest.scores["verdict"]["sentences"]:
        assert sentence in text_of(root)
    assert said["version"] in html
    assert "stockcast predict acme --record" in text_of(root)


def test_a_page_tells_the_record_once_there_is_one(
    folder: Path, prices: Prices, write_csv: WriteCsv, capsys: Capture
) -> None:
    whole = prices(rows=250)
    for rows in range(220, 251):
        part = whole.upto(whole.dates[rows - 1])
        assert part is not None
        write_csv(part, folder / "acme.csv")
        clock.utc_now = lambda day=part.dates[-1]: datetime.fromisoformat(f"{day}T22:30:00+00:00")  # type: ignore[misc]  # a default binds it
        assert run(["predict", "acme", "--record", "--quiet", "-o", "said.txt"]) == 0
    html, root = page_of("acme")
    check_page(html, root)
    capsys.readouterr()
    assert run(["score", "acme", "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)["models"][0]
    section = next(one for one in root.iter("section") if one.get("aria-labelledby") == "record")
    assert "Too few days to tell: 30 of 200" in text_of(section)
    losses = next(one for one in section.iter("table") if "Live pinball loss" in text_of(one))
    shown = [text_of(row[2]) for row in losses.iter("tr")][1:]
    assert shown == [f"{one['pinball']:.4f}" for one in scored["models"]["model"]]
    weeks = next(one for one in section.iter("table") if "one forecast a week" in text_of(one))
    assert 6 <= len(list(weeks.iter("tr"))) - 1 <= 8
    assert section.find(".//figure") is not None


@pytest.mark.usefixtures("folder")
def test_the_same_evening_gives_the_same_bytes_and_measures_once(capsys: Capture) -> None:
    first, _ = page_of("acme")
    kept = Path("models/acme/importance.json")
    measured = kept.read_bytes()
    assert page_of("acme")[0] == first
    kept.write_bytes(measured.replace(b'"windows"', b'"widows"'))
    assert page_of("acme")[0] == first
    assert kept.read_bytes() == measured
    kept.unlink()
    with Store(Path("models")).lock("acme"):
        capsys.readouterr()
        assert run(["report", "acme", "-o", "page.html"]) == 0  # the lock is this very process's
    assert run(["models", "verify"]) == 0


def test_a_page_is_made_without_tensorflow(folder: Path) -> None:
    program = (
        "import sys; from stockcast.cli import run; code = run(['report', 'acme', '-o', 'page.html']); "
        "print(*({'tensorflow', 'keras', 'pandas', 'sklearn'} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == ""


@pytest.mark.usefixtures("folder")
def test_what_can_not_be_kept_is_said(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from stockcast.errors import CannotCreate

    def refuse(*_: Any) -> None:
        raise CannotCreate("the disk may not be written.")

    monkeypatch.setattr("stockcast.jobs.morning.importance.keep_importance", refuse)
    assert run(["report", "acme", "-o", "page.html"]) == 0
    assert "will be measured again: the disk may not be written." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--all", "acme"), 2, "both given"),
        (("acme", "pair", "-o", "one.html"), 2, "there are 2 models"),
        (("--all", "--csv", "acme.csv"), 2, "--csv goes with one model"),
        (("nobody",), 66, "there is no model 'nobody'"),
        (("acme", "-o", "models/page.html"), 65, "lies in the store"),
        (("--all", "-o", "models/pages"), 65, "lies in the store"),
        (("acme", "-o", "no/such/page.html"), 73, "can't be written"),
        ((), 2, "holds 2 models"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_can_not_be_meant_is_refused(capsys: Capture, words: tuple[str, ...], code: int, said: str) -> None:
    assert run(["report", *words]) == code
    assert said in capsys.readouterr().err


def test_a_page_never_replaces_the_prices(folder: Path, capsys: Capture) -> None:
    before = (folder / "acme.csv").read_bytes()
    (folder / "page.html").write_bytes(before)
    assert run(["report", "acme", "--csv", "page.html", "-o", "page.html"]) == 65
    assert "is an input" in capsys.readouterr().err
    assert (folder / "page.html").read_bytes() == before


def test_a_fleet_has_an_index_and_one_that_fails_stops_no_other(folder: Path, capsys: Capture) -> None:
    (folder / "pair" / "aa.csv").write_text("hello,world\n")
    (folder / "pair" / "bb.csv").unlink()
    assert run(["report", "--all", "-o", "site", "--jobs", "1", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["report"] == "site/index.html"
    assert told["models"][0] == {"name": "acme", "page": "site/models/acme.html"}
    assert told["models"][1]["error"]["exit_code"] == 65
    check_page((html := (folder / "site" / "models" / "acme.html").read_text()), parsed(html))
    for file in sorted((folder / "site").glob("*.html")):
        root = parsed(file.read_text())
        check_page(file.read_text(), root)
        links = [one.get("href", "") for one in root.iter("a")]
        assert all(link.startswith("#") or (folder / "site" / link).is_file() for link in links)
        assert "refused" in text_of(next(root.iter("table")))
    root = parsed((folder / "site" / "index.html").read_text())
    alert = next(one for one in root.iter("section") if one.get("aria-labelledby") == "alerts")
    assert "pair refused: " in text_of(alert)


def test_what_kills_its_process_takes_no_other_task_along() -> None:
    found = dict(spread(_square_or_die, {"two": 2, "dies": 0, "three": 3, "wrong": -1}, jobs=2))
    assert (found["two"], found["three"]) == (4, 9)
    assert "was killed" in str(found["dies"])
    assert "a fault of stockcast itself: ValueError: negative" in str(found["wrong"])


def _square_or_die(number: int) -> int:
    if number == 0:
        import os

        os._exit(9)
    if number < 0:
        raise ValueError("negative")
    return number**2
