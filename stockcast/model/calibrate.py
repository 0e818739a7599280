"""Conformal calibration: a correction of the quantiles that is fitted once, and two that adapt to later answers.

The first is fitted once, on forecasts whose answers the network did not learn from: it shifts each quantile of each
step by a share of the forecast's own width. The others move on with every answer that the prices hold: one shifts the
quantiles further, for all series together, and one widens or narrows the bands of each series by itself.

The tails, which no network learns, are set here: each a constant distance beyond the outermost quantile that it does.
From then on they follow the answers as the others do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import INNER, QUANTILES, EvaluatedForecast, levels_of
from stockcast.data.series import Dates, Floats
from stockcast.data.tails import beyond, mean_excess
from stockcast.model.answer_days import DayAnswers, by_day

MEDIAN = QUANTILES.index(0.5)
OUTWARD = np.sign(np.arange(len(QUANTILES)) - MEDIAN) / (len(QUANTILES) - 1)
"""Weights that turn what each learned quantile lacks into what the band as a whole lacks."""

NEIGHBOUR = QUANTILES[1] / QUANTILES[0]
"""How many times as likely the second outermost quantile that is learned is."""

REGIME = 1500
"""Days of evidence that the network's own distribution is worth: about six years, a calm and a stormy time."""

TAIL_WINDOWS = 10_000
"""Of the training windows, on which a distribution's tails are set: more would take time, and hardly move them."""


@dataclass(frozen=True)
class PendingForecasts:
    """n forecasts of H steps and what became of them, as far as it is known.

    - `names` of the panel's series, and `series` (n,): the index of each forecast's among them;
    - `made` (n,): the date that each was made on, at its close;
    - `came` (n, H): the date of each step, NaT where it is not known yet;
    - `targets` (n, H): the answers, NaN where they are not known yet.
    """

    names: tuple[str, ...]
    series: NDArray[np.int64]
    made: Dates
    came: Dates
    targets: Floats


@dataclass(frozen=True)
class Calibration:
    """A conformal shift of each quantile of each step, in units of the forecast's own width, and how it adapts.

    - `shift` (H, K), that of a tail from the outermost quantile that was learned; `forecasts`: how many it was fitted
      on;
    - `in_sample`: they are the network's own training windows, so that the bands may be too narrow;
    - `conformal_rate`, `series_rate`: how fast the bands of all series, and those of each by itself, follow later
      answers; 0: never;
    - `shared_offset` (H, K): how far all have been shifted up to the date `since`;
    - `series_log_scale`: the log of the factor (H,) by which those of a series have been widened, by its name; 0 for
      others.

    Forecasts from `since` on are made with all of these and move them on; earlier ones with `shift` alone, which knew
    none of those answers.
    """

    shift: Floats
    forecasts: int
    in_sample: bool
    conformal_rate: float = 0.0
    series_rate: float = 0.0
    shared_offset: Floats | float = 0.0
    series_log_scale: Mapping[str, Floats] = field(default_factory=dict)
    since: np.datetime64 | None = None

    @property
    def adapts_from(self) -> np.datetime64 | None:
        """The date from which on forecasts follow the answers to each other, if they ever do."""
        return self.since if self.conformal_rate or self.series_rate else None

    def apply(self, outputs: Floats) -> Floats:
        """Network outputs (n, H, 1 or more) to quantiles (n, H, K) that never cross, with `shift` alone."""
        return _shifted(*_begun(outputs, self.shift.shape[-1]), self.shift)

    def adapt(self, outputs: Floats, pending: PendingForecasts) -> Floats:
        """Network outputs (n, H, 1 or more) to quantiles (n, H, K), each corrected by the answers that came before."""
        begun, width = _begun(outputs, self.shift.shape[-1])
        quantiles, since = _shifted(begun, width, self.shift), self.adapts_from
        if since is None:
            return quantiles
        adaptive = _AdaptiveConformal(self, pending.names)
        flat = quantiles.reshape(-1, quantiles.shape[-1])
        late = pending.made >= since
        came = np.where(late[:, None], pending.came, np.datetime64("NaT"))
        for answers, made in by_day(came, np.where(late, pending.made, np.datetime64("NaT"))):
            if len(answers.rows):
                adaptive.learn(answers, pending.series, pending.targets, flat)
            if len(made):
                quantiles[made] = adaptive.correct(begun[made], width[made], pending.series[made])
        return quantiles

    def restarted(self, since: np.datetime64) -> Calibration:
        """The calibration as it was fitted, before any answer moved it on, for forecasts from `since` on."""
        return replace(self, shared_offset=0.0, series_log_scale={}, since=since)

    def advance(self, evaluated: EvaluatedForecast) -> Calibration:
        """The calibration after the answers to all forecasts of `evaluated`, which it made, for those that follow."""
        since = self.adapts_from
        if since is None:
            return self
        adaptive = _AdaptiveConformal(self, evaluated.names)
        late, made = evaluated.origin >= since, evaluated.forecast
        came = np.where(late[:, None], evaluated.dates, np.datetime64("NaT"))
        flat = made.quantiles.reshape(-1, made.quantiles.shape[-1])
        for answers, _ in by_day(came, np.full(len(late), np.datetime64("NaT"))):
            adaptive.learn(answers, made.series, evaluated.actual, flat)
        log_scales = {**self.series_log_scale, **dict(zip(evaluated.names, adaptive.series_log_scale, strict=True))}
        newest = evaluated.dates[~np.isnat(evaluated.dates)].max()
        return replace(self, shared_offset=adaptive.shared_offset, series_log_scale=log_scales, since=newest)

    def to_dict(self) -> dict[str, Any]:
        return {
            "shift": self.shift.tolist(),
            "forecasts": self.forecasts,
            "in_sample": self.in_sample,
            "rate": self.conformal_rate,
            "own_rate": self.series_rate,
            "followed": np.broadcast_to(self.shared_offset, self.shift.shape).tolist(),
            "own": {name: logs.tolist() for name, logs in self.series_log_scale.items()},
            "since": None if self.since is None else str(self.since),
        }

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> Calibration:
        return Calibration(
            np.asarray(fields["shift"], dtype=np.float64),
            fields["forecasts"],
            fields["in_sample"],
            fields.get("rate", 0.0),
            fields.get("own_rate", 0.0),
            np.asarray(fields.get("followed", 0.0), dtype=np.float64),
            {name: np.asarray(logs, dtype=np.float64) for name, logs in fields.get("own", {}).items()},
            np.datetime64(fields["since"], "D") if fields.get("since") else None,
        )


class _AdaptiveConformal:
    """Adaptive conformal inference (Gibbs and Candes 2021): the corrections on their way through time.

    On every date, a quantile that too many of the answers lay below, of all forecasts answered on it, goes up by
    `conformal_rate` times the excess; and the bands of a series whose answer lay outside more of them than it should
    have are widened, by `series_rate` times the mean excess over its quantiles, or else narrowed. The median stays.
    The tails have no say in that, so that the other quantiles are the same with and without them.
    """

    def __init__(self, calibration: Calibration, names: tuple[str, ...]) -> None:
        horizon = len(calibration.shift)
        self.calibration = calibration
        self.levels = np.array(levels_of(calibration.shift.shape[1]))
        self.tails = (len(self.levels) - len(QUANTILES)) // 2  # on either side
        self.median = MEDIAN + self.tails
        self.shared_offset = np.broadcast_to(calibration.shared_offset, calibration.shift.shape).copy()
        known = calibration.series_log_scale
        self.series_log_scale = np.array([known.get(name, np.zeros(horizon)) for name in names])  # (series, H)

    def correct(self, begun: Floats, width: Floats, series: NDArray[np.int64]) -> Floats:
        """What the forecasts (n, H, K) of so many `series` begin with, with the corrections of this moment."""
        quantiles = _shifted(begun, width, self.calibration.shift + self.shared_offset)
        median = quantiles[..., self.median, None]
        widened: Floats = median + (quantiles - median) * np.exp(self.series_log_scale[series])[..., None]
        return widened

    def learn(self, came: DayAnswers, series: NDArray[np.int64], targets: Floats, quantiles: Floats) -> None:
        """Adapt to the answers of a day, of all `targets` (n, H), to forecasts whose `quantiles` were (n * H, K)."""
        steps = came.steps
        lacking = self.levels - (targets.take(came.places)[:, None] <= quantiles.take(came.places, axis=0))
        lacking[:, self.median] = 0.0
        mean = lacking
        if len(came.starts) < len(steps):
            mean = np.add.reduceat(lacking, came.starts, axis=0) / came.counts[:, None]
        self.shared_offset[steps[came.starts]] += self.calibration.conformal_rate * mean
        learned = lacking[:, self.tails : self.tails + len(QUANTILES)]
        self.series_log_scale[series[came.rows], steps] += self.calibration.series_rate * (learned @ OUTWARD)


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


def with_tails(calibration: Calibration, outputs: Floats, targets: Floats) -> Calibration:
    """The same with the tails' quantiles beside its own, by how far targets (n, H) went beyond the outermost of them.

    `outputs` (n, H, 1 or K). Those of a distribution are taken as the network has them, and may be of its own training
    windows: how fast a tail thins out beyond a quantile, in units of the width, is hardly fitted there, and these
    windows hold more regimes than any later part. A point forecast's bands are its errors, which must be held out.

    In these units all steps are much alike, so that their excesses count together; and one more than there were, which
    is what the two outermost quantiles let expect. So there is a tail, too, where there are few beyond them, or none.
    """
    whole = outputs.shape[-1] > 1
    quantiles = outputs if whole else calibration.apply(outputs)
    width = _width(quantiles)[..., 0]
    unit = 1.0 if whole else _width(calibration.shift)[..., 0]  # of the shift, in widths: () or (H,)
    columns = []
    for outer, inner, sign in ((0, 1, -1), (-1, -2, 1)):
        excess, gap = (
            np.divide(sign * distance, width, out=np.zeros_like(width), where=width > 0)
            for distance in (targets - quantiles[..., outer], quantiles[..., outer] - quantiles[..., inner])
        )
        usual = mean_excess(gap.mean(), NEIGHBOUR)
        mean = (np.maximum(excess, 0).sum() + usual) / ((excess > 0).sum() + 1)
        columns.append(calibration.shift[:, outer] + sign * unit * beyond(mean))
    return replace(calibration, shift=np.column_stack([columns[0], calibration.shift, columns[1]]))


def _begun(outputs: Floats, count: int) -> tuple[Floats, Floats]:
    """What so many quantiles of outputs (n, H, 1 or more) begin with, (n, H, K), and how wide these are, (n, H, 1)."""
    tails = (count - outputs.shape[-1]) // 2 if outputs.shape[-1] > 1 else 0  # that were not learned, on either side
    return outputs[..., _columns(count, tails, outputs.shape[-1])], _width(outputs)


def _shifted(begun: Floats, width: Floats, shift: Floats) -> Floats:
    """Quantiles that never cross: one that would come nearer to the median than its inner neighbour stays with it.

    Sorting would let two that cross trade their answers, and drive them apart without end as they follow these.
    """
    moved = begun + shift * width
    median = moved.shape[-1] // 2
    upper = np.maximum.accumulate(moved[..., median:], axis=-1)
    lower = np.minimum.accumulate(moved[..., median::-1], axis=-1)[..., :0:-1]
    return np.concatenate([lower, upper], axis=-1)


@cache
def _columns(count: int, tails: int, outputs: int) -> NDArray[np.int64]:
    """Of so many quantiles the column of the outputs that each begins with."""
    return np.clip(np.arange(count) - tails, 0, outputs - 1)


def _width(outputs: Floats) -> Floats:
    """How wide each forecast is, (n, H, 1): its 80 % band, or 1 for a point."""
    if outputs.shape[-1] == 1:
        return np.ones_like(outputs)
    tails = (outputs.shape[-1] - len(QUANTILES)) // 2
    low, high = (place + tails for place in INNER)
    return (outputs[..., high] - outputs[..., low])[..., None]


def _conformal(errors: Floats, level: float) -> Floats:
    """The shift (H,) below which a share `level` of the errors (n, H) lies, counted from the far side."""
    n = len(errors)
    rank = np.ceil((n + 1) * level) if level >= 0.5 else np.floor((n + 1) * level)
    shift: Floats = np.sort(errors, axis=0)[int(np.clip(rank, 1, n)) - 1]
    return shift
