"""Bands that hold what they promise: a conformal correction of the quantiles, and one that follows what came.

The first is fitted once, on forecasts whose answers the network did not learn from. The second moves on with every
answer that the prices hold. Both shift each quantile of each step by a share of the forecast's own width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stockcast.data.forecast import QUANTILES, Judged
from stockcast.data.series import Dates, Floats

INNER = (QUANTILES.index(0.1), QUANTILES.index(0.9))
MEDIAN = QUANTILES.index(0.5)

REGIME = 1500
"""Days of evidence that the network's own distribution is worth: about six years, a calm and a stormy time."""


@dataclass(frozen=True)
class Answers:
    """What became of n forecasts of H steps, as far as it is known.

    - `made` (n,): the date that each was made on, at its close;
    - `came` (n, H): the date of each step, NaT where it is not known yet;
    - `targets` (n, H): what came, NaN where it is not known yet.
    """

    made: Dates
    came: Dates
    targets: Floats


@dataclass(frozen=True)
class Calibration:
    """A shift of each quantile of each step, in units of the forecast's own width.

    - `shift` (H, K); `forecasts`: how many it was fitted on;
    - `in_sample`: they are the network's own training windows, so that the bands may be too narrow;
    - `rate`: how fast the bands follow later answers; 0: never;
    - `followed` (H, K): by how much they have been moved up to the date `since`. Forecasts from that date on are made
      with `shift + followed` and move it on; earlier ones with `shift` alone, which knew none of those answers.
    """

    shift: Floats
    forecasts: int
    in_sample: bool
    rate: float = 0.0
    followed: Floats | float = 0.0
    since: np.datetime64 | None = None

    def apply(self, outputs: Floats) -> Floats:
        """Network outputs (n, H, 1 or K) to quantiles (n, H, K) that never cross, with `shift` alone."""
        return _shifted(outputs, self.shift)

    def follow(self, outputs: Floats, answers: Answers) -> Floats:
        """Network outputs (n, H, 1 or K) to quantiles (n, H, K), each corrected by the answers that came before it.

        Adaptive conformal inference (Gibbs and Candes 2021), for each quantile by itself: on every date, a quantile
        that too many of the answers lay below, of all forecasts answered on it, goes up by `rate` times the excess.
        """
        quantiles = self.apply(outputs)
        if not self.rate or self.since is None:
            return quantiles
        followed = np.broadcast_to(self.followed, self.shift.shape).copy()
        late = answers.made >= self.since
        made = _by_date(np.where(late, answers.made, np.datetime64("NaT")))
        came = [_by_date(np.where(late, step, np.datetime64("NaT"))) for step in answers.came.T]
        for day in sorted(set(made).union(*came)):
            for step, answered in enumerate(came):
                if day in answered:
                    rows = answered[day]
                    followed[step] += self.rate * _excess(answers.targets[rows, step], quantiles[rows, step])
            if day in made:
                quantiles[made[day]] = _shifted(outputs[made[day]], self.shift + followed)
        return quantiles

    def moved_on(self, judged: Judged) -> Calibration:
        """The same after the answers to all forecasts of `judged`, which it made, for those from its last date on."""
        if not self.rate or self.since is None:
            return self
        followed = np.broadcast_to(self.followed, self.shift.shape).copy()
        late = judged.cutoff >= self.since
        for step, dates in enumerate(judged.dates.T):
            for rows in _by_date(np.where(late, dates, np.datetime64("NaT"))).values():
                quantiles = judged.forecast.quantiles[rows, step]
                followed[step] += self.rate * _excess(judged.actual[rows, step], quantiles)
        return replace(self, followed=followed, since=judged.dates[~np.isnat(judged.dates)].max())

    def to_dict(self) -> dict[str, Any]:
        return {
            "shift": self.shift.tolist(),
            "forecasts": self.forecasts,
            "in_sample": self.in_sample,
            "rate": self.rate,
            "followed": np.broadcast_to(self.followed, self.shift.shape).tolist(),
            "since": None if self.since is None else str(self.since),
        }

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> Calibration:
        return Calibration(
            np.asarray(fields["shift"], dtype=np.float64),
            fields["forecasts"],
            fields["in_sample"],
            fields.get("rate", 0.0),
            np.asarray(fields.get("followed", 0.0), dtype=np.float64),
            np.datetime64(fields["since"], "D") if fields.get("since") else None,
        )


def calibrate(outputs: Floats, targets: Floats, in_sample: bool, days: int) -> Calibration:
    """Fit the correction on outputs (n, H, 1 or K) and the targets (n, H) that came, made on so many `days`.

    The errors of each quantile, divided by the forecast's width, are sorted; the shift is the one below which the
    quantile's share of them lies, with the finite-sample correction of (n + 1): conformalised quantile regression
    (Romano, Patterson and Candes 2019), each side by itself. A point forecast (K = 1) gets its bands this way. The
    median of a distribution is left alone: a shift fitted to it would be a bet on the recent past's direction.

    That theorem wants exchangeable errors, and those of a calm year are not exchangeable with those of a crash. So a
    distribution is moved only the share days / (days + `REGIME`) of the way. A series of one regime, however many
    prices the panel has on each of its days, can't overrule a network that has seen several.
    """
    width = _width(outputs)
    errors = (targets[..., None] - outputs) / width  # (n, H, 1 or K)
    shift = np.column_stack([_conformal(errors[..., k % errors.shape[-1]], q) for k, q in enumerate(QUANTILES)])
    if outputs.shape[-1] > 1:
        shift[:, MEDIAN] = 0.0
        shift *= days / (days + REGIME)
    return Calibration(shift, len(outputs), in_sample)


def _shifted(outputs: Floats, shift: Floats) -> Floats:
    return np.sort(outputs + shift * _width(outputs), axis=-1)


def _width(outputs: Floats) -> Floats:
    """How wide each forecast is, (n, H, 1): its 80 % band, or 1 for a point."""
    if outputs.shape[-1] == 1:
        return np.ones_like(outputs)
    low, high = INNER
    return (outputs[..., high] - outputs[..., low])[..., None]


def _conformal(errors: Floats, level: float) -> Floats:
    """The shift (H,) below which a share `level` of the errors (n, H) lies, counted from the far side."""
    n = len(errors)
    rank = np.ceil((n + 1) * level) if level >= 0.5 else np.floor((n + 1) * level)
    shift: Floats = np.sort(errors, axis=0)[int(np.clip(rank, 1, n)) - 1]
    return shift


def _excess(answers: Floats, quantiles: Floats) -> Floats:
    """What the share of `answers` (n,) below their quantiles (n, K) lacked of the level, (K,); 0 for the median."""
    excess: Floats = np.asarray(QUANTILES) - (answers[:, None] <= quantiles).mean(axis=0)
    excess[MEDIAN] = 0.0
    return excess


def _by_date(dates: Dates) -> dict[np.datetime64, Any]:
    """The rows of each date, in order of dates; those of NaT are left out."""
    order = np.argsort(dates, kind="stable")  # NaT come last
    days, first = np.unique(dates[order], return_index=True)
    return {day: rows for day, rows in zip(days, np.split(order, first[1:]), strict=True) if not np.isnat(day)}
