"""The pages of the site that are made: the reference from the program itself, pages that stand elsewhere, notebooks.

A hook of mkdocs. What the program says is asked of it, and nothing of it is written down twice: commands by their own
help, settings by `config show`, JSON by the schemas that tests hold it to, exit codes by the exceptions.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import notebooks
import schemas

ROOT = Path(__file__).resolve().parent.parent

ELSEWHERE = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "CODE_OF_CONDUCT.md": "project/conduct.md",
    "CHANGELOG.md": "project/changelog.md",
    "data/README.md": "project/data.md",
    "benchmarks/QUALITY.md": "project/quality.md",
    "benchmarks/RESULTS.md": "project/results.md",
}
"""Pages of the checkout outside docs/, and where the site has them."""

START = {"README.md": "index.md"}
"""What the site has a page of its own for."""

LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
MARK = re.compile(r"<!-- (\w+) -->")
CODE = re.compile(r"^(?:    |\t)|^\s*```")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages and files that are made."""
    from mkdocs.structure.files import File

    for path, text in {**elsewhere(), **notebook_pages()}.items():
        files.append(File.generated(config, path, content=text))
    for name in (*schemas.names(), schemas.PARTS):
        text = json.dumps(schemas.schema(name), indent=1, ensure_ascii=False)
        files.append(File.generated(config, f"reference/schemas/{name}.json", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what the program says, and turn links between files of the checkout into links between pages."""
    path = page.file.src_uri
    if path in ELSEWHERE.values():
        return markdown  # turned already, from where it stands
    return filled(turned(markdown, f"docs/{path}", path))


def filled(markdown: str) -> str:
    """A page with what its marks, such as <!-- commands -->, stand for."""
    return MARK.sub(lambda found: MADE[found[1]]() if found[1] in MADE else found[0], markdown)


def elsewhere() -> dict[str, str]:
    """Pages of the checkout outside docs/, by their place on the site."""
    return {there: turned((ROOT / here).read_text("utf-8"), here, there) for here, there in ELSEWHERE.items()}


def notebook_pages() -> dict[str, str]:
    """The notebooks as pages."""
    return {f"notebooks/{path.stem}.md": notebooks.as_page(path) for path in notebooks.every()}


def turned(text: str, here: str, there: str) -> str:
    """Markdown of the checkout's file `here`, whose links lead where they do from the site's page `there`."""
    lines, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        lines.append(line if fenced or CODE.match(line) else LINK.sub(lambda found: _link(found, here, there), line))
    return "\n".join(lines) + "\n"


def _link(found: re.Match[str], here: str, there: str) -> str:
    """The link as the site has it; what is in the checkout alone is named, and not linked."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(here), found[2]))
    known = {**ELSEWHERE, **START}.get(target)
    if known is None and target.startswith("docs/"):
        known = target.removeprefix("docs/")
    if known is None:
        return found[1] if (ROOT / target).exists() else found[0]
    return f"[{found[1]}]({posixpath.relpath(known, posixpath.dirname(there) or '.')}{found[3] or ''})"


def commands() -> Iterator[tuple[str, click.Context]]:
    """Every command by its full name, groups before what they hold."""
    from stockcast.cli import stockcast

    def inside(context: click.Context) -> Iterator[tuple[str, click.Context]]:
        yield context.command_path, context
        group = context.command
        if not isinstance(group, click.Group):
            return
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None:
                yield from inside(click.Context(command, context, info_name=name))

    return inside(
        click.Context(stockcast, info_name="stockcast", terminal_width=84, help_option_names=["-h", "--help"])
    )


def commands_text() -> str:
    """Every command's own help."""
    lines = []
    for path, context in commands():
        output = path.removeprefix("stockcast ").replace(" ", "-")
        lines += [f"## {path}", "", "```text", context.get_help(), "```", ""]
        if output in schemas.names():
            lines += [f"With `--json`: [{output}](json.md#{output}).", ""]
    return "\n".join(lines)


def presets_text() -> str:
    """What each preset says of itself."""
    from stockcast.config.run import preset_comments

    return "\n".join(f"- `{name}`: {about}" for name, about in preset_comments().items())


def settings_text() -> str:
    """Every setting by its section, as `config show` prints it."""
    from stockcast.config.run import load_config
    from stockcast.view.settings import commented_toml

    lines = []
    for block in re.split(r"^(?=\[)", commented_toml(load_config()), flags=re.MULTILINE):
        section = re.match(r"\[(\w+)\]", block)
        if section:
            lines += [f"## {section[1]}", "", "```toml", block.rstrip(), "```", ""]
    return "\n".join(lines)


def json_text() -> str:
    """What each command prints with --json, as its schema says."""
    lines = []
    for name in (*schemas.names(), schemas.PARTS):
        schema = schemas.schema(name)
        lines += [f"## {name}", "", f"`{schema['title']}`: [{name}.json](schemas/{name}.json)", ""]
        for title, part in (schema["$defs"] if name == schemas.PARTS else {"": schema}).items():
            lines += [f"### {title}", ""] if title else []
            for one in part.get("oneOf", [part]):
                lines += [*_table(one), ""]
    return "\n".join(lines)


def _table(schema: Mapping[str, Any]) -> list[str]:
    """A row for each key of an object and of the objects in it."""
    if "$ref" in schema:
        return [f"As {_of_part(schema)} says."]
    head = [schema.get("description", ""), "", "| key | type | |", "|---|---|---|"]
    return [*head, *_rows(schema, "")]


def _rows(schema: Mapping[str, Any], start: str) -> Iterator[str]:
    required = schema.get("required", ())
    for key, value in schema.get("properties", {}).items():
        path = f"{start}{key}"
        may = "" if key in required else ", may be missing"
        inner, mark = _inside(value)
        about = value.get("description", inner.get("description", ""))
        yield f"| `{path}{mark}` | {_type(value)}{may} | {about} |"
        yield from _rows(inner, f"{path}{mark}.")


def _inside(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """What stands in a key, and the mark that says so: an array's item, or the object that may be null."""
    if "items" in schema:
        return schema["items"], "[]"
    if isinstance(schema.get("additionalProperties"), dict):
        inner, mark = _inside(schema["additionalProperties"])
        return inner, f".*{mark}"
    if "anyOf" in schema:
        return _inside(schema["anyOf"][0])
    return schema, ""


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _of_part(schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(one) for one in schema[key])
    if "items" in schema:
        return f"array of {_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map to {_type(schema['additionalProperties'])}"
    kind = schema.get("type", "anything")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _of_part(schema: Mapping[str, Any]) -> str:
    name = schema["$ref"].rpartition("/")[2]
    return f"[{name}](#{name})"


def exceptions_text() -> str:
    """A row for each exception, with its kind and exit code."""
    from stockcast import errors

    def below(kind: type[errors.StockcastError]) -> Iterator[type[errors.StockcastError]]:
        yield kind
        for one in kind.__subclasses__():
            yield from below(one)

    rows = []
    for one in sorted(below(errors.StockcastError), key=lambda one: (one.exit_code, one.__name__)):
        what = (one.__doc__ or "").splitlines()[0]
        rows.append(f"| {one.exit_code} | `{one.kind}` | `{one.__name__}` | {what} |")
    return "\n".join(rows)


MADE = {
    "commands": commands_text,
    "presets": presets_text,
    "settings": settings_text,
    "json": json_text,
    "exceptions": exceptions_text,
}
"""What fills a mark of each name."""
