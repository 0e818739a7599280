"""Check the site that `mkdocs build` made: every link leads to a place in it, and nothing comes from elsewhere.

    python tools/site_links.py [FOLDER]

mkdocs looks at the links of Markdown; this looks at those of the pages as they are. Links that a reader follows to
another site are let be; pictures, scripts, styles and fonts must be the site's own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

SITE = Path(__file__).resolve().parent.parent / "site"
FROM_STYLES = re.compile(r"(?:url\(|@import\s*)[\"']?((?:https?:)?//[^\"')\s]+)")


class _Page(HTMLParser):
    """The links of a page, what it loads, and the places in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {key: value or "" for key, value in attrs}
        self.places |= {named[key] for key in ("id", "name") if key in named}
        if tag == "a" and "href" in named:
            self.links.append(named["href"])
        elif tag == "link" and named.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(named.get("href", ""))
        elif "src" in named:
            self.loads.append(named["src"])


@cache
def _page(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def faults(site: Path) -> Iterator[str]:
    """A line for each link that leads nowhere, and for each thing that comes from elsewhere."""
    for path in sorted(site.rglob("*.html")):
        page, name = _page(path), path.relative_to(site)
        for link in (*page.links, *page.loads):
            fault = _fault(link, path, site, link in page.loads)
            if fault:
                yield f"{name}: {link} {fault}"
    for path in sorted(site.rglob("*.css")):
        for address in FROM_STYLES.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)}: {address} comes from elsewhere"


def _fault(link: str, path: Path, site: Path, loaded: bool) -> str | None:
    parts = urlsplit(link)
    if parts.scheme == "data":
        return None
    if parts.scheme or parts.netloc:
        return "comes from elsewhere" if loaded else None
    folder, place = (site, parts.path.lstrip("/")) if parts.path.startswith("/") else (path.parent, parts.path)
    target = (folder / unquote(place)).resolve() if parts.path else path
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return "leads nowhere"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in _page(target).places:
        return "names no place of its page"
    return None


def main() -> None:
    """Tell every fault, and fail if there is one."""
    site = Path(sys.argv[1]) if sys.argv[1:] else SITE
    found = list(faults(site))
    for line in found:
        print(line)
    if found:
        raise SystemExit(1)
    count = len(list(site.rglob("*.html")))
    print(f"{site.name}: {count} pages, every link leads somewhere, nothing comes from elsewhere.")


if __name__ == "__main__":
    main()
