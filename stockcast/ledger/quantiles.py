"""Quantiles as the ledger keeps them: whole numbers, each a distance from one that is known.

The columns are those of `schema.QUANTILE_COLUMNS`: what a network learns, of the model and of each opponent, and then
the two tails of each, which are NaN where the model or the opponent has none.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stockcast.data.forecast import QUANTILES
from stockcast.data.series import Floats
from stockcast.ledger.schema import LEARNED_COLUMNS, MEDIAN, OPPONENTS, SCALE

_LEARNED = len(QUANTILES)
_TAILS = (0, -1)


def to_distances(quantiles: Floats, opponents: Mapping[str, Floats]) -> Floats:
    """The columns of the quantiles (H, Q) of a model and its opponents, (H, all): whole numbers, NaN for an absent one.

    Of the model the median, and of every other quantile its distance from the next one towards the median; of an
    opponent the distance from the model's quantile of the same level.
    """
    whole = _with_both_tails(np.round(quantiles * SCALE))
    median = MEDIAN + 1
    outward = whole.copy()
    outward[:, :median] -= whole[:, 1 : median + 1]
    outward[:, median + 1 :] -= whole[:, median:-1]
    absent = np.full_like(whole, np.nan)
    others = (
        _with_both_tails(np.round(opponents[name] * SCALE)) - whole if name in opponents else absent
        for name in OPPONENTS
    )
    everyone = (outward, *others)
    return np.hstack([*(one[:, 1:-1] for one in everyone), *(one[:, _TAILS] for one in everyone)])


def from_distances(kept: Floats) -> tuple[Floats, dict[str, Floats]]:
    """The inverse for the columns (..., all): the quantiles of the model and of each opponent, (..., Q) log returns."""
    learned, tails = np.split(kept, [len(LEARNED_COLUMNS)], axis=-1)
    whole, *others = (
        np.concatenate([low[..., None], inner, high[..., None]], axis=-1)
        for inner, (low, high) in zip(
            np.split(learned, 1 + len(OPPONENTS), axis=-1),
            (np.moveaxis(pair, -1, 0) for pair in np.split(tails, 1 + len(OPPONENTS), axis=-1)),
            strict=True,
        )
    )
    for at in range(MEDIAN, -1, -1):
        whole[..., at] += whole[..., at + 1]
        whole[..., -1 - at] += whole[..., -2 - at]
    return whole / SCALE, {name: (one + whole) / SCALE for name, one in zip(OPPONENTS, others, strict=True)}


def _with_both_tails(quantiles: Floats) -> Floats:
    """Quantiles (H, Q), those of the tails NaN if there are none."""
    absent = np.full((len(quantiles), int(quantiles.shape[1] == _LEARNED)), np.nan)
    return np.hstack([absent, quantiles, absent])
