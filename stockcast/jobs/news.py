"""Whether there is anything new to learn from: all that most nightly retrainings have to find out.

Nothing is imported here that only a training needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING

from stockcast.data.reading import PanelRead
from stockcast.jobs.retrain import Retrained, RetrainRequest
from stockcast.jobs.source import Say, read_model_prices
from stockcast.store.manifest import Manifest
from stockcast.store.records import log_line
from stockcast.store.store import Store

if TYPE_CHECKING:
    from stockcast.evaluate.gate import Decision


@dataclass(frozen=True)
class Run:
    """A retraining under way: `manifest` is the champion's, `read` its newest prices, `begin` when the run began."""

    request: RetrainRequest
    store: Store
    manifest: Manifest
    read: PanelRead
    begin: float

    @property
    def has_news(self) -> bool:
        """Whether some series of the model has a row after the last that it was trained or judged on."""
        newest = {one.name: str(one.dates[-1]) for one in self.read.panel.series}
        return any(newest.get(one["name"], "") > one["last"] for one in self.manifest.data)

    def kept(self, reason: str, decision: Decision | None) -> Retrained:
        """The champion stays, and the log says why; a dry run writes nothing at all."""
        result = self.ended(False, reason, self.manifest.version, decision)
        if not self.request.dry_run:
            line = log_line("retrain", datetime.now(UTC), result.to_dict())
            self.store.append_log(self.request.name, line)
        return result

    def ended(self, promoted: bool, reason: str, version: str, decision: Decision | None) -> Retrained:
        """The result, with the time that it took."""
        return Retrained(self.request.name, promoted, reason, version, decision, perf_counter() - self.begin)


def read_news(request: RetrainRequest, store: Store, begin: float, say: Say) -> Run:
    """The champion's manifest and its newest prices. The caller holds the model's lock."""
    # Asked for under the lock: a run that ended just before may have promoted another.
    manifest = store.load(request.name, wanted=()).manifest
    return Run(request, store, manifest, read_model_prices(manifest, request.csvs, say), begin)
