"""Forecasts and the answers to them in the order of the days on which they were made and came."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates


class DayAnswers(NamedTuple):
    """The answers of a day, those of each step together: the `rows` (m,) of their forecasts, and their `steps` (m,).

    Those of one step begin at `starts`, and are `counts` many. `places` (m,) are row and step as one number, the place
    in an array (n, H) as it lies in memory.
    """

    rows: NDArray[np.int64]
    steps: NDArray[np.int64]
    places: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]


def by_day(came: Dates, made: Dates) -> Iterator[tuple[DayAnswers, NDArray[np.int64]]]:
    """Day by day the answers that came (n, H), and the rows of the forecasts that were `made` (n,); no NaT is a day."""
    rows, steps = np.nonzero(~np.isnat(came))
    order = np.lexsort((rows, steps, came[rows, steps]))
    rows, steps = rows[order], steps[order]
    places = rows * came.shape[1] + steps
    makings = np.argsort(made, kind="stable")[: np.count_nonzero(~np.isnat(made))]  # NaT come last
    answered, making = came[rows, steps], made[makings]
    days = np.unique(np.concatenate([answered, making]))
    step_of_day = np.searchsorted(days, answered) * came.shape[1] + steps
    starts = np.unique(step_of_day, return_index=True)[1]
    counts = np.diff(starts, append=len(rows))
    ends = (np.searchsorted(known, days, side="right") for known in (answered, making, answered[starts]))
    spans = ([slice(*span) for span in pairwise([0, *end.tolist()])] for end in ends)
    for pairs, made_then, groups in zip(*spans, strict=True):
        yield (
            DayAnswers(rows[pairs], steps[pairs], places[pairs], starts[groups] - pairs.start, counts[groups]),
            makings[made_then],
        )
