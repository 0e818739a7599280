"""What the baselines say at the moment of a forecast: they know what the model was trained on, and the newest rows."""

from __future__ import annotations

import numpy as np

from stockcast.config.run import RunConfig
from stockcast.data.forecast import Forecast, Forecaster, Origins, extended
from stockcast.data.series import Panel
from stockcast.errors import DataError
from stockcast.ledger.schema import OPPONENTS
from stockcast.model.baselines import BASELINES, build, following_from
from stockcast.model.following import followed
from stockcast.store.manifest import Manifest

AVAILABLE = tuple(name for name in OPPONENTS if name in BASELINES)
"""The opponents that this stockcast has."""


def learned_until(manifest: Manifest) -> np.datetime64:
    """The last date whose price a version has learned from: the first origin that it was judged from."""
    cutoffs = manifest.scores.get("cutoffs") or {}
    last = max(str(one["last"]) for one in manifest.data)
    return np.datetime64(cutoffs.get("first", last), "D")


def opponents_at(
    panel: Panel, origins: Origins, cutoff: np.datetime64, config: RunConfig, days: int
) -> tuple[dict[str, Forecast], list[str]]:
    """The forecasts of each opponent from `origins`, as many `days` ahead, and a sentence on each that can't be made.

    As in a backtest, each is fitted on the prices of all series of `panel` up to `cutoff` alone, and its bands follow
    their misses since as those of the model's `config` do.
    """
    data, fit = config.data, config.fit
    baselines: list[Forecaster] = []
    missing = []
    try:
        known = panel.upto(cutoff)
    except DataError:
        return {}, [f"no opponent is recorded beside it: these prices begin after {cutoff}."]
    for name in AVAILABLE:
        try:
            baselines.append(build(name, known, data.price, data.horizon))
        except DataError as error:
            missing.append(f"{name} is not recorded beside it: {error.message}")
    if not baselines:
        return {}, missing
    bands = following_from(known, data.horizon, fit.follow, fit.follow_own)
    made = followed(baselines, data.price, bands, panel, origins)
    return {one.name: extended(forecast, days) for one, forecast in zip(baselines, made, strict=True)}, missing
