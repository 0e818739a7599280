"""MinMax and Standard scaling: fitted once on the training part, kept with the model, applied ever after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from stockcast.config.sections import DataConfig
from stockcast.data.series import Floats
from stockcast.errors import DataError

ALL_SERIES = "*"
"""The key of the one scaler of a panel that is scaled together."""


@dataclass(frozen=True)
class Scaler:
    """An affine map of each column: scaled = value * scale + offset. All arrays are (columns,).

    `low` and `high` are the least and the greatest value that it was fitted on.
    """

    scale: Floats
    offset: Floats
    low: Floats
    high: Floats

    def transform(self, values: Floats) -> Floats:
        """(rows, columns) in their own units, scaled."""
        return np.asarray(values * self.scale + self.offset)

    def inverse(self, scaled: Floats) -> Floats:
        """(rows, columns) scaled, back in their own units."""
        return np.asarray((scaled - self.offset) / self.scale)

    def clip(self, values: Floats) -> Floats:
        """(rows, columns) with everything beyond the fitted range put on its edge."""
        return np.clip(values, self.low, self.high)

    def outside(self, values: Floats) -> Floats:
        """The share of `values` in each column beyond the fitted range, (columns,)."""
        beyond = (values < self.low) | (values > self.high)
        return np.asarray(beyond.mean(axis=0))

    def to_dict(self) -> dict[str, list[float]]:
        return {one.name: getattr(self, one.name).tolist() for one in fields(self)}

    @staticmethod
    def from_dict(numbers: Mapping[str, Any]) -> Scaler:
        # Models of a time when trimmed tails were also clipped name the edges.
        edges = {key: numbers.get(f"clip_{key}", numbers[key]) for key in ("low", "high")}
        whole = {**numbers, **edges}
        return Scaler(**{one.name: np.asarray(whole[one.name], dtype=np.float64) for one in fields(Scaler)})


def fit_scaler(values: Floats, config: DataConfig) -> Scaler:
    """The scaler of `values`, (rows, columns) of the training part; rows with a NaN are left out.

    The formulas are those of scikit-learn's MinMaxScaler and StandardScaler. `data.trim` leaves the tails out of what
    fills the range, so that they lie beyond it. A column that hardly ever differs from one value is all tail, and is
    taken whole.

    Raises `DataError` if no row is left.
    """
    known = values.T[:, np.isfinite(values).all(axis=1)]  # (columns, rows)
    if known.shape[1] == 0:
        raise DataError("no session of the training part has all the network's inputs.", "use a longer history.")
    low, high = known.min(axis=1), known.max(axis=1)
    edges = np.stack([low, high])
    if config.trim:
        tails = np.array([np.quantile(column, [config.trim, 1 - config.trim]) for column in known]).T
        edges = np.where(tails[0] < tails[1], tails, edges)
    if config.scaler == "minmax":
        scale = (config.range_high - config.range_low) / _wide_enough(edges[1] - edges[0])
        return Scaler(scale, config.range_low - edges[0] * scale, low, high)
    middle = np.clip(known, edges[0][:, None], edges[1][:, None])
    mean = middle.mean(axis=1)
    scale = 1 / _wide_enough(middle.std(axis=1))
    return Scaler(scale, -mean * scale, low, high)


def _wide_enough(width: Floats) -> Floats:
    """Widths to divide by: 1 for a column that stands still."""
    return np.where(width < 10 * np.finfo(np.float64).eps, 1.0, width)


@dataclass(frozen=True)
class Scalers:
    """The scalers of a panel: one for each series by its name, or one for all under `ALL_SERIES`."""

    by_name: Mapping[str, Scaler]

    def of(self, name: str) -> Scaler:
        """The scaler of series `name`. Raises `DataError` for a series that the model was not trained on."""
        scaler = self.by_name.get(ALL_SERIES) or self.by_name.get(name)
        if scaler is None:
            raise DataError(
                f"the model scales each series by itself and was not trained on {name!r}.",
                "train it on this series too, or with --set data.scale_by=panel.",
            )
        return scaler

    def to_dict(self) -> dict[str, Any]:
        return {name: scaler.to_dict() for name, scaler in self.by_name.items()}

    @staticmethod
    def from_dict(numbers: Mapping[str, Any]) -> Scalers:
        return Scalers({name: Scaler.from_dict(inner) for name, inner in numbers.items()})


def fit_scalers(values: Mapping[str, Floats], config: DataConfig) -> Scalers:
    """Scalers of a panel from each series' training rows, (rows, columns) by name."""
    if config.scale_by == "panel":
        return Scalers({ALL_SERIES: fit_scaler(np.concatenate(list(values.values())), config)})
    return Scalers({name: fit_scaler(rows, config) for name, rows in values.items()})
