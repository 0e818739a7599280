"""A network with all that surrounds it: features and scaling before, calibration and prices after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stockcast.config import DataConfig
from stockcast.data.features import Sessions, sessions_of
from stockcast.data.forecast import QUANTILES, Forecast, Origins
from stockcast.data.scaling import Scalers
from stockcast.data.series import Floats, Panel
from stockcast.data.windows import Floats32, Ints, Rows, Windows, lay_out, scaled_columns, usable_ends
from stockcast.errors import DataError
from stockcast.model.calibrate import Calibration

BATCH = 4096
"""Windows that go through the network in one call."""

Infer = Callable[[Floats32], Floats32]


@dataclass(frozen=True)
class WindowForecaster:
    """A `Forecaster` from a network `infer`: (n, L, F) windows to (n, H, K) targets."""

    name: str
    data: DataConfig
    features: tuple[str, ...]
    scalers: Scalers
    infer: Infer
    calibration: Calibration | None = None

    def lay_out(self, panel: Panel) -> Rows:
        """The panel as the network sees it."""
        return lay_out(self._sessions(panel), self.features, self.scalers, self.data)

    def _sessions(self, panel: Panel) -> list[Sessions]:
        return [sessions_of(one, self.data.price, self.data.halflife) for one in panel.series]

    def outputs(self, rows: Rows, ends: Ints) -> Floats:
        """What the network says on rows `ends`, (n, H, K) in units of the targets."""
        windows = Windows(rows, ends, self.data.lookback)
        batches = (windows.take(slice(start, start + BATCH)).x for start in range(0, len(ends), BATCH))
        return np.concatenate([self.infer(batch) for batch in batches]).astype(np.float64)

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        """Forecasts from the given rows. Raises `DataError` if a row has no full window before it."""
        rows = self.lay_out(panel)
        ends = rows.flat(origins)
        _demand_windows(panel, rows, ends, self.data.lookback)
        return self.answer(rows, ends, self.outputs(rows, ends))

    def answer(self, rows: Rows, ends: Ints, outputs: Floats) -> Forecast:
        """Network outputs (n, H, K) made on rows `ends`, calibrated and in prices."""
        quantiles = self.calibration.apply(outputs) if self.calibration else outputs
        middle = outputs.shape[-1] // 2
        point = outputs[..., :1] if outputs.shape[-1] == 1 else quantiles[..., middle : middle + 1]
        owner = np.searchsorted(rows.starts, ends, side="right") - 1
        return Forecast(
            series=owner.astype(np.int64),
            row=ends - rows.starts[owner],
            last=rows.price[ends],
            point=rows.to_price(ends, point)[..., 0],
            quantiles=rows.to_price(ends, quantiles),
            levels=QUANTILES,
        )

    def beyond_fitted_range(self, panel: Panel) -> list[str]:
        """A sentence a series whose newest window holds inputs outside the range that the scaler was fitted on."""
        sentences = []
        for one, table in zip(panel.series, scaled_columns(self._sessions(panel), self.features), strict=True):
            share = self.scalers.of(one.name).outside(table[-self.data.lookback :])
            outside = [name for name, part in zip(self.features, share, strict=False) if part > 0]
            if outside:
                sentences.append(
                    f"{one.name}: {', '.join(outside)} of the last {self.data.lookback} sessions left the range "
                    "that the scaler was fitted on."
                )
        return sentences

    def calibrated(self, calibration: Calibration) -> WindowForecaster:
        """The same forecaster with its bands corrected."""
        return replace(self, calibration=calibration)


def _demand_windows(panel: Panel, rows: Rows, ends: Ints, lookback: int) -> None:
    usable = np.isin(ends, usable_ends(rows, lookback))
    if not usable.all():
        end = ends[np.argmin(usable)]
        owner = int(np.searchsorted(rows.starts, end, side="right") - 1)
        raise DataError(
            f"{panel.series[owner].name} has {end - rows.starts[owner] + 1} sessions up to {rows.dates[end]}; "
            f"the model looks back on {lookback} sessions with all their inputs known.",
            "give a CSV with more history.",
        )
