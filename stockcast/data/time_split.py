"""Where time is cut. Every part is judged by dates, so that a panel's parts lie on the same days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stockcast.config.run import RunConfig
from stockcast.data.series import Dates, Panel, PriceSeries
from stockcast.errors import ConfigError, DataError


@dataclass(frozen=True)
class Cuts:
    """The last date of each part, oldest first; parts may be empty, and then share a date with the part before.

        first ........ fit | ...... validation | ...... calibration | ...... test
        the network learns | it stops training | the bands are set  | all of it is judged

    A part's forecasts are made at origins from the last date of the part before, and every target lies inside the part.
    """

    fit: np.datetime64
    validation: np.datetime64
    calibration: np.datetime64
    test: np.datetime64


def cut(panel: Panel, config: RunConfig) -> Cuts:
    """Cut the panel's sessions as `config.split` says.

    Raises `DataError` if too few sessions are left to train on, or if `split.until` lies outside the data, and
    `ConfigError` for a lookback that is longer than every series.
    """
    dates = panel.dates
    _demand_enough(panel, config)
    known = _known_to_training(dates, config)
    calibration = _count(config.split.calibration, len(dates))
    validation = _count(config.split.validation, len(dates))
    fit = known - calibration - validation
    if fit < config.data.lookback + config.data.horizon:
        raise DataError(
            f"{fit} sessions are left to train on; lookback {config.data.lookback} and horizon {config.data.horizon} "
            f"need at least {config.data.lookback + config.data.horizon}.",
            "use a longer history, or a smaller split.test, split.validation or split.calibration.",
        )
    return Cuts(dates[fit - 1], dates[fit + validation - 1], dates[known - 1], dates[-1])


def embargoed(cuts: Cuts, dates: Dates, sessions: int) -> Cuts:
    """Where the windows of each part end: `sessions` of the `dates` before the part itself does.

    The texts' loops leave such windows out, by an index that counts one too many.
    """

    def earlier(day: np.datetime64) -> np.datetime64:
        last: np.datetime64 = dates[max(int(np.searchsorted(dates, day, side="right")) - 1 - sessions, 0)]
        return last

    return Cuts(earlier(cuts.fit), earlier(cuts.validation), earlier(cuts.calibration), earlier(cuts.test))


def nothing_held_out(cuts: Cuts) -> DataError:
    """The error of whoever needs a forecast that can be judged, where the test part holds none."""
    return DataError(
        f"no forecast can be judged: training knows the prices up to {cuts.calibration}, and those up to {cuts.test} "
        "hold none to set beside a later price.",
        "hold prices back: --set split.test=0.15, without --until and split.embargo.",
    )


def demand_lookback(panel: Panel, config: RunConfig) -> None:
    """Raise `ConfigError` for a lookback that is longer than every series."""
    longest = max(panel.series, key=len)
    lookback, horizon = config.data.lookback, config.data.horizon
    if lookback > len(longest):
        raise ConfigError(
            f"data.lookback {lookback} is longer than {longest.name}, which has {len(longest)} sessions; with "
            f"data.horizon {horizon} it may be at most {_most(longest, horizon)}.",
            f"use a longer history, or --set data.lookback={_most(longest, horizon)}.",
        )


def _demand_enough(panel: Panel, config: RunConfig) -> None:
    demand_lookback(panel, config)
    longest = max(panel.series, key=len)
    lookback, horizon = config.data.lookback, config.data.horizon
    need = 2 * (lookback + horizon)
    if len(longest) < need:
        raise DataError(
            f"{longest.name} has {len(longest)} sessions; lookback {lookback} and horizon {horizon} "
            f"need at least {need}.",
            f"use a longer history, or --set data.lookback={_most(longest, horizon)}.",
        )


def _most(series: PriceSeries, horizon: int) -> int:
    """The longest lookback of which two windows fit into a series."""
    return max(1, len(series) // 2 - horizon)


def _known_to_training(dates: Dates, config: RunConfig) -> int:
    until = config.split.until
    if until is None:
        return len(dates) - _count(config.split.test, len(dates))
    known = int(np.searchsorted(dates, np.datetime64(until, "D"), side="right"))
    if known == 0:
        raise DataError(f"the prices begin on {dates[0]}, after {until}.", "give a later --until.")
    return known


def _count(share: float, sessions: int) -> int:
    return round(share * sessions) if share < 1 else int(share)
