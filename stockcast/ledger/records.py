"""What is put into the ledger, and the receipt for it. Every number of a forecast is a log return from its origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from stockcast.data.series import Dates, Floats
from stockcast.errors import DataError
from stockcast.ledger.schema import SCALE


@dataclass(frozen=True)
class SeriesForecast:
    """What was forecast of one series from one origin, H steps ahead.

    - `origin`: the session of the newest price, `last` that price, `before` the log return of that session (NaN if it
      is the first), `fingerprint` a digest of the last rows that were seen;
    - `targets` (H,): the sessions forecast; `point` (H,) and `quantiles` (H, Q): log returns from `last`;
    - `opponents`: the quantiles (H, Q) of each baseline that could be made, by its name.

    Quantiles are at all levels, or at those that a network learns.
    """

    series: str
    origin: np.datetime64
    last: float
    before: float
    fingerprint: bytes
    targets: Dates
    point: Floats
    quantiles: Floats
    opponents: Mapping[str, Floats]

    def __post_init__(self) -> None:
        for numbers in (self.point, self.quantiles, *self.opponents.values()):
            if not np.isfinite(numbers).all():
                raise DataError(
                    f"a forecast of {self.series} from {self.origin} is no number above zero, which a log return "
                    "can't tell.",
                    "leave --record out for this model.",
                )


@dataclass(frozen=True)
class ModelForecast:
    """What one version of a model forecast, of each of its series.

    `cutoff` is the last date whose price the version and its opponents have learned from; `calendar` and `price` are
    the trading calendar and the column of the prices.
    """

    model: str
    version: str
    manifest_sha256: str
    config: str
    config_digest: str
    cutoff: np.datetime64
    calendar: str
    price: str
    series: tuple[SeriesForecast, ...]


@dataclass(frozen=True)
class Issue:
    """The receipt: an issue's number, its moment (UTC, seconds), how many of its forecasts count, and why others don't.

    `clock_behind`: the clock stood so many seconds before a moment that had already passed; then none was in time.
    """

    number: int
    issued_at: int
    live: int
    late: int
    superseded: int
    clock_behind: int

    def to_dict(self) -> dict[str, Any]:
        """The same as `predict --record --json` prints it."""
        moment = datetime.fromtimestamp(self.issued_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        forecasts = self.live + self.late + self.superseded
        counts = {"live": self.live, "late": self.late, "superseded": self.superseded}
        return {"issue": self.number, "issued_at": moment, "forecasts": forecasts, **counts}


def day_number(date: np.datetime64) -> int:
    """Days since 1970-01-01."""
    return int(date.astype("datetime64[D]").astype(np.int64))


def scaled(log_return: float) -> int | None:
    """A log return as the ledger keeps it; None for NaN."""
    return None if np.isnan(log_return) else round(float(log_return) * SCALE)
