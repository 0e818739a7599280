"""The price series and the panel: what every other part may rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stockcast.data.events.records import NO_EVENTS, Events
from stockcast.errors import DataError

Floats = NDArray[np.float64]
Dates = NDArray[np.datetime64]

PRICE_COLUMNS = ("open", "high", "low", "close")
COLUMNS = (*PRICE_COLUMNS, "volume")


@dataclass(frozen=True)
class PriceSeries:
    """One instrument's prices, oldest first.

    Guarantees, checked when it is made:
    - `dates` is datetime64[D], strictly increasing, at least one row;
    - `columns` has "close"; its values, and those of "open", "high", "low" where present, are finite and positive;
    - "volume", where present, is non-negative or NaN (unknown);
    - every array is read-only float64 of shape (rows,).

    `decimals` is the number of digits after the point in the source: prices are printed with it. `events` are those
    that concern it, of the past and known to come.

    Raises `DataError` when a guarantee doesn't hold.
    """

    name: str
    dates: Dates
    columns: Mapping[str, Floats]
    decimals: int = 2
    events: Events = NO_EVENTS

    def __post_init__(self) -> None:
        dates = np.array(self.dates, dtype="datetime64[D]")
        columns = {key: np.array(values, dtype=np.float64) for key, values in self.columns.items()}
        for array in (dates, *columns.values()):
            array.flags.writeable = False
        object.__setattr__(self, "dates", dates)
        object.__setattr__(self, "columns", MappingProxyType(columns))
        self._check()

    def _check(self) -> None:
        if "close" not in self.columns:
            raise DataError(f"{self.name} has no closing price.")
        if len(self.dates) == 0:
            raise DataError(f"{self.name} has no rows.")
        steps = np.diff(self.dates)
        if np.isnat(self.dates).any() or (steps <= np.timedelta64(0, "D")).any():
            raise DataError(f"{self.name}: dates must be strictly increasing.")
        for key, values in self.columns.items():
            if values.shape != self.dates.shape:
                raise DataError(f"{self.name}: column {key} has {values.size} values for {self.dates.size} dates.")
            sound = values >= 0 if key == "volume" else values > 0
            sound = sound | np.isnan(values) if key == "volume" else sound & np.isfinite(values)
            if not sound.all():
                row = int(np.argmin(sound))
                raise DataError(f"{self.name}: {key} on {self.dates[row]} is {values[row]:g}, not a usable number.")

    def __len__(self) -> int:
        return len(self.dates)

    def upto(self, cutoff: np.datetime64) -> PriceSeries | None:
        """The rows dated at or before `cutoff`, with the events known then, or None if there are no rows."""
        rows = int(np.searchsorted(self.dates, cutoff, side="right"))
        if rows == 0:
            return None
        columns = {key: values[:rows] for key, values in self.columns.items()}
        return PriceSeries(self.name, self.dates[:rows], columns, self.decimals, self.events.known_by(cutoff))

    def then(self, later: PriceSeries) -> PriceSeries:
        """This series followed by `later`'s rows, in the columns that both have.

        Raises `DataError` if `later` does not begin after this one ends.
        """
        if later.dates[0] <= self.dates[-1]:
            raise DataError(
                f"{later.name} begins on {later.dates[0]}, but {self.name} ends on {self.dates[-1]}.",
                "give test prices that begin after the training prices end.",
            )
        shared = [key for key in self.columns if key in later.columns]
        columns = {key: np.concatenate([self.columns[key], later.columns[key]]) for key in shared}
        dates = np.concatenate([self.dates, later.dates])
        return PriceSeries(self.name, dates, columns, self.decimals, self.events)


@dataclass(frozen=True)
class Panel:
    """One or more price series under different names, trained as one model.

    Guarantees: at least one series; names are unique. Raises `DataError` otherwise.
    """

    series: tuple[PriceSeries, ...]

    def __post_init__(self) -> None:
        if not self.series:
            raise DataError("no price series was given.")
        twice = sorted(name for name, count in Counter(self.names).items() if count > 1)
        if twice:
            raise DataError(
                f"two series are called {twice[0]!r}.", "rename one of the files, or leave one of them out."
            )

    def __len__(self) -> int:
        return len(self.series)

    @property
    def rows(self) -> int:
        """All rows of all series."""
        return sum(len(one) for one in self.series)

    @cached_property
    def dates(self) -> Dates:
        """The sorted union of all dates, which can't be written to."""
        every = np.unique(np.concatenate([one.dates for one in self.series]))
        every.flags.writeable = False
        return every

    def with_events(self, events: Events) -> Panel:
        """Each series with the events that concern it."""
        return Panel(tuple(replace(one, events=events.of_series(one.name)) for one in self.series))

    @property
    def event_kinds(self) -> tuple[str, ...]:
        """The kinds of all events of all series, in the order of the alphabet."""
        return tuple(sorted({str(kind) for one in self.series for kind in one.events.kinds}))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.series)

    def upto(self, cutoff: np.datetime64) -> Panel:
        """Every series up to and with `cutoff`; series that begin later are left out."""
        parts = (one.upto(cutoff) for one in self.series)
        return Panel(tuple(part for part in parts if part is not None))
