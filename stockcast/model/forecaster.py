"""A network with all that surrounds it: features and scaling before, calibration and prices after."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stockcast.config.run import RunConfig
from stockcast.config.sections import DataConfig
from stockcast.data.feature_table import FeatureTable, make_features
from stockcast.data.forecast import QUANTILES, Directions, Forecast, Origins, levels_of
from stockcast.data.rows import Floats32, Ints, Rows, scaled_rows
from stockcast.data.scaling import Scalers
from stockcast.data.series import Floats, Panel
from stockcast.data.session_list import SessionList
from stockcast.data.windows import Windows, strided, usable_ends
from stockcast.errors import DataError, ModelDamaged
from stockcast.model.calibrate import TAIL_WINDOWS, Calibration, PendingForecasts, calibrate, with_tails
from stockcast.model.training_run import demand_numbers

BATCH = 4096
"""Windows that go through the network in one call."""

Infer = Callable[[Floats32], Floats32]


@dataclass(frozen=True)
class WindowForecaster:
    """A `Forecaster` from a network `infer`: (n, L, F) windows to (n, H, K) targets.

    `sessions` are those that events are placed by, where the features have any.

    A network that says how likely each direction is says nothing of the price, so that its point is the last one.
    """

    name: str
    data: DataConfig
    features: tuple[str, ...]
    scalers: Scalers
    infer: Infer
    calibration: Calibration | None = None
    sessions: SessionList | None = None

    def rows(self, table: FeatureTable) -> Rows:
        """A table of this forecaster's features as the network sees it."""
        return scaled_rows(table, self.scalers, self.data)

    def rows_for(self, panel: Panel, origins: Origins) -> Rows:
        """The rows of `panel` that forecasts from `origins` need, and no older ones."""
        return self.rows(self.table(panel, self._needed_since(panel, origins)))

    def table(self, panel: Panel, since: np.datetime64 | None = None) -> FeatureTable:
        """This forecaster's features of the rows of `panel` dated `since` or later; None: of all."""
        return make_features(panel.series, self.features, self.data, since, self.sessions)

    def _needed_since(self, panel: Panel, origins: Origins) -> np.datetime64 | None:
        """The date of the oldest row that forecasts from `origins` look back on; None: all rows are needed."""
        if self.data.padding != "none":
            return None
        adapts_from = self.calibration.adapts_from if self.calibration else None
        oldest = []
        for one, rows in zip(panel.series, origins, strict=True):
            first = [int(np.min(rows))] if len(rows) else []
            if adapts_from is not None and one.dates[-1] >= adapts_from:
                first.append(int(np.searchsorted(one.dates, adapts_from)))
            oldest += [one.dates[max(row - self.data.lookback + 1, 0)] for row in first]
        return min(oldest, default=None)

    def outputs(self, rows: Rows, ends: Ints) -> Floats:
        """What the network says on rows `ends`, (n, H, K) in units of the targets."""
        windows = Windows(rows, ends, self.data.lookback)
        batches = (windows.take(slice(start, start + BATCH)).x for start in range(0, len(ends), BATCH))
        answers = np.concatenate([self.infer(batch) for batch in batches]).astype(np.float64)
        columns = (len(self.data.thresholds) + 1,) if self.data.task == "direction" else (1, len(QUANTILES))
        if answers.shape[1] != self.data.horizon or answers.shape[2] not in columns:
            raise ModelDamaged(
                f"the network answers with {answers.shape[1]} steps of {answers.shape[2]} numbers, which are not those "
                "of the model's settings.",
                "let another version serve, or train it again.",
            )
        return answers

    def targets(self, outputs: Floats) -> Floats:
        """What outputs (n, H, K) say of the targets, (n, H, 1 or K)."""
        return np.zeros_like(outputs[..., :1]) if self.data.task == "direction" else outputs

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        """Forecasts from the given rows. Raises `DataError` if a row has no full window before it."""
        return self.forecast_rows(self.rows_for(panel, origins), origins)

    def forecast_rows(self, rows: Rows, origins: Origins) -> Forecast:
        """The same of a panel whose `rows` are made already."""
        ends = rows.flat(origins)
        _demand_windows(rows, ends, self.data.lookback)
        every = np.union1d(ends, self._pending_rows(rows, ends))
        outputs = self.outputs(rows, every)
        targets = self.targets(outputs)
        quantiles = self._calibrated(rows, every, targets)
        wanted = np.searchsorted(every, ends)
        forecast = self._answer(rows, ends, targets[wanted], quantiles[wanted])
        return replace(forecast, directions=self._directions(rows, ends, outputs[wanted]))

    def _directions(self, rows: Rows, ends: Ints, outputs: Floats) -> Directions | None:
        """The probabilities (n, H, C) that the network gives the classes of moves, if it does."""
        if self.data.task == "price":
            return None
        edges = np.broadcast_to(np.array(self.data.thresholds), (*outputs.shape[:2], len(self.data.thresholds)))
        return Directions(outputs / outputs.sum(axis=-1, keepdims=True), rows.to_price(ends, edges))

    def _pending_rows(self, rows: Rows, ends: Ints) -> Ints:
        """The rows before the newest of `ends` from which forecasts were made that the bands follow, (n,)."""
        since = self.calibration.adapts_from if self.calibration else None
        if since is None or not len(ends):
            return np.array([], dtype=np.int64)
        usable = usable_ends(rows, self.data.lookback)
        dates = rows.dates[usable]
        pending: Ints = usable[(dates >= since) & (dates < rows.dates[ends].max())]
        return pending

    def _calibrated(self, rows: Rows, ends: Ints, outputs: Floats) -> Floats:
        """Network outputs (n, H, 1 or K) made on rows `ends` as quantiles (n, H, K)."""
        if not self.calibration:
            return outputs
        targets = rows.targets[ends].astype(np.float64)
        came = rows.dates[np.minimum(ends[:, None] + np.arange(1, targets.shape[1] + 1), len(rows.dates) - 1)]
        came = np.where(np.isnan(targets), np.datetime64("NaT"), came)
        pending = PendingForecasts(rows.names, rows.owner(ends), rows.dates[ends], came, targets)
        return self.calibration.adapt(outputs, pending)

    def _answer(self, rows: Rows, ends: Ints, outputs: Floats, quantiles: Floats) -> Forecast:
        """Forecasts made on rows `ends`, (n, H, 1 or more) in units of the targets, in prices."""
        middle = quantiles.shape[-1] // 2
        point = outputs[..., :1] if outputs.shape[-1] == 1 else quantiles[..., middle : middle + 1]
        return Forecast(
            series=rows.owner(ends),
            row=rows.number(ends),
            last=rows.price[ends],
            point=rows.to_price(ends, point)[..., 0],
            quantiles=rows.to_price(ends, quantiles),
            levels=levels_of(quantiles.shape[-1]),
        )

    def beyond_known_prices(self, rows: Rows) -> dict[str, str]:
        """A sentence on each series whose newest price is higher or lower than any that the scaler was fitted on.

        It is said of networks that forecast the price itself: one that forecasts moves starts from the price it finds.
        """
        if self.data.target != "level":
            return {}
        sentences = {}
        for name, end in zip(rows.names, rows.starts[1:], strict=True):
            price, scaler = float(rows.price[end - 1]), self.scalers.of(name)
            low, high = float(scaler.low[-1]), float(scaler.high[-1])
            if not low <= price <= high:
                side, bias = ("above", "low") if price > high else ("below", "high")
                sentences[name] = (
                    f"{name}: the last price {price:.6g} lies {side} all that the model was trained on, {low:.6g} to "
                    f"{high:.6g}; its forecasts are mostly too {bias} there."
                )
        return sentences

    def beyond_fitted_range(self, rows: Rows) -> dict[str, str]:
        """A sentence on each series whose newest window has inputs outside the range that the scaler was fitted on."""
        lookback = self.data.lookback
        newest = "the last session" if lookback == 1 else f"the last {lookback} sessions"
        taken = ", and count as its edge" if self.data.clip else ""
        return {
            name: f"{name}: {', '.join(np.array(self.features)[outside])} of {newest} "
            f"left the range that the scaler was fitted on{taken}."
            for name, outside in zip(rows.names, rows.outside, strict=True)
            if outside.any()
        }

    def fit_calibration(self, held_out: Windows, train: Windows, config: RunConfig) -> Calibration:
        """A calibration on windows that the network did not fit; without any, on those that it did, and so marked.

        The tails of a distribution are set on the latter in any case, of which there are more. Raises
        `TrainingDiverged`, with what a calmer `config` would be, if the network's answers are no numbers.
        """
        windows = held_out if len(held_out) else train
        days = len(np.unique(windows.rows.dates[windows.ends]))
        outputs, targets = self._answered(windows)
        demand_numbers("the network's outputs", (outputs,), config)
        calibration = calibrate(outputs, targets, in_sample=len(held_out) == 0, days=days)
        if outputs.shape[-1] > 1:
            outputs, targets = self._answered(strided(train, math.ceil(len(train) / TAIL_WINDOWS)))
        return with_tails(calibration, outputs, targets)

    def _answered(self, windows: Windows) -> tuple[Floats, Floats]:
        """What the network says of the targets of `windows`, (n, H, 1 or K), and the targets that came, (n, H)."""
        return self.targets(self.outputs(windows.rows, windows.ends)), windows.y.astype(np.float64)

    def restarted(self, since: np.datetime64) -> WindowForecaster:
        """The same forecaster with its bands as they were after training, following the answers since that date."""
        return self if self.calibration is None else self.calibrated(self.calibration.restarted(since))

    def calibrated(self, calibration: Calibration) -> WindowForecaster:
        """The same forecaster with its bands corrected."""
        return replace(self, calibration=calibration)


def _demand_windows(rows: Rows, ends: Ints, lookback: int) -> None:
    usable = np.isin(ends, usable_ends(rows, lookback))
    if not usable.all():
        end = ends[np.argmin(usable)]
        raise DataError(
            f"{rows.names[rows.owner(end)]} has {rows.number(end) + 1} sessions up to {rows.dates[end]}; "
            f"the model looks back on {lookback} sessions with all their inputs known.",
            "give a CSV with more history.",
        )
