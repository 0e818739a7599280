"""Whether there is anything new to learn from: all that most nightly retrainings have to find out.

Nothing is imported here that only a training needs.
"""

from __future__ import annotations

from dataclasses import replace

from stockcast.jobs.past.comparison import compare_past, demand_own_series
from stockcast.jobs.retraining.records import RetrainRequest, Run
from stockcast.jobs.source import OnMessage, demand_known_times, left_out, model_hints, read_model_prices, taken_of
from stockcast.reading.records import Hints
from stockcast.store.settled import settled
from stockcast.store.store import Store


def read_new_rows(request: RetrainRequest, store: Store, begin: float, on_message: OnMessage) -> Run:
    """The champion's manifest and its newest prices. The caller holds the model's lock."""
    # Asked for under the lock: a run that ended just before may have promoted another.
    manifest = settled(store.root, store.load(request.name, wanted=()).manifest)
    demand_known_times(store, manifest)
    given = Hints(accept=request.accept)
    hints = model_hints(manifest, store.champion(request.name).accepted, given)
    read = read_model_prices(manifest, request.csvs, on_message, hints, store=request.store)
    demand_own_series(manifest, read.panel, request.csvs or manifest.csv)
    past = compare_past(store, manifest, read, request.csvs, hints, request.accept)
    for sentence in (*left_out(replace(past.read, failures=past.refused)), *past.said):
        on_message(sentence)
    taken = taken_of(given, past.read.files) | past.remembered
    if taken and not request.dry_run:
        store.amend(request.name, accepted=taken)
    kept = replace(hints, accept=hints.accept - request.accept | taken)
    return Run(request, store, manifest, past, begin, kept)
