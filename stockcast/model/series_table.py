"""Numbers that were fitted to each series of training, and those of all together for every other series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stockcast.data.series import Floats

ENOUGH = 100
"""Moves that a series needs for numbers of its own."""


@dataclass(frozen=True)
class SeriesTable:
    """Rows of numbers, one for each series of training, and one for every other series."""

    own: Mapping[str, Floats]
    other: Floats

    def of(self, names: tuple[str, ...]) -> Floats:
        """The rows of the series `names`, (series, ...)."""
        return np.stack([self.own.get(name, self.other) for name in names])
