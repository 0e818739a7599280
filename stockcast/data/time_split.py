"""Where time is cut. Every part is judged by dates, so that a panel's parts lie on the same days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.config.rules import lookback_flags
from stockcast.config.run import RunConfig
from stockcast.config.sections import SplitConfig
from stockcast.data.series import COLUMNS, Dates, Panel
from stockcast.data.volatility import VOLATILITY_WARMUP
from stockcast.data.windows import Windows, longest_run
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
    known, validation, fit = _sessions(dates, config.split)
    if known == 0 and config.split.until is not None:
        raise DataError(f"the prices begin on {dates[0]}, after {config.split.until}.", _smaller(panel, config))
    left = fit if config.data.padding != "none" else _known_inputs(panel, config)
    if left < config.data.lookback + config.data.horizon:
        raise DataError(
            f"{max(left, 0)} sessions with known inputs are left to train on; lookback {config.data.lookback} and "
            f"horizon {config.data.horizon} need at least {config.data.lookback + config.data.horizon}.",
            _smaller(panel, config),
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


def demand_lookback(panel: Panel, config: RunConfig, known: Panel | None = None) -> None:
    """Raise `ConfigError` for a lookback longer than every series, whose fix fits `known`, or else the panel."""
    longest = max(panel.series, key=len)
    if config.data.lookback > len(longest):
        raise ConfigError(
            f"data.lookback {config.data.lookback} is longer than {longest.name}, which has {len(longest)} sessions.",
            _smaller(known or panel, config),
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
            _smaller(panel, config),
        )


def demand_windows(train: Windows, end: np.datetime64, config: RunConfig) -> None:
    """Raise `DataError` where there is no training window, whose targets would lie up to `end`."""
    if len(train) == 0:
        raise DataError(
            f"no series has {config.data.lookback} sessions with known inputs and {config.data.horizon} more before "
            "the held-out part.",
            _smaller_windows(longest_run(train.rows, end), config),
        )


def _smaller_windows(room: int, config: RunConfig) -> str:
    """The fix of settings whose windows, lookback and horizon together, take more than `room` sessions."""
    flags = _window_flags(room, config)
    return f"use a longer history, or {flags}" if flags else "use a longer history."


def _window_flags(room: int, config: RunConfig) -> str:
    """The flags of windows that fit into `room` sessions: a shorter lookback, and a shorter horizon if need be."""
    lookback, horizon = config.data.lookback, config.data.horizon
    if room < 2:
        return ""
    if horizon < room:
        return lookback_flags(room - horizon, config.model, config.fit)
    shorter = max(room // 4, 1)
    flags = lookback_flags(min(lookback, room - shorter), config.model, config.fit)
    return f"--set data.horizon={shorter} {flags}"


def _smaller(panel: Panel, config: RunConfig) -> str:
    """The fix of settings that don't fit the panel: smaller windows; where the parts leave no room, other parts first.

    What it names holds when it is followed, but for prices with holes among the network's inputs.
    """
    needed, parts = config.data.lookback + config.data.horizon, ""
    if _room(panel, config) < 2:
        for key, usual in _usual_parts(panel.dates, config.split).items():
            if _room(panel, config) < needed:
                parts += f"--until {usual} " if key == "until" else f"--set split.{key}={usual} "
                config = config.model_copy(update={"split": config.split.model_copy(update={key: usual})})
    room = _room(panel, config)
    if room < needed:
        return _smaller_windows(room, config) if room < 2 or not parts else f"{parts}{_window_flags(room, config)}"
    return parts.strip()


def _usual_parts(dates: Dates, split: SplitConfig) -> dict[str, Any]:
    """The settings of the split that take more of the sessions than the usual ones, which these are."""
    usual = SplitConfig()
    parts: dict[str, Any] = {
        key: getattr(usual, key)
        for key in ("test", "calibration", "validation")
        if _count(getattr(split, key), len(dates)) > _count(getattr(usual, key), len(dates))
    }
    if split.until is not None:
        parts.pop("test", None)
        if np.datetime64(split.until, "D") < _usual_end(dates):
            parts["until"] = _usual_end(dates).item()
    return parts | ({"embargo": usual.embargo} if split.embargo else {})


def _room(panel: Panel, config: RunConfig) -> int:
    """How many sessions a training window, lookback and horizon together, may take at most."""
    fit = _sessions(panel.dates, config.split)[2]
    return min(max(map(len, panel.series)) // 2, fit, _known_inputs(panel, config))


def _known_inputs(panel: Panel, config: RunConfig) -> int:
    """How many sessions of a series, at most, training may fit to and know all inputs of, but for holes among these."""
    last = _sessions(panel.dates, config.split)[2] - 1 - config.split.embargo
    if last < 0:
        return 0
    known = max(int(np.searchsorted(one.dates, panel.dates[last], side="right")) for one in panel.series)
    raw = config.data.features and set(config.data.features) <= set(COLUMNS) and config.data.target == "level"
    return known - (0 if raw else VOLATILITY_WARMUP)


def _sessions(dates: Dates, split: SplitConfig) -> tuple[int, int, int]:
    """How many sessions training knows, how many of these are for validation, and how many it fits to."""
    known = _known_to_training(dates, split)
    calibration, validation = (_count(share, len(dates)) for share in (split.calibration, split.validation))
    return known, validation, known - calibration - validation


def _known_to_training(dates: Dates, split: SplitConfig) -> int:
    until = split.until
    if until is None:
        return len(dates) - _count(split.test, len(dates))
    return int(np.searchsorted(dates, np.datetime64(until, "D"), side="right"))


def _usual_end(dates: Dates) -> np.datetime64:
    """The last date that training may know with the usual test part."""
    last: np.datetime64 = dates[len(dates) - 1 - _count(SplitConfig().test, len(dates))]
    return last


def _count(share: float, sessions: int) -> int:
    return round(share * sessions) if share < 1 else int(share)
