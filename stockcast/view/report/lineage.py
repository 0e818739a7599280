"""Where a model comes from: its versions, who replaced whom and why, its settings, and what vouches for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stockcast.view.chart_style import one_line
from stockcast.view.report.records import Block, Bullets, Facts, PageSection, Words, table_of

SHOWN_EVENTS = 20
SHOWN_SERIES = 500

_CHANGES = ("train", "rollback")


@dataclass(frozen=True)
class Lineage:
    """What `models show` knows of a model.

    `champion` has version, since, why and replaced; `facts` are more lines of the same kind; `changed` the settings
    that differ from the preset's, each with its own and the preset's value; `data` a fingerprint of each series.
    """

    champion: Mapping[str, Any]
    facts: Mapping[str, str]
    preset: str
    changed: Mapping[str, tuple[str, str]]
    data: Sequence[Mapping[str, Any]]
    versions: Sequence[str]
    log: Sequence[Mapping[str, Any]]


def findings_section(findings: Sequence[str], trained_on: Sequence[tuple[str, str]]) -> PageSection:
    """What was found in tonight's prices, and, folded, each file and what was found in it when it was trained on."""
    blocks: list[Block] = []
    if findings:
        blocks.append(Bullets(tuple(findings)))
    else:
        blocks.append(Words("Nothing was found wrong with tonight's prices."))
    if trained_on:
        count = f"{len(trained_on)} finding{'s' * (len(trained_on) != 1)} in the prices that it was trained on"
        caption = "What was found in the prices that it was trained on"
        blocks.append(table_of(caption, ["File", "What was found"], trained_on[:SHOWN_SERIES], count))
    return PageSection("data", "What was found in the prices", tuple(blocks))


def lineage_section(shown: Lineage) -> PageSection:
    """Facts, decisions of the gate, settings, series and versions."""
    champion = shown.champion
    facts = {
        "Version": champion["version"],
        "Serves since": champion["since"],
        "Why": champion["why"],
        "It replaced": champion["replaced"] or "nothing",
        **shown.facts,
    }
    blocks: list[Block] = [Facts(facts)]
    if shown.changed:
        rows = [[key, own, usual] for key, (own, usual) in shown.changed.items()]
        caption = f"Settings that differ from the preset {shown.preset}"
        blocks.append(table_of(caption, ["Setting", "This model", shown.preset], rows))
    else:
        blocks.append(Words(f"All settings are those of the preset {shown.preset}."))
    blocks += [*_decisions(shown.log), _series(shown.data)]
    marks = {champion["version"]: "serves", champion["replaced"]: "served before"}
    rows = [[version, marks.get(version, "kept")] for version in reversed(shown.versions)]
    blocks.append(table_of("Versions that are kept, newest first", ["Version", "State"], rows, "All versions"))
    return PageSection("lineage", "Where it comes from", tuple(blocks))


def _decisions(log: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What was decided and why; nights without new rows are counted alone."""
    events = [line for line in log if not str(line.get("reason", "")).startswith("nothing new")]
    quiet = len(log) - len(events)
    rows = [_decision(line) for line in events[::-1][:SHOWN_EVENTS]]
    blocks: list[Block] = []
    if rows:
        caption = "What happened to the model, newest first"
        blocks.append(table_of(caption, ["When", "What", "Outcome", "Why"], rows))
    left = [f"{len(events) - len(rows)} earlier events are in its log.jsonl."] if len(events) > len(rows) else []
    nights = [f"On {quiet} night{'s' * (quiet != 1)} there was nothing new to learn from."] if quiet else []
    return blocks + ([Words(" ".join([*nights, *left]))] if nights or left else [])


def _decision(line: Mapping[str, Any]) -> list[str]:
    event = str(line.get("event", ""))
    if event == "retrain":
        outcome = "promoted" if line.get("promoted") else "the champion stays"
    else:
        outcome = "serves" if event in _CHANGES else ""
    version = str(line.get("version") or line.get("to") or "")
    why = str(line.get("reason") or line.get("why") or line.get("error") or "")
    return [str(line.get("time", "")), event, f"{outcome} {version}".strip(), why]


def _series(data: Sequence[Mapping[str, Any]]) -> Block:
    rows = [
        [one_line(str(one["name"])), str(one["first"]), str(one["last"]), f"{one['rows']:,}", str(one["sha256"])[:16]]
        for one in data[:SHOWN_SERIES]
    ]
    head = ["Series", "First", "Last", "Sessions", "SHA-256, its beginning"]
    return table_of("The prices that it was trained on", head, rows, f"{len(data)} series that it was trained on")
