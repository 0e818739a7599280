"""`stockcast backtest`: walk forward over the past, and put every contestant on the same origins."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from stockcast.config.refusal import nearest
from stockcast.config.run import RunConfig, config_name, load_config, preset_names, reseeded
from stockcast.config.sections import CELLS, FLAT_CELLS
from stockcast.data.forecast import EvaluatedForecast, Forecast, evaluate, stacked
from stockcast.data.series import Panel
from stockcast.data.time_split import demand_lookback
from stockcast.data.volatility import VOLATILITY_WARMUP
from stockcast.errors import UsageError
from stockcast.evaluate.assessment import JUDGED, Assessment, assess
from stockcast.evaluate.rows import rows_text
from stockcast.evaluate.seeds import SeedSpread, seed_spread
from stockcast.evaluate.steps import NaiveErrors, naive_errors, score_each
from stockcast.evaluate.walk_forward import Fold, walk
from stockcast.fleet.engines import Engine, each, engine_or_here, patience_for
from stockcast.fleet.parcel import not_as_sent
from stockcast.fleet.tasks import Result, forecast_of
from stockcast.fleet.work import fold_task
from stockcast.jobs.output import check_output, write_output
from stockcast.jobs.source import OnMessage, read_prices, with_events
from stockcast.model.baselines import BASELINES, build
from stockcast.model.training_run import TrainingRun
from stockcast.reading.records import Hints
from stockcast.store.fold_cache import FoldCache, kept_folds
from stockcast.store.interruption import noted
from stockcast.view.events import kinds_unknown


@dataclass(frozen=True)
class BacktestRequest:
    """What the user asked for; `refit` None is never, `window` None is all sessions before."""

    store: Path
    csvs: tuple[str, ...]
    preset: str
    settings: Mapping[str, Any]
    start: date
    refit: int | None
    window: int | None
    against: tuple[str, ...]
    seeds: int
    output: Path | None
    hints: Hints
    events: tuple[str, ...] = ()
    jobs: int = 1
    on: str | None = None


@dataclass(frozen=True)
class BacktestResult:
    """The configuration's assessment beside all others, and the spread over seeds if there are several."""

    config_name: str
    folds: tuple[Fold, ...]
    assessment: Assessment
    spread: SeedSpread | None
    output: Path | None
    failures: tuple[str, ...]
    training: NaiveErrors

    def _each_series(self) -> dict[str, Any]:
        """The configuration's scores on each series of a panel by itself; empty for a single series."""
        evaluated = self.assessment.evaluated
        if len(evaluated.names) == 1:
            return {}
        each = score_each(evaluated, self.training)
        return {name: [one.as_dict() for one in steps] for name, steps in each.items()}

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {
            "config": self.config_name,
            "folds": len(self.folds),
            **self.assessment.as_dict(),
            "series": self._each_series(),
            "seeds": None if self.spread is None else self.spread.as_dict(),
            "rows": None if self.output is None else str(self.output),
            "failures": list(self.failures),
        }


def run_backtest(request: BacktestRequest, on_message: OnMessage, on_fit: Callable[[int, int], None]) -> BacktestResult:
    """Walk forward and judge. `on_fit` hears how many of all trainings are done.

    Raises `DataError` for dates outside the data, `UsageError` for an unknown contestant, for two of one name, or for
    one whose library is missing.
    """
    if request.output:  # before hours of training, not after them
        check_output(request.output, request.store, (*request.csvs, request.preset, *request.against))
    read = read_prices(request.csvs, on_message, request.hints, store=request.store)
    panel = with_events(read.panel, request.events, on_message)
    with kept_folds(request.store / ".backtests", panel) as cache:
        result = walk_panel(panel, request, on_message, on_fit, cache)
        if request.output:
            write_output(request.output, rows_text(result.assessment.rows).encode())
    failures = tuple(f"{path}: {error.message}" for path, error in read.failures)
    return replace(result, output=request.output, failures=failures)


def walk_panel(
    panel: Panel,
    request: BacktestRequest,
    on_message: OnMessage,
    on_fit: Callable[[int, int], None],
    cache: FoldCache | None = None,
) -> BacktestResult:
    """Walk forward through prices that are read already, as `run_backtest`; nothing is written but finished folds."""
    _demand_own_names(request)
    config, name = load_config(request.preset, request.settings), config_name(request.preset)
    rivals = _configs(request)
    _demand_known(request.against, rivals)
    folds = _folds(panel, request, [config, *rivals.values()])
    known = folds[0].training(panel)
    for line in kinds_unknown(panel, known.event_kinds, known.dates[-1]):
        on_message(line)
    seeds = reseeded(config, request.seeds)
    trainings = (len(seeds) + len(rivals)) * len(folds)
    with engine_or_here(request.jobs, request.on) as engine:
        run = _Run(panel, folds, config.data.price, cache, engine, on_message, on_fit, trainings)
        with noted(run.so_far):
            run.train({index: TrainingRun(one, name) for index, one in enumerate(seeds)})
            run.train({one: TrainingRun(rival, one) for one, rival in rivals.items()})
            mine = [run.network(name, index) for index in range(len(seeds))]
            others = {one: run.baseline(one, config) for one in _baselines(request.against)}
            others |= {one: run.network(one, one) for one in rivals}
    training = naive_errors(known, config.data.price, config.data.horizon)
    assessments = [assess(one, others, training) for one in mine]
    spread = seed_spread(assessments) if len(assessments) > 1 else None
    return BacktestResult(name, folds, assessments[0], spread, None, (), training)


@dataclass
class _Run:
    """One walk over the folds, shared by all contestants; `done` counts the trainings."""

    panel: Panel
    folds: tuple[Fold, ...]
    price: str
    cache: FoldCache | None
    engine: Engine
    on_message: OnMessage
    on_fit: Callable[[int, int], None]
    trainings: int
    done: int = 0
    forecasts: dict[tuple[int | str, int], Forecast] = field(default_factory=dict)

    def so_far(self) -> str:
        """What is said of an interruption."""
        done = f"{self.done} of {self.trainings} trainings {'is' if self.done == 1 else 'are'} done"
        kept = f"{done} and kept: the same command goes on from there."
        return kept if self.done and self.cache else f"{done}."

    def train(self, contestants: Mapping[Any, TrainingRun]) -> None:
        """Have every contestant forecast from all folds; what an interrupted run has finished is not repeated."""
        begin = perf_counter()
        wanted = [(key, run, number) for key, run in contestants.items() for number in range(len(self.folds))]
        for (key, _, number), forecast in each(self.engine, self._forecast, wanted):
            self.forecasts[key, number] = forecast
            self.done += 1
            self.on_fit(self.done, self.trainings)
            if self.done == 1 and self.trainings > 1:
                left = (perf_counter() - begin) * (self.trainings - 1) / self.engine.workers
                self.on_message(f"1 of {self.trainings} trainings is done; the others take about {left:.0f} s.")

    def _forecast(self, wanted: tuple[Any, TrainingRun, int]) -> Forecast:
        """A network's forecasts from one fold."""
        _, run, number = wanted
        fold, config = self.folds[number], run.config
        forecast = self.cache.load(config.digest(), fold) if self.cache else None
        if forecast is None:
            until = config.split.model_copy(update={"until": _last(fold.training(self.panel))})
            here = replace(run, config=config.model_copy(update={"split": until}))
            task = fold_task(self.panel, fold, here)
            answer = self.engine.run(task.encode(), patience_for(self.panel, here.config))
            forecast = forecast_of(Result.decode(answer, task.name).arrays)
            _demand_origins(forecast, fold)
            if self.cache:
                self.cache.save(config.digest(), fold, forecast)
        return forecast

    def network(self, name: str, key: int | str) -> EvaluatedForecast:
        """A contestant's forecasts from all folds."""
        return self._evaluate(name, [self.forecasts[key, number] for number in range(len(self.folds))])

    def baseline(self, name: str, config: RunConfig) -> EvaluatedForecast:
        """A baseline's forecasts, fitted anew in each fold; its bands follow the answers as those of `config` do."""
        horizon, rates = config.data.horizon, (config.fit.follow, config.fit.follow_own)
        makers = (build(name, fold.training(self.panel), self.price, horizon, *rates) for fold in self.folds)
        parts = [one.forecast(self.panel, fold.origins) for one, fold in zip(makers, self.folds, strict=True)]
        return self._evaluate(name, parts)

    def _evaluate(self, name: str, parts: list[Forecast]) -> EvaluatedForecast:
        return stacked([evaluate(name, self.panel, part, self.price) for part in parts])


def _demand_origins(forecast: Forecast, fold: Fold) -> None:
    """Raise `IOFailure` for forecasts that are not from the rows of the fold."""
    rows = [forecast.row[forecast.series == number] for number in range(len(fold.origins))]
    if not all(map(np.array_equal, rows, fold.origins)):
        raise not_as_sent("a fold's result", "its forecasts are from other rows")


def _last(panel: Panel) -> date:
    last: date = panel.dates[-1].item()
    return last


def _baselines(against: tuple[str, ...]) -> tuple[str, ...]:
    """The last price, always, and the baselines that were asked for."""
    return tuple(dict.fromkeys(["naive", *(name for name in against if name in BASELINES)]))


def _configs(request: BacktestRequest) -> Mapping[str, RunConfig]:
    """The rival configurations, by name: presets and TOML files over the same steps and price, and other cells."""
    named = [name for name in request.against if name in preset_names() or name.endswith(".toml")]
    shared = {key: value for key, value in request.settings.items() if key in ("data.horizon", "data.price")}
    configs = {config_name(name): load_config(name, shared) for name in named}
    return configs | {name: _with_cell(request, name) for name in request.against if name in CELLS}


def _with_cell(request: BacktestRequest, cell: str) -> RunConfig:
    """The first configuration with another cell; one that reads the window as a whole learns from its end."""
    flat = {"fit.positions": "last", "model.bidirectional": False} if cell in FLAT_CELLS else {}
    return load_config(request.preset, {**request.settings, "model.cell": cell, **flat})


def _demand_known(against: tuple[str, ...], rivals: Mapping[str, RunConfig]) -> None:
    for name in against:
        if name not in BASELINES and config_name(name) not in rivals:
            known = [*BASELINES, *CELLS, *preset_names()]
            raise UsageError(
                f"there is nothing called {name!r} to compare with.{nearest(name, known)}",
                f"use some of {', '.join(known)}, or a TOML file, separated by commas.",
            )


def _demand_own_names(request: BacktestRequest) -> None:
    """Rows, scores, tables and sentences go by a contestant's name: no two may share one, nor take a baseline's."""
    taken = {name: name for name in BASELINES}
    for one in (request.preset, *dict.fromkeys(name for name in request.against if name not in BASELINES)):
        name = config_name(one)
        if name == JUDGED and len(taken) > len(BASELINES):
            raise UsageError(f"{one} would be called {name!r}, as the judged one is in every result.", _renamed(one))
        if name in taken:
            told = f"{taken[name]} and {one}" if taken[name] != one else one
            files = [file for file in (one, taken[name]) if file.endswith(".toml")]
            fix = _renamed(files[0]) if files else f"leave {one} out of --against: it is judged already."
            raise UsageError(f"{told} would be called {name!r} in the same result.", fix)
        taken[name] = one


def _renamed(file: str) -> str:
    """A command that gives a configuration file another name."""
    path = Path(file)
    others = (path.with_name(f"{path.stem}-{number}.toml") for number in count(2))
    other = str(next(one for one in others if not one.exists()))
    return f"{shlex.join(['cp', file, other])}, then name {shlex.quote(other)} in its place."


def _folds(panel: Panel, request: BacktestRequest, configs: list[RunConfig]) -> tuple[Fold, ...]:
    start = np.datetime64(request.start, "D")
    before = panel.dates[panel.dates < start]
    for one in configs:
        whole = one.model_copy(update={"split": one.split.model_copy(update={"test": 0.0})})  # as a fold is trained
        demand_lookback(panel, whole, panel.upto(before[-1]) if len(before) else None)
    lookback = max(one.data.lookback for one in configs)
    horizon = configs[0].data.horizon
    return walk(panel, start, 2 * (lookback + horizon), lookback + VOLATILITY_WARMUP, request.refit, request.window)
