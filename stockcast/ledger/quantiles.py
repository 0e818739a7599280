"""Quantiles as the ledger keeps them: whole numbers, each a distance from one that is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stockcast.data.series import Floats
from stockcast.ledger.schema import MEDIAN, OPPONENTS, SCALE


def to_distances(quantiles: Floats, opponents: Mapping[str, Floats]) -> Floats:
    """The columns of the quantiles (H, Q) of a model and its opponents, (H, all): whole numbers, NaN for an absent one.

    Of the model the median, and of every other quantile its distance from the next one towards the median; of an
    opponent the distance from the model's quantile of the same level.
    """
    whole = np.round(quantiles * SCALE)
    outward = whole.copy()
    outward[:, :MEDIAN] -= whole[:, 1 : MEDIAN + 1]
    outward[:, MEDIAN + 1 :] -= whole[:, MEDIAN:-1]
    absent = np.full_like(whole, np.nan)
    others = (np.round(opponents[name] * SCALE) - whole if name in opponents else absent for name in OPPONENTS)
    return np.hstack([outward, *others])


def from_distances(kept: Floats) -> tuple[Floats, dict[str, Floats]]:
    """The inverse for the columns (..., all): the quantiles of the model and of each opponent, (..., Q) log returns."""
    levels = kept.shape[-1] // (1 + len(OPPONENTS))
    whole = kept[..., :levels].copy()
    for at in range(1, MEDIAN + 1):
        whole[..., MEDIAN - at] += whole[..., MEDIAN - at + 1]
        whole[..., MEDIAN + at] += whole[..., MEDIAN + at - 1]
    others = {
        name: (kept[..., first : first + levels] + whole) / SCALE
        for name, first in zip(OPPONENTS, range(levels, kept.shape[-1], levels), strict=True)
    }
    return whole / SCALE, others
