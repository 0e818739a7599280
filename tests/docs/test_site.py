"""What the documentation says is what there is: commands, settings, schemas, links."""

from __future__ import annotations

import re
from pathlib import Path

import notebooks
import pytest
import schemas
import site_links
import site_pages

import stockcast
from stockcast.config.run import default_settings, preset_names
from stockcast.errors import StockcastError
from stockcast.version import __version__

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WRITTEN = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
COMMANDS = dict(site_pages.commands())


def test_every_command_is_shown_by_its_own_help_with_every_option() -> None:
    page = site_pages.commands_text()
    for path, context in COMMANDS.items():
        assert f"\n## {path}\n" in f"\n{page}"
        for parameter in context.command.get_params(context):
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert option in page, f"{path} {option}"


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != "stockcast"])
def test_every_command_is_told_of_where_it_is_needed(path: str) -> None:
    """Somebody's words, not the program's own help: a how-to, a page, or a notebook."""
    assert any(path in text for text in WRITTEN.values()), f"{path} stands in no page of docs/"


@pytest.mark.parametrize("path", [path for path, one in COMMANDS.items() if not hasattr(one.command, "commands")])
def test_every_command_has_a_schema(path: str) -> None:
    name = path.removeprefix("stockcast ").replace(" ", "-")
    assert name in schemas.names()
    assert f"[{name}](json.md#{name})" in site_pages.commands_text()


def test_every_setting_and_preset_stands_in_the_reference() -> None:
    page = site_pages.settings_text()
    sections = dict(re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    for key in default_settings():
        section, _, name = key.partition(".")
        assert re.search(rf"^({name} = |# .*\b{name} is not set$)", sections[section], re.MULTILINE), key
    for name in preset_names():
        assert f"- `{name}`: " in site_pages.presets_text()


def test_every_failure_stands_among_the_exit_codes() -> None:
    def below(kind: type[StockcastError]) -> set[type[StockcastError]]:
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    rows = site_pages.exceptions_text()
    for kind in below(StockcastError):
        assert f"| {kind.exit_code} | `{kind.kind}` | `{kind.__name__}` |" in rows


def test_every_public_name_of_python_stands_in_the_reference() -> None:
    page = WRITTEN[DOCS / "reference" / "api.md"]
    for name in set(stockcast.__all__) - {"__version__"}:
        assert f"::: stockcast.{name}\n" in page
    for kind in (stockcast.Prices, stockcast.Model, stockcast.Judgement):
        (members,) = re.findall(rf"::: stockcast\.{kind.__name__}\n.*?members: \[(.*?)\]", page, re.DOTALL)
        public = {key for key in vars(kind) if not key.startswith("_")} - set(kind.__dataclass_fields__)
        assert public - {"model_name"} == set(members.split(", "))


def test_every_mark_is_filled_and_every_maker_is_used() -> None:
    pages = {path: text for path, text in WRITTEN.items() if path.is_relative_to(DOCS / "reference")}
    marks = [found for text in pages.values() for found in site_pages.MARK.findall(text)]
    assert sorted(marks) == sorted(site_pages.MADE)
    for text in pages.values():
        assert not site_pages.MARK.search(site_pages.filled(text))


def test_links_between_files_become_links_between_pages() -> None:
    text = "See [the house](../ARCHITECTURE.md#floors), [words](verdict.md) and [the licence](../LICENSE).\n"
    turned = site_pages.turned(f"{text}\n    [x](verdict.md)\n", "docs/a.md", "a.md")
    assert turned.startswith("See [the house](project/architecture.md#floors), [words](verdict.md) and the licence.")
    assert turned.endswith("    [x](verdict.md)\n")


def test_a_link_that_leads_nowhere_and_a_foreign_script_are_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="https://fonts.example/a.css"><script src="//cdn.example/b.js"></script>'
        '<a href="other.html#here">fine</a><a href="other.html#there">x</a><a href="gone.html">y</a>'
        '<a href="https://example.org/">z</a><img src="data:image/png;base64,AA">'
    )
    (tmp_path / "other.html").write_text('<h1 id="here">Here</h1>')
    (tmp_path / "a.css").write_text("@import url(https://fonts.example/b.css); a { background: url('b.png') }")
    assert list(site_links.faults(tmp_path)) == [
        "index.html: other.html#there names no place of its page",
        "index.html: gone.html leads nowhere",
        "index.html: https://fonts.example/a.css comes from elsewhere",
        "index.html: //cdn.example/b.js comes from elsewhere",
        "a.css: https://fonts.example/b.css comes from elsewhere",
    ]


def test_notebooks_have_output_and_no_error() -> None:
    for path in notebooks.every():
        cells = [cell for cell in notebooks.loaded(path).cells if cell.cell_type == "code"]
        assert any(cell.outputs for cell in cells), path.name
        page = notebooks.as_page(path)
        assert "data:image/png;base64," in page
        assert "Traceback" not in page
        assert "stderr" not in path.read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere() -> None:
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_changelog_has_the_form_of_keep_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)
    heading = re.compile(r"\[(Unreleased|\d+\.\d+\.\d+)\]( - (unreleased|\d{4}-\d\d-\d\d))?")
    assert all(map(heading.fullmatch, versions))
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= {
        *("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"),
    }


def test_make_targets_that_documents_name_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    (listed,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert set(listed.replace("\\\n", " ").split()) == targets
    pages = [*WRITTEN.values(), *((ROOT / name).read_text(encoding="utf-8") for name in site_pages.ELSEWHERE)]
    for text in [*pages, (ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")]:
        named = re.findall(r"(?:`|run: |^    )make ([a-z-]+)", text, re.MULTILINE)
        assert set(named) <= targets
