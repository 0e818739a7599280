"""`stockcast train`: read, learn, save and promote."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from stockcast.config.run import RunConfig, config_name, load_config
from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.series import Panel
from stockcast.errors import UsageError
from stockcast.evaluate.scores import rmse
from stockcast.evaluate.seeds import SeedSpread, seed_spread
from stockcast.jobs.common.learned import demand_trainable, keep_version, learn_each, past_of
from stockcast.jobs.fetching.addresses import default_name
from stockcast.jobs.new_version import bundle, provenance
from stockcast.jobs.source import OnMessage, read_prices, with_events, with_later
from stockcast.learn import Learned
from stockcast.reading.records import Hints, PanelRead
from stockcast.store.checkpoint import Progress
from stockcast.store.interruption import noted, serving, who_serves
from stockcast.store.manifest import fingerprint
from stockcast.store.store import Store
from stockcast.view.text import error_text


@dataclass(frozen=True)
class TrainRequest:
    """What the user asked for."""

    store: Path
    csvs: tuple[str, ...]
    test_csv: str | None
    name: str | None
    preset: str
    settings: Mapping[str, Any]
    hints: Hints
    seeds: int = 1
    resume: bool = False
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainResult:
    """What a training gave and where it was saved."""

    name: str
    version: str
    store: Path
    config_name: str
    panel: Panel
    learned: Learned
    spread: SeedSpread | None
    failures: tuple[str, ...]
    seconds: float
    past: list[dict[str, Any]]

    def __str__(self) -> str:
        epochs, fit = len(self.learned.history), _fit_of(self.learned.training)
        fitted = (
            f"On the {fit['windows']:,} windows that it learned: RMSE {error_text(fit['rmse'])}, the last price's "
            f"{error_text(fit['last_price'])}.\n"
            if fit
            else ""
        )
        return fitted + (
            f"Saved as {self.name} in {self.store}, version {self.version}: "
            f"{self.learned.training_windows:,} windows, {epochs} epoch{'s' * (epochs != 1)}, {self.seconds:.1f} s."
        )

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "name": self.name,
            "version": self.version,
            "config": self.config_name,
            "series": len(self.panel),
            "rows": self.panel.rows,
            "scores": self.learned.scores,
            "training": _fit_of(self.learned.training),
            "seeds": None if self.spread is None else self.spread.as_dict(),
            "failures": list(self.failures),
            "past": self.past,
            "seconds": round(self.seconds, 1),
        }


def train_model(request: TrainRequest, on_message: OnMessage, on_epoch: Callable[[Any, int], None]) -> TrainResult:
    """Train a model on the request's prices, judge it, save it as a new version and let it serve.

    Of several seeds the first is saved; the others only tell how much of the result is the seed's.

    Raises `StockcastError` of any kind; the store is then as it was before.
    """
    begin = perf_counter()
    read, panel, settings = _read(request, on_message)
    config = load_config(request.preset, settings)
    called = config_name(request.preset)
    name = request.name or default_name(request.csvs)
    store = Store(request.store)
    whole = replace(read, panel=panel)
    past, taken = past_of(store, name, whole, request.csvs, request.hints, on_message)
    demand_trainable(panel, config, on_message)
    with store.lock(name), noted(_so_far(store, name)):
        progress = _progress(store, name, panel, config, request, on_message)
        all_learned = learn_each(panel, config, called, request.seeds, on_message, on_epoch, progress)
        learned = all_learned[0]
        source = provenance(request.csvs, request.test_csv, request.hints, read.files, request.events, taken)
        saved = keep_version(store, name, bundle(learned, panel, config, called, source), perf_counter() - begin)
        progress.remove()
    failures = tuple(f"{path}: {error.message}" for path, error in read.failures)
    spread = seed_spread([one.assessment for one in all_learned]) if len(all_learned) > 1 else None
    seconds = perf_counter() - begin
    return TrainResult(name, saved, request.store, called, panel, learned, spread, failures, seconds, past)


def _so_far(store: Store, name: str) -> Callable[[], str]:
    """What an interrupted training of model `name` leaves: who serves, and how to go on."""
    served, before = who_serves(store, name), serving(store, name)

    def so_far() -> str:
        if serving(store, name) != before or not store.has_progress(name):
            return served()
        kept = "the finished epochs are kept: the same command with --resume goes on from there."
        return f"{served().removesuffix('.')}; {kept}"

    return so_far


def _read(request: TrainRequest, on_message: OnMessage) -> tuple[PanelRead, Panel, Mapping[str, Any]]:
    """The prices, and the settings with the cutoff that --test-csv implies."""
    if request.test_csv is not None and "split.until" in request.settings:
        raise UsageError(
            "--until and --test-csv both say where training ends.",
            "leave --until out; or put all prices into --csv and leave --test-csv out.",
        )
    read = read_prices(request.csvs, on_message, request.hints, store=request.store)
    if request.test_csv is None:
        return read, with_events(read.panel, request.events, on_message), request.settings
    later = read_prices([request.test_csv], on_message, request.hints, store=request.store)
    panel = with_events(with_later(read.panel, later.panel), request.events, on_message)
    return read, panel, {**request.settings, "split.until": read.panel.dates[-1].item()}


def _fit_of(training: EvaluatedForecast | None) -> dict[str, Any] | None:
    """How well the model fits its own training windows, one step ahead."""
    if training is None:
        return None
    actual, forecast = training.actual[:, 0], training.forecast
    fit = {"rmse": rmse(actual, forecast.point[:, 0]), "last_price": rmse(actual, forecast.last)}
    return {"windows": len(forecast), **fit}


def _progress(
    store: Store, name: str, panel: Panel, config: RunConfig, request: TrainRequest, on_message: OnMessage
) -> Progress:
    """Where this training keeps its progress; with --resume it begins with what an earlier run left."""
    data = [{**fingerprint(one), "events": one.events.digest().hex()} for one in panel.series]
    progress = store.progress(name, json.dumps([config.digest(), request.seeds, data]))
    if request.resume and not progress.take_up():
        on_message(f"There is no unfinished training of {name}; this one begins anew.")
    return progress
