"""`stockcast train --each`: a model for each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from stockcast.config.run import RunConfig, config_name, load_config
from stockcast.errors import UsageError
from stockcast.fleet.engines import Engine, engine_for, patience_for
from stockcast.fleet.tasks import Result, Task
from stockcast.jobs.common.learned import demand_trainable, keep_version, past_of
from stockcast.jobs.fetching.addresses import absolute, default_name, is_address
from stockcast.jobs.many.outcomes import FleetResult
from stockcast.jobs.many.run import OnEnd, run_over
from stockcast.jobs.new_version import bundle_of, provenance
from stockcast.jobs.retraining.contest import checked_forecaster
from stockcast.jobs.source import found_in, left_out, read_prices, with_events
from stockcast.jobs.train import TrainRequest
from stockcast.reading.reader import find_files
from stockcast.store.journal import kept_journal
from stockcast.store.store import Store
from stockcast.view.text import some
from stockcast.view.train import ONE_PANEL

if TYPE_CHECKING:
    from stockcast.jobs.source import OnMessage


def train_each(request: TrainRequest, jobs: int, on: str | None, on_end: OnEnd, on_message: OnMessage) -> FleetResult:
    """Train a model on each file of the request, by `jobs` workers or those of the scheduler at the address `on`.

    Each is called as its file. See `run_over`. Raises `UsageError` for two files of one name, and what is wrong with
    the settings.
    """
    files = [one for csv in request.csvs for one in ([csv] if is_address(csv) else map(str, find_files([csv])))]
    named = {default_name([file]): file for file in files}
    twice = [
        name for name, count in Counter(default_name([file]) for file in dict.fromkeys(files)).items() if count > 1
    ]
    if twice:
        raise UsageError(f"several files would be the model {some(twice)}.", "rename them, or give them one by one.")
    config, called = load_config(request.preset, request.settings), config_name(request.preset)
    if len(named) > 1:
        on_message(ONE_PANEL)

    def train(name: str, engine: Engine) -> Mapping[str, Any]:
        return _train_one(request, name, named[name], config, called, engine)

    described = {"train": dict(zip(named, absolute(tuple(named.values())), strict=True)), "config": config.digest()}
    described |= {"called": called, "events": list(request.events)}
    journals = kept_journal(request.store, described)
    return run_over(Store(request.store), tuple(named), train, engine_for(jobs, on), journals, on_end, on_message)


def _train_one(
    request: TrainRequest, name: str, csv: str, config: RunConfig, called: str, engine: Engine
) -> dict[str, Any]:
    """Train, save and promote the model of one file; what is told of it."""
    begin, store, csvs, said = perf_counter(), Store(request.store), (csv,), list[str]()
    read = read_prices(csvs, lambda _: None, request.hints, store=request.store)
    panel = with_events(read.panel, request.events, lambda _: None)
    past, taken = past_of(store, name, replace(read, panel=panel), csvs, request.hints, said.append)
    demand_trainable(panel, config, said.append)
    with store.lock(name):
        task = Task("learn", name, panel, config, called)
        answer = engine.run(task.encode(), patience_for(panel, config))
        result = Result.decode(answer, f"what was trained for {name}")
        features = checked_forecaster(result, panel, config, called).features
        source = provenance(csvs, None, request.hints, read.files, request.events, taken)
        trained = bundle_of(result.files, result.facts["scores"], features, panel, config, called, source)
        seconds = round(perf_counter() - begin, 2)
        saved = keep_version(store, name, trained, seconds)
    return {
        "name": name,
        "promoted": True,
        "reason": f"trained on {panel.rows:,} sessions",
        "version": saved,
        "gate": None,
        "seconds": seconds,
        "warnings": [*left_out(read), *found_in(read.files), *said],
        "past": past,
    }
