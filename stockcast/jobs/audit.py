"""`stockcast audit`: the configured pipeline, on the user's own prices, with the future changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stockcast.config.run import RunConfig, config_name, load_config
from stockcast.data.forecast import Forecaster
from stockcast.data.series import Panel
from stockcast.data.time_split import cut
from stockcast.data.windows import origins_between
from stockcast.evaluate.audit import Check, Subject, Trial, audit_pipeline
from stockcast.jobs.source import OnMessage, read_prices
from stockcast.learn import fit_to_cutoff
from stockcast.model.baselines import build
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
    csvs: tuple[str, ...], hints: Hints, preset: str, settings: tuple[str, ...], repeats: int, on_message: OnMessage
) -> AuditResult:
    """Audit a configuration on these prices. It is trained 4 + `repeats` times."""
    panel = read_prices(csvs, on_message, hints).panel
    config, name = load_config(preset, settings), config_name(preset)
    cuts = cut(panel, config)
    price, horizon = config.data.price, config.data.horizon

    def train(prices: Panel) -> Subject:
        return _train(prices, config, name)

    def naive(known: Panel) -> Forecaster:
        return build("naive", known, price, horizon)

    _, fitted = fit_to_cutoff(panel, config, name)
    origins = origins_between(fitted.forecaster.lay_out(panel), config.data.lookback, cuts.calibration, cuts.test)
    trial = Trial(panel, price, cuts.calibration, origins, train)
    return AuditResult(name, audit_pipeline(trial, naive, repeats))


def _train(prices: Panel, config: RunConfig, name: str) -> Subject:
    cuts, fitted = fit_to_cutoff(prices, config, name)
    forecaster, trained = fitted.forecaster, fitted.trained
    weights = b"".join(np.ascontiguousarray(one).tobytes() for one in trained.weights.values())
    parts = {
        "the scaler": json.dumps(forecaster.scalers.to_dict()).encode(),
        "the network": weights,
        "early stopping": f"{trained.best} of {len(trained.history)}".encode(),
        "the calibration": json.dumps(forecaster.calibration.to_dict() if forecaster.calibration else None).encode(),
    }
    return Subject(forecaster, parts, cuts.calibration)
