"""Bands that hold what they promise: a conformal correction of the quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.data.forecast import QUANTILES
from stockcast.data.series import Floats

INNER = (QUANTILES.index(0.1), QUANTILES.index(0.9))


@dataclass(frozen=True)
class Calibration:
    """A shift of each quantile of each step, in units of the forecast's own width.

    - `shift` (H, K); `forecasts`: how many it was fitted on;
    - `in_sample`: they are the network's own training windows, so that the bands may be too narrow.
    """

    shift: Floats
    forecasts: int
    in_sample: bool

    def apply(self, outputs: Floats) -> Floats:
        """Network outputs (n, H, 1 or K) to calibrated quantiles (n, H, K) that never cross."""
        shifted = outputs + self.shift * _width(outputs)
        return np.sort(shifted, axis=-1)

    def to_dict(self) -> dict[str, Any]:
        return {"shift": self.shift.tolist(), "forecasts": self.forecasts, "in_sample": self.in_sample}

    @staticmethod
    def from_dict(fields: Mapping[str, Any]) -> Calibration:
        return Calibration(np.asarray(fields["shift"], dtype=np.float64), fields["forecasts"], fields["in_sample"])


def calibrate(outputs: Floats, targets: Floats, in_sample: bool) -> Calibration:
    """Fit the correction on outputs (n, H, 1 or K) and the targets (n, H) that came.

    The errors of each quantile, divided by the forecast's width, are sorted; the shift is the one below which the
    quantile's share of them lies, with the finite-sample correction of (n + 1): conformalised quantile regression
    (Romano, Patterson and Candes 2019), each side by itself. A point forecast (K = 1) gets its bands this way. The
    median of a distribution is left alone: a shift fitted to it would be a bet on the recent past's direction.
    """
    width = _width(outputs)
    errors = (targets[..., None] - outputs) / width  # (n, H, 1 or K)
    shift = np.column_stack([_conformal(errors[..., k % errors.shape[-1]], q) for k, q in enumerate(QUANTILES)])
    if outputs.shape[-1] > 1:
        shift[:, QUANTILES.index(0.5)] = 0.0
    return Calibration(shift, len(outputs), in_sample)


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
    return np.sort(errors, axis=0)[int(np.clip(rank, 1, n)) - 1]
