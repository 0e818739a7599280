"""Walk-forward: which sessions train, and which origins are judged, fold by fold.

    refit never, expanding   [ train ............ ] judge judge judge judge judge
    refit 2, expanding       [ train ............ ] judge judge
                             [ train ........................ ] judge judge
    refit 2, window 4                [ train .... ] judge judge
                                                 [ train .... ] judge judge

A fold trains up to the session before its first judged origin, targets included: no label reaches into what is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stockcast.data.forecast import Origins
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import DataError, UsageError


@dataclass(frozen=True)
class Fold:
    """Training on the sessions `first` to `cutoff`, and the rows of each series that are judged, all later."""

    first: np.datetime64
    cutoff: np.datetime64
    origins: Origins

    def training(self, panel: Panel) -> Panel:
        """The part of `panel` that this fold may learn from."""
        parts = (_between(one, self.first, self.cutoff) for one in panel.series)
        return Panel(tuple(part for part in parts if part is not None))


def walk(
    panel: Panel, start: np.datetime64, needed: int, lookback: int, refit: int | None = None, window: int | None = None
) -> tuple[Fold, ...]:
    """The folds that judge every origin from `start` to the last session but one.

    - `needed`: the fewest sessions to train on; `lookback`: the fewest rows up to and with a judged one;
    - `refit`: train anew every so many sessions, or never; `window`: train on so many sessions, or on all before.

    Raises `DataError` if `start` lies outside the data or leaves too little to train on, `UsageError` for a `refit` or
    `window` that is too small.
    """
    if refit is not None and refit < 1:
        raise UsageError(f"--refit {refit} is not a number of sessions.", "use --refit never, or 1 or more.")
    if window is not None and window < needed:
        raise UsageError(f"--window {window} is too short: training needs {needed} sessions.", f"use {needed} or more.")
    dates = panel.dates
    begin = int(np.searchsorted(dates, start))
    _demand_room(panel, start, begin, needed)
    edges = range(begin, len(dates) - 1, refit or len(dates))
    folds = []
    for edge in edges:
        until = dates[min(edge + (refit or len(dates)), len(dates) - 1)]
        origins = [_rows(one, dates[edge], until, lookback) for one in panel.series]
        if sum(len(rows) for rows in origins):
            folds.append(Fold(dates[max(edge - window, 0) if window else 0], dates[edge - 1], origins))
    if not folds:
        raise DataError(
            f"from {dates[begin]} on no series has a session to judge with {lookback} sessions before it.",
            "give an earlier --from, longer series, or a smaller data.lookback.",
        )
    return tuple(folds)


def _demand_room(panel: Panel, start: np.datetime64, begin: int, needed: int) -> None:
    dates = panel.dates
    if len(dates) < needed + 2:
        raise DataError(
            f"there are {len(dates)} sessions; a backtest needs {needed} to train on and 2 to judge.",
            "use a longer history, or a smaller data.lookback.",
        )
    earliest, latest = dates[needed], dates[-2]
    if begin < needed:
        raise DataError(
            f"{begin} sessions lie before --from {start}; training needs {needed}.",
            f"give a date from {earliest} to {latest}.",
        )
    if begin > len(dates) - 2:
        raise DataError(
            f"--from {start} leaves nothing to judge: the prices end on {dates[-1]}.",
            f"give a date from {earliest} to {latest}.",
        )


def _rows(one: PriceSeries, start: np.datetime64, until: np.datetime64, lookback: int) -> NDArray[np.int64]:
    """The rows dated from `start` to before `until`, with `lookback` rows up to and with them and one row after."""
    first, end = np.searchsorted(one.dates, [start, until])
    return np.arange(max(first, lookback - 1), min(end, len(one) - 1))


def _between(one: PriceSeries, first: np.datetime64, last: np.datetime64) -> PriceSeries | None:
    begin, end = np.searchsorted(one.dates, first), np.searchsorted(one.dates, last, side="right")
    if begin >= end:
        return None
    columns = {key: values[begin:end] for key, values in one.columns.items()}
    return PriceSeries(one.name, one.dates[begin:end], columns, one.decimals, one.events.known_by(last))
