"""Whether there is anything new to learn from: all that most nightly retrainings have to find out.

Nothing is imported here that only a training needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stockcast.data.series import Panel
from stockcast.errors import DataError
from stockcast.jobs.retraining.records import RetrainRequest, Run
from stockcast.jobs.source import OnMessage, demand_known_times, model_hints, read_model_prices, taken_of
from stockcast.reading.records import Hints
from stockcast.store.manifest import Manifest
from stockcast.store.settled import settled
from stockcast.store.store import Store
from stockcast.view.text import some


def read_new_rows(request: RetrainRequest, store: Store, begin: float, on_message: OnMessage) -> Run:
    """The champion's manifest and its newest prices. The caller holds the model's lock."""
    # Asked for under the lock: a run that ended just before may have promoted another.
    manifest = settled(store.root, store.load(request.name, wanted=()).manifest)
    demand_known_times(store, manifest)
    given = Hints(accept=request.accept)
    hints = model_hints(manifest, store.champion(request.name).accepted, given)
    read = read_model_prices(manifest, request.csvs, on_message, hints)
    _demand_own_series(manifest, read.panel, request.csvs or manifest.csv)
    taken = taken_of(given, read.files)
    if taken and not request.dry_run:
        store.amend(request.name, accepted=taken)
    kept = replace(hints, accept=hints.accept - request.accept | taken)
    return Run(request, store, manifest, read, begin, kept)


def _demand_own_series(manifest: Manifest, panel: Panel, csvs: Sequence[str]) -> None:
    """A model learns on from its own series: prices of others alone are not "nothing new", and no challenger's."""
    own = [one["name"] for one in manifest.data]
    if set(own).isdisjoint(panel.names):
        flags = " ".join(f"--csv {csv}" for csv in csvs)
        raise DataError(
            f"the model {manifest.name!r} is of {some(own)}; these prices are of {some(panel.names)}.",
            f"call the file {own[0]}.csv if it is the same series, or train another model: stockcast train {flags}",
        )
