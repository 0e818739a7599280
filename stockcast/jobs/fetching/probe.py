"""`stockcast fetch --probe`: what a provider answers about a symbol just now. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from stockcast.fetch.answer import Answer
from stockcast.fetch.pace import Pace
from stockcast.fetch.providers import PROVIDERS, check_symbol
from stockcast.ledger import clock
from stockcast.view.fetch import probe_text

_DAYS = 30
_ROWS, _ACTIONS = 5, 3


@dataclass(frozen=True)
class Probed:
    """An answer, of whom and about what."""

    source: str
    symbol: str
    answer: Answer

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        history, venue = self.answer.history, self.answer.venue
        over = venue.finished(history.dates, clock.utc_now())
        newest = range(max(0, len(history) - _ROWS), len(history))
        actions = sorted(
            [(day, "dividend", value) for day, value in history.dividends.items()]
            + [(day, "split", value) for day, value in history.splits.items()]
        )
        return {
            "source": self.source,
            "symbol": self.symbol,
            "rows": len(history),
            "first": str(history.dates[0]) if len(history) else None,
            "last": str(history.dates[-1]) if len(history) else None,
            "exchange": venue.exchange,
            "calendar": venue.calendar,
            "timezone": venue.timezone,
            "currency": self.answer.currency,
            "unfinished": [str(day) for day in history.dates[~over]],
            "action_count": len(actions),
            "actions": [{"date": str(day), "kind": kind, "value": value} for day, kind, value in actions[-_ACTIONS:]],
            "newest": [
                {
                    "date": str(history.dates[row]),
                    **{role: _told(values[row]) for role, values in history.columns.items()},
                }
                for row in newest
            ],
        }

    def text(self) -> str:
        """The result in words."""
        return probe_text(self.to_dict())


def probe(symbol: str, source: str, since: date | None) -> Probed:
    """Ask for the newest month of a symbol, or for all from `since` on. Raises as its client does."""
    wanted = check_symbol(symbol)
    first = since or clock.utc_now().date() - timedelta(days=_DAYS)
    return Probed(source, wanted, PROVIDERS[source].client(Pace()).history(wanted, first, None))


def _told(value: float) -> float | None:
    return None if value != value else float(value)
