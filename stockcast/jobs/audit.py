"""`stockcast audit`: the configured pipeline, on the user's own prices, with the future changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.run import config_name, load_config
from stockcast.data.forecast import Forecaster
from stockcast.data.prepared import prepare
from stockcast.data.rows import scaled_rows
from stockcast.data.scaling import fit_scalers
from stockcast.data.series import Panel
from stockcast.data.windows import origins_between
from stockcast.evaluate.audit import Check, Subject, Trial, audit_pipeline
from stockcast.jobs.source import OnMessage, read_prices, with_events
from stockcast.learn import demand_test_origins, fit_to_cutoff
from stockcast.model.baselines import build
from stockcast.model.training_run import TrainingRun
from stockcast.reading.records import Hints


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
    *,
    store: Path,
) -> AuditResult:
    """Audit a configuration on these prices. It is trained 4 + `repeats` times, with events once more."""
    panel = with_events(read_prices(csvs, on_message, hints, store=store).panel, events, on_message)
    config, name = load_config(preset, settings), config_name(preset)
    run, prepared = TrainingRun(config, name), prepare(panel, config)
    demand_test_origins(prepared, config)
    price, horizon, cutoff = config.data.price, config.data.horizon, prepared.cuts.calibration

    def train(prices: Panel) -> Subject:
        return _train(prices, run)

    def naive(known: Panel) -> Forecaster:
        return build("naive", known, price, horizon)

    # Which rows have a full window does not depend on how it is scaled.
    rows = scaled_rows(prepared.table, fit_scalers(prepared.table.upto(cutoff).values(), config.data), config.data)
    origins = origins_between(rows, config.data.lookback, cutoff, prepared.cuts.test)
    trial = Trial(panel, price, cutoff, origins, train)
    return AuditResult(name, audit_pipeline(trial, naive, repeats))


def _train(prices: Panel, run: TrainingRun) -> Subject:
    cuts, fitted = fit_to_cutoff(prices, run)
    forecaster, trained = fitted.forecaster, fitted.trained
    weights = b"".join(np.ascontiguousarray(one).tobytes() for one in trained.weights.values())
    parts = {
        "the scaler": json.dumps(forecaster.scalers.to_dict()).encode(),
        "the network": weights,
        "early stopping": f"{trained.best} of {len(trained.history)}".encode(),
        "the calibration": json.dumps(forecaster.calibration.to_dict() if forecaster.calibration else None).encode(),
    }
    return Subject(forecaster, parts, cuts.calibration)
