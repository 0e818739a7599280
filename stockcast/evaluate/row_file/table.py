"""The rows of a file of forecasts, as anyone may bring them: what each column holds, and how a wrong row is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from stockcast.data.series import Dates, Floats
from stockcast.errors import DataError

NEEDED = ("model", "series", "cutoff", "date", "step")
FIELDS = (*NEEDED, "last", "actual", "forecast")

CONTRACT = (
    f"the first line names {', '.join(FIELDS)} and quantiles such as q0.1, in any order; "
    "last, actual and quantiles may be missing"
)

MEDIAN = 0.5
"""The level that stands for a missing forecast."""

SINGLE_PRECISION = 1e-6  # of a price, with room

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RowTable:
    """The rows of a file in its order, arrays of shape (rows,).

    - `line`: of the file, from 1; `model` and `series`: places among `models` and `names`, as they first appear;
    - `step` from 1; `last` and `actual`: NaN where the file says nothing;
    - `quantiles` (rows, Q) at the rising `levels`, NaN in all rows of a model that has not this level;
    - `rounding`: half a unit of the last digit that `last` and `actual` are written with;
    - `where`: what the file is called in messages; `notes`: what was not used, and what was taken for what.
    """

    where: str
    line: NDArray[np.int64]
    model: NDArray[np.int64]
    series: NDArray[np.int64]
    cutoff: Dates
    date: Dates
    step: NDArray[np.int64]
    last: Floats
    actual: Floats
    forecast: Floats
    quantiles: Floats
    models: tuple[str, ...]
    names: tuple[str, ...]
    levels: tuple[float, ...]
    rounding: float
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.line)

    def take(self, keep: Mask) -> RowTable:
        """The rows where `keep` (rows,) is true."""
        arrays: dict[str, Any] = {
            key: value[keep] for key, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **arrays)

    def levels_of(self, model: int) -> tuple[float, ...]:
        """The levels at which a model has quantiles."""
        mine = self.quantiles[self.model == model]
        return tuple(level for at, level in enumerate(self.levels) if len(mine) and np.isfinite(mine[0, at]))

    def noted(self, *notes: str) -> RowTable:
        """The same with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def refuse(self, wrong: Mask, say: Callable[[int], str], fix: str) -> None:
        """Raise `DataError` if any row is `wrong`; `say` tells what is wrong about the row of that index."""
        if wrong.any():
            first = int(np.argmax(wrong))
            refuse_line(self.where, int(self.line[first]), say(first), fix, others=int(wrong.sum()) - 1)

    def tolerance(self, price: Floats) -> Floats:
        """How far a price as the file writes it may lie from `price`, (rows,): by rounding."""
        return self.rounding * (1 + 1e-9) + SINGLE_PRECISION * price


def refuse_line(where: str, line: int, what: str, fix: str, others: int = 0) -> NoReturn:
    """Raise a `DataError` on one line of a row file."""
    likewise = f" Likewise {others:,} more row{'s' if others > 1 else ''}." if others else ""
    raise DataError(f"{where}, line {line}: {what}.{likewise}", fix)
