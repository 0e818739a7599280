"""Whether there is anything new to learn from: all that most nightly retrainings have to find out.

Nothing is imported here that only a training needs.
"""

from __future__ import annotations

from stockcast.jobs.retrain_records import RetrainRequest, Run
from stockcast.jobs.source import OnMessage, read_model_prices
from stockcast.store.store import Store


def read_new_rows(request: RetrainRequest, store: Store, begin: float, on_message: OnMessage) -> Run:
    """The champion's manifest and its newest prices. The caller holds the model's lock."""
    # Asked for under the lock: a run that ended just before may have promoted another.
    manifest = store.load(request.name, wanted=()).manifest
    return Run(request, store, manifest, read_model_prices(manifest, request.csvs, on_message), begin)
