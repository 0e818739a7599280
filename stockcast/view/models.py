"""What `stockcast models` prints, made from the same fields as its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stockcast.view.text import printable, table


def list_text(result: Mapping[str, Any]) -> str:
    """A line a model, and a line more for each one that is damaged."""
    models = result["models"]
    if not models:
        return "There is no model yet."
    head = ["model", "champion", "since", "config", "series", "last date", "versions"]
    keys = ("name", "version", "since", "config", "series", "last", "versions")
    rows = [["-" if row[key] is None else printable(row[key]) for key in keys] for row in models]
    faults = [printable(f"{row['name']}: {row['fault']}") for row in models if row["fault"]]
    return "\n".join([table(head, rows, left=4), *faults])


def show_text(result: Mapping[str, Any]) -> str:
    """The champion, where it comes from, every version, and what happened to the model."""
    champion, manifest = result["champion"], result["manifest"]
    scores = manifest["scores"]
    facts = {
        "model": result["name"],
        "champion": f"{champion['version']}, since {champion['since']}",
        "why": champion["why"],
        "replaced": champion["replaced"] or "nothing",
        **({"stale": f"after {champion['max_age']} days"} if champion["max_age"] else {}),
        "config": manifest["config_name"],
        **({"judged": "never: no price was held back to judge it by"} if scores.get("verdict", scores) is None else {}),
        "prices": ", ".join(manifest["csv"]),
        **({"events": ", ".join(manifest["events"])} if manifest.get("events") else {}),
        "calendar": manifest["calendar"],
    }
    series = [[printable(one[key]) for key in ("name", "first", "last", "rows")] for one in manifest["data"]]
    marks = {champion["version"]: "serves", champion["replaced"]: "served before"}
    versions = [f"{version}  {marks.get(version, '')}".rstrip() for version in result["versions"]]
    log = [_log_line(line) for line in result["log"]]
    blocks = [
        "\n".join(printable(f"{key:<8}  {value}") for key, value in facts.items()),
        table(["series", "first", "last", "sessions"], series),
        "\n".join(["versions, oldest first", *(f"  {line}" for line in versions)]),
        *(["\n".join(["log, oldest first", *(f"  {line}" for line in log)])] if log else []),
    ]
    return "\n\n".join(blocks)


def _log_line(line: Mapping[str, Any]) -> str:
    first = [str(line[key]) for key in ("time", "event") if key in line]
    rest = [f"{key}={value}" for key, value in line.items() if key not in ("time", "event") and _is_plain(value)]
    return printable("  ".join([*first, *rest]))


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def verify_text(result: Mapping[str, Any]) -> str:
    """A line for each pointer and version."""
    return "\n".join(printable(f"{name}  {what}  {fault or 'sound'}") for name, what, fault in _found(result))


def faults_text(result: Mapping[str, Any]) -> list[str]:
    """A line for each pointer and version that is not sound."""
    return [printable(f"{name}  {what}  {fault}") for name, what, fault in _found(result) if fault]


def _found(result: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(name, what, fault) for name, model in result["models"].items() for what, fault in model.items()]


def rollback_text(result: Mapping[str, Any]) -> str:
    """Which version serves now."""
    champion = result["champion"]
    return f"{result['name']} is served by {champion['version']} again; it replaced {champion['replaced']}."


def deleted_text(result: Mapping[str, Any]) -> str:
    """Which versions are gone."""
    count = len(result["deleted"])
    return "\n".join([f"{result['name']}: {count} version{'' if count == 1 else 's'} deleted.", *result["deleted"]])
