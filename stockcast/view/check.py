"""What `stockcast check` prints, made from the same fields as its JSON."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stockcast.checks.changes import CHANGES
from stockcast.checks.findings import KINDS
from stockcast.view.events import events_table
from stockcast.view.text import printable, some, table

_FEW = 12
_WIDTH = 100
_NARROWEST = 10
_GRAVEST = list(CHANGES)


def check_text(result: Mapping[str, Any]) -> str:
    """One file at length, or a line for each of several; then the events, if any were given."""
    files = result["files"]
    text = _one_file(files[0]) if len(files) == 1 else _many_files(files)
    if "against" in result:
        text = f"{text}\n\n{_against(result['against'], files)}"
    return f"{text}\n\n{events_table(result['events'])}" if "events" in result else text


def _one_file(file: Mapping[str, Any]) -> str:
    blocks = [f"{file['path']}: {_verdict(file)}"]
    if file["how"]:
        blocks.append(_wrapped(file["how"]))
        blocks.append(_series_table(file["series"]))
    blocks += [_wrapped(f"{one['verdict']:<9} {one['message']}{_flag(one)}", 10) for one in file["warnings"]]
    if file["question"]:
        blocks.append(_wrapped(f"question  {file['question']}", 10))
    return "\n".join(blocks)


def _against(model: Mapping[str, Any], files: list[Mapping[str, Any]]) -> str:
    """How the series lie to the prices of a model: how many of each kind, and a sentence on the gravest."""
    changes = sorted(
        (one for file in files for one in file.get("past", ())), key=lambda one: _GRAVEST.index(one["kind"])
    )
    counts = Counter(one["kind"] for one in changes)
    listed = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items()) or "none of its series"
    lines = [f"Beside the prices that {model['name']}, version {model['version']}, was trained on: {listed}."]
    told = [one for one in changes if one["verdict"] != "taken" or len(changes) == 1]
    lines += [_wrapped(f"{one['verdict']:<9} {one['message']}{_flag(one)}", 10) for one in told[:_FEW]]
    lines += [f"... and {len(told) - _FEW} more"] if len(told) > _FEW else []
    missing = some(model["missing"])
    return "\n".join([*lines, *([f"Not among these files: {missing}."] if missing else [])])


def _flag(found: Mapping[str, Any]) -> str:
    """How a fault that is refused can be taken all the same; an error that ends the reading has its own fix."""
    acceptable = found["verdict"] == "refused" and found["kind"] in KINDS
    return f" To take it: --accept {found['kind']}" if acceptable else ""


def _verdict(file: Mapping[str, Any]) -> str:
    return {"ok": "sound", "warn": "with warnings", "refuse": "refused"}[file["verdict"]]


def _wrapped(text: str, indent: int = 0) -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _series_table(series: list[Mapping[str, Any]]) -> str:
    head = ["series", "rows", "first", "last", "first close", "last close", "columns"]
    rows = [
        [
            printable(one["name"]),
            f"{one['rows']:,}",
            one["first"],
            one["last"],
            f"{one['first_close']:.10g}",
            f"{one['last_close']:.10g}",
            " ".join(one["columns"]),
        ]
        for one in series[:_FEW]
    ]
    more = f"\n... and {len(series) - _FEW} more series" if len(series) > _FEW else ""
    return "\n" + table(head, rows) + more + "\n"


def _many_files(files: list[Mapping[str, Any]]) -> str:
    head = ["file", "verdict", "found", "series", "rows", "first", "last"]
    paths = [Path(file["path"]) for file in files]
    one_folder = len({path.parent for path in paths}) == 1
    rows = [_line(file, path.name if one_folder else str(path)) for file, path in zip(files, paths, strict=True)]
    counts = {verdict: sum(file["verdict"] == verdict for file in files) for verdict in ("ok", "warn", "refuse")}
    total = f"{len(files)} files: {counts['ok']} sound, {counts['warn']} with warnings, {counts['refuse']} refused."
    return "\n".join([table(head, _fitted(head, rows), left=2), "", total])


def _fitted(head: list[str], rows: list[list[str]]) -> list[list[str]]:
    """Rows whose table is no wider than the terminal: lists of kinds and then names of files are cut short."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    beyond = sum(widths) + 2 * (len(head) - 1) - shutil.get_terminal_size().columns
    for column, narrowest in ((2, _NARROWEST), (0, _NARROWEST + 2)):
        narrow = max(narrowest, widths[column] - max(0, beyond))
        beyond -= max(0, widths[column] - narrow)
        rows = [[*row[:column], _cut(row[column], narrow), *row[column + 1 :]] for row in rows]
    return rows


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def _line(file: Mapping[str, Any], name: str) -> list[str]:
    series = file["series"]
    found = [*file["warnings"], *(one for one in file.get("past", ()) if one["verdict"] != "taken")]
    kinds = "question" if file["question"] else ", ".join(dict.fromkeys(one["kind"] for one in found))
    start = [name, _verdict(file), kinds, str(len(series))]
    if not series:
        return [*start, "-", "-", "-"]
    first, last = min(one["first"] for one in series), max(one["last"] for one in series)
    return [*start, f"{sum(one['rows'] for one in series):,}", first, last]
