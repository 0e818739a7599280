"""`stockcast retrain` of several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.jobs.many.outcomes import FleetResult
from stockcast.jobs.many.run import OnEnd, run_over
from stockcast.jobs.retrain import retrain_model
from stockcast.jobs.retraining.records import RetrainRequest
from stockcast.store.journal import Journal, kept_journal
from stockcast.store.store import Store

if TYPE_CHECKING:
    from stockcast.fleet.engines import Engine
    from stockcast.jobs.source import OnMessage


def retrain_fleet(
    store: Path,
    names: Sequence[str],
    request: RetrainRequest,
    jobs: int,
    on_end: OnEnd = lambda outcome, done, total: None,
    on: str | None = None,
    on_message: OnMessage = lambda line: None,
) -> FleetResult:
    """Retrain `names`, or every model of the store, by `jobs` workers or those of the scheduler at the address `on`.

    See `run_over`. Raises `NotFound` if the store has no model: a schedule that finds nothing to do night after night
    is mistaken; `Busy` if the same run is under way already, and what `engine_for` raises.
    """
    from stockcast.fleet.engines import engine_for

    def retrain(name: str, engine: Engine) -> Mapping[str, Any]:
        return retrain_model(replace(request, name=name), lambda _: None, engine).to_dict()

    models = Store(store)
    every = tuple(dict.fromkeys(map(models.find, names))) or models.names() or (models.only(),)
    described = {"retrain": list(every), "force": request.force, "max_age": request.max_age}
    journals = nullcontext(Journal()) if request.dry_run else kept_journal(store, described)
    return run_over(models, every, retrain, engine_for(jobs, on), journals, on_end, on_message)
