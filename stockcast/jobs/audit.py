"""`stockcast audit`: the configured pipeline, on the user's own prices, with the future changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.run import RunConfig, config_name, load_config
from stockcast.data.forecast import Forecaster
from stockcast.data.prepared import prepare
from stockcast.data.rows import scaled_rows
from stockcast.data.scaling import fit_scalers
from stockcast.data.series import Panel
from stockcast.data.windows import origins_between
from stockcast.evaluate.audit import Check, Subject, Trial, audit_pipeline
from stockcast.fleet.engines import Engine, each, engine_or_here, patience_for
from stockcast.fleet.tasks import Result, Task
from stockcast.fleet.work import PART
from stockcast.jobs.source import OnMessage, read_prices, with_events
from stockcast.learn import demand_test_origins
from stockcast.model.baselines import build
from stockcast.reading.records import Hints
from stockcast.store.model_files import from_files


@dataclass(frozen=True)
class AuditResult:
    """Every check with what was seen."""

    config_name: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"config": self.config_name, "passed": self.passed, "checks": [asdict(one) for one in self.checks]}


def run_audit(
    csvs: tuple[str, ...],
    events: tuple[str, ...],
    hints: Hints,
    preset: str,
    settings: Mapping[str, Any],
    repeats: int,
    on_message: OnMessage,
    jobs: int = 1,
    on: str | None = None,
    *,
    store: Path,
) -> AuditResult:
    """Audit a configuration on these prices. It is trained 4 + `repeats` times, with events once more.

    It is trained in this process, by `jobs` workers or those of the scheduler at the address `on`.
    """
    panel = with_events(read_prices(csvs, on_message, hints, store=store).panel, events, on_message)
    config, name = load_config(preset, settings), config_name(preset)
    prepared = prepare(panel, config)
    demand_test_origins(prepared, config)
    price, horizon, cutoff = config.data.price, config.data.horizon, prepared.cuts.calibration

    def naive(known: Panel) -> Forecaster:
        return build("naive", known, price, horizon)

    # Which rows have a full window does not depend on how it is scaled.
    rows = scaled_rows(prepared.table, fit_scalers(prepared.table.upto(cutoff).values(), config.data), config.data)
    origins = origins_between(rows, config.data.lookback, cutoff, prepared.cuts.test)
    with engine_or_here(jobs, on) as engine:
        trial = Trial(panel, price, cutoff, origins, lambda panels: _trained(panels, config, name, engine))
        return AuditResult(name, audit_pipeline(trial, naive, repeats))


def _trained(panels: Sequence[Panel], config: RunConfig, name: str, engine: Engine) -> list[Subject]:
    def train(number: int) -> Subject:
        task = Task("fit", f"training {number + 1} of {len(panels)}", panels[number], config, name)
        answer = engine.run(task.encode(), patience_for(task.panel, config))
        return _subject(Result.decode(answer, task.name), config, name)

    subjects = dict(each(engine, train, range(len(panels))))
    return [subjects[number] for number in range(len(panels))]


def _subject(result: Result, config: RunConfig, name: str) -> Subject:
    """What was trained, as it would serve: the forecasts are those of the network that is saved."""
    parts = {file.removeprefix(PART): content for file, content in result.files.items() if file.startswith(PART)}
    until = np.datetime64(result.facts["trained_until"], "D")
    return Subject(from_files(result.files, name, config.data), parts, until)
