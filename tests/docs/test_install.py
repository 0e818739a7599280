"""What is said to be installed can be: this distribution, by its own name, with extras that it has."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITTEN = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("docs/**/*.ipynb"),
    *ROOT.glob("stockcast/**/*.py"),
]
INSTALLED = re.compile(r"pip install [^`\n]*?(?<![\w./])(stockcast[\w-]*)\[(\w+)\]")


def asked() -> list[tuple[str, str, str]]:
    """Each file that says to install something of stockcast's, with the distribution and the extra."""
    found = [(path, INSTALLED.findall(path.read_text(encoding="utf-8"))) for path in WRITTEN]
    return [(path.relative_to(ROOT).as_posix(), *one) for path, several in found for one in several]


@pytest.mark.parametrize(("where", "distribution", "extra"), asked())
def test_what_is_to_be_installed_is_this_distribution(where: str, distribution: str, extra: str) -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert distribution == setup["metadata"]["name"], where
    assert extra in setup["options.extras_require"], where


def test_some_place_says_so() -> None:
    assert {extra for _, _, extra in asked()} >= {"baselines", "dask", "yahoo"}
