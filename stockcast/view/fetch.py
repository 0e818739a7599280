"""What `fetch` prints: of a symbol, of all of them, and of a probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stockcast.view.text import likewise, some, table

_OUTCOMES = {
    "updated": "brought up to date",
    "whole": "fetched whole",
    "current": "had the newest session",
    "failed": "failed",
}


def current_sentence(last: str) -> str:
    """Of a symbol that was not asked for."""
    return f"nothing newer than {last} can be there yet; it was not asked for."


def updated_sentence(facts: Mapping[str, Any], revised: Sequence[str], *, whole: bool) -> str:
    """Of a symbol that was asked for: what is new, and what its provider revised."""
    fresh = facts["new_rows"]
    head = f"{fresh:,} new row{'' if fresh == 1 else 's'} of {facts['rows']:,}, {facts['first']} to {facts['last']}"
    again = "; fetched whole" if whole and fresh < facts["rows"] else ""
    changed = f"; {len(revised)} revised by the provider: {some(revised, 3)}" if revised else ""
    return f"{head}{again}{changed}."


def fetch_summary(
    outcomes: Sequence[str], failures: Mapping[str, str], left: Sequence[str], stopped: str | None
) -> str:
    """How many symbols came out how, each that failed with the reason, and which are left to do."""
    counts = {words: outcomes.count(outcome) for outcome, words in _OUTCOMES.items()}
    said = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    lines = [f"{len(outcomes)} symbol{'' if len(outcomes) == 1 else 's'}: {said or 'none'}."]
    lines += [f"  {line}" for line in likewise({name: f"{name}: {why}" for name, why in failures.items()})]
    if stopped:
        lines.append(f"Stopped: {stopped} Left to do: {some(left, 5)}. The same command goes on with them.")
    return "\n".join(lines)


def probe_text(facts: Mapping[str, Any]) -> str:
    """What a provider answers about a symbol."""
    head = (
        f"{facts['source']} on {facts['symbol']}: {facts['rows']:,} rows"
        + (f", {facts['first']} to {facts['last']}" if facts["rows"] else "")
        + f"; exchange {facts['exchange']}, calendar {facts['calendar']}, {facts['timezone']}, {facts['currency']}."
    )
    running = f"Not over yet, and left out by fetch: {', '.join(facts['unfinished'])}." if facts["unfinished"] else ""
    actions = [f"{one['date']} {one['kind']} {one['value']:g}" for one in facts["actions"]]
    acted = f"Its newest actions of {facts['action_count']}: {'; '.join(actions)}." if actions else "No actions."
    columns = ("date", "open", "high", "low", "close", "volume")
    rows = [[str(row[column]) for column in columns] for row in facts["newest"]]
    return "\n".join(
        filter(None, [head, running, acted, "As traded:" if rows else "", table(columns, rows) if rows else ""])
    )
