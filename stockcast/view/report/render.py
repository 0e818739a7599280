"""Pages as HTML: one file, no script, nothing from elsewhere, everything from data escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stockcast.version import __version__
from stockcast.view.report.records import Page

LONGEST = 600
"""Characters of any text from data; what is longer is cut, and marked so."""


def page_html(page: Page) -> str:
    """A page as HTML that is whole by itself."""
    return rendered("page.html", page=page)


def rendered(template: str, **values: Any) -> str:
    """A template filled in."""
    text = _environment().get_template(template).render(version=__version__, **values)
    return re.sub(r"\n\s*\n+", "\n", text)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("stockcast.view.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shown(value: Any) -> Any:
    """A value as a template prints it: text on one line, without what can't be seen or turns the direction of writing.

    Markup stays as it is: it was made here, and what is in it went through the same.
    """
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = " ".join(value.split()) if value.strip() else value
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
