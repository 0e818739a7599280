"""What is said of events: which there are, whom they concern, how prices moved then, and where a guess stands in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stockcast.data.events.features import UnsaidEvents
from stockcast.data.events.records import REPORT, Events
from stockcast.data.series import Panel
from stockcast.view.text import likewise, printable, some, table


def events_read(events: Events, panel: Panel) -> list[str]:
    """What was read, whom it concerns among `panel`, which has it, and who is left to a guess."""
    lines = [f"Read {len(events):,} events, {events.dates[0]} to {events.dates[-1]}: {', '.join(_counts(events))}."]
    known = {one.name.lower() for one in panel.series}
    strangers = sorted({str(name) for name in events.series if name and name.lower() not in known})
    if strangers:
        lines.append(f"Of {some(list(map(printable, strangers)))} there are events, but no prices.")
    if REPORT in panel.event_kinds:
        left = [one.name for one in panel.series if not (one.events.kinds == REPORT).any()]
        if left:
            lines.append(f"Without a report date, guessed from past quarters: {some(left)}.")
    return lines


def _counts(events: Events) -> list[str]:
    kinds, counts = np.unique(events.kinds, return_counts=True)
    return [f"{count:,} {kind}" for kind, count in zip(kinds, counts, strict=True)]


def kinds_unknown(panel: Panel, used: Sequence[str], cutoff: object) -> list[str]:
    """A sentence if some kinds of events were not known by `cutoff`, so that nothing was learned of them."""
    unknown = [kind for kind in panel.event_kinds if kind not in used]
    if not unknown:
        return []
    return [f"Nothing was learned of {some(unknown)}: no such event was known by {cutoff}, where training ends."]


def unsaid_sentences(unsaid: Sequence[UnsaidEvents]) -> list[str]:
    """Where nothing says when the next event comes, and what stands in."""
    sentences = {}
    for one in unsaid:
        ended = f"no {one.kind} is given" if one.last is None else f"the {one.kind} dates given end on {one.last}"
        rest = "the next one is guessed from past quarters." if one.kind == REPORT else "none is expected."
        sentences[f"{one.series} {one.kind}"] = f"{one.series}: {ended}; {rest}"
    return likewise(sentences)


def events_table(result: Mapping[str, Any]) -> str:
    """The `events` of `check --json`: a line for each kind, and the series that none concerns."""
    head = ["kind", "events", "series", "first", "last", "days", "move, median", "mean"]
    rows = [
        [
            *(one["kind"], f"{one['events']:,}", str(one["series"]), one["first"], one["last"], f"{one['days']:,}"),
            *("-" if one[key] is None else f"{one[key]:.2f}" for key in ("median", "mean")),
        ]
        for one in result["kinds"]
    ]
    note = "Moves from the close before to the close after, against the mean of as many sessions in the year before."
    lists = {"Without any event": result["without"], "Without prices": result["without_prices"]}
    lines = [f"{what}: {some([printable(name) for name in names])}." for what, names in lists.items() if names]
    return "\n".join([table(head, rows), "", note, *lines])
