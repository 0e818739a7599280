"""`stockcast retrain`: one run at a time may change a model, and leaves a line in its log.

Nothing heavy is imported here: of many runs that come at once, all but one end in this module.
"""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from stockcast.errors import ModelDamaged
from stockcast.jobs.retraining.records import Retrained, RetrainRequest
from stockcast.store.interruption import noted, who_serves
from stockcast.store.store import Store

if TYPE_CHECKING:
    from stockcast.fleet.engines import Engine
    from stockcast.jobs.source import OnMessage


def retrain_model(request: RetrainRequest, on_message: OnMessage, engine: Engine | None = None) -> Retrained:
    """Train a challenger and promote it if it is not worse on the newest sessions, which neither has seen.

    It is trained by `engine`, or in this process. The lock is taken first. Raises `NotFound`, `Busy` at once if another
    run holds it, and any other error of a training; the champion then serves as before, and the log says why.
    """
    begin = perf_counter()
    store = Store(request.store)
    with suppress(ModelDamaged):  # which is found again under the lock, and logged
        store.champion(request.name)  # a model that isn't there gets no folder
    with noted(who_serves(store, request.name)), store.lock(request.name):
        try:
            return _retrain(request, store, begin, on_message, engine)
        except Exception as error:  # whatever it is, the log tells of it, and it goes on its way
            _log_failure(store, request.name, error)
            raise


def _retrain(
    request: RetrainRequest, store: Store, begin: float, on_message: OnMessage, engine: Engine | None
) -> Retrained:
    from stockcast.jobs.retraining.new_rows import read_new_rows

    run = read_new_rows(request, store, begin, on_message)
    if request.max_age is not None and not request.dry_run:
        store.amend(request.name, max_age=request.max_age)
    if (seen := run.nothing_new) and not request.force:
        return run.kept(seen, None)
    from stockcast.fleet.engines import Here
    from stockcast.jobs.retraining.challenge import challenge

    return challenge(run, on_message, engine or Here())


def _log_failure(store: Store, name: str, error: Exception) -> None:
    from datetime import UTC, datetime

    from stockcast.store.records import log_line

    store.append_log(name, log_line("retrain failed", datetime.now(UTC), {"error": str(error)}))
