"""The audit finds every kind of leak that is planted, and passes a pipeline without one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from stockcast.data.events.records import events_of
from stockcast.data.forecast import QUANTILES, Forecast, Origins
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.audit import Subject, Trial, audit_pipeline
from stockcast.model.baselines import build

SPREAD = np.linspace(-0.03, 0.03, len(QUANTILES))


@dataclass(frozen=True)
class Lag:
    """Forecasts the last price moved by a share of the mean of the moves `lags` rows back; a lag below 0 is ahead."""

    lags: tuple[int, ...]
    share: float
    scale: float
    name: str = "lag"

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        close = panel.series[0].columns["close"]
        rows = origins[0]
        moves = np.diff(np.log(close), prepend=np.log(close[0]))
        seen = np.mean([moves[np.clip(rows - lag, 0, len(close) - 1)] for lag in self.lags], axis=0)
        point = (close[rows] * np.exp(self.share * seen + 1e-6 * self.scale))[:, None]
        return Forecast(np.zeros_like(rows), rows, close[rows], point, point[..., None] * np.exp(SPREAD))


def pipeline(
    lags: tuple[int, ...] = (0, 1),
    scaled_on: Callable[[PriceSeries, int], float] = lambda one, known: float(one.columns["close"][:known].max()),
    share_of: Callable[[PriceSeries, int], float] = lambda _one, _known: 0.1,
    trained_beyond: int = 0,
) -> Callable[[Panel, np.datetime64], Subject]:
    """A small honest pipeline, with a place for each leak."""

    def train(panel: Panel, cutoff: np.datetime64) -> Subject:
        one = panel.series[0]
        known = int(np.searchsorted(one.dates, cutoff, side="right"))
        scale, share = scaled_on(one, known), share_of(one, known)
        parts = {"scaler": repr(scale).encode(), "early stopping": repr(share).encode()}
        return Subject(Lag(lags, share, scale), parts, one.dates[known - 1 + trained_beyond])

    return train


def failed(prices: Callable[..., PriceSeries], train: Callable[[Panel, np.datetime64], Subject]) -> set[str]:
    one = prices(rows=400)
    cutoff = one.dates[299]
    origins = [np.arange(299, 399)]
    trial = Trial(Panel((one,)), "close", cutoff, origins, lambda panels: [train(panel, cutoff) for panel in panels])
    checks = audit_pipeline(trial, lambda known: build("naive", known, "close", 1), repeats=4)
    return {check.name for check in checks if not check.passed}


def best_share_on_the_test_part(one: PriceSeries, known: int) -> float:
    """Early stopping on the part that is judged: the share with the smallest error there."""
    moves = np.diff(np.log(one.columns["close"]))[known:]
    return float(min((0.0, 0.1, 0.2), key=lambda share: np.sum((moves[1:] - share * moves[:-1]) ** 2)) + moves[-1])


def test_an_honest_pipeline_passes(prices: Callable[..., PriceSeries]) -> None:
    assert failed(prices, pipeline()) == set()


def test_a_scaler_fitted_on_all_rows_is_found(prices: Callable[..., PriceSeries]) -> None:
    found = failed(prices, pipeline(scaled_on=lambda one, _known: float(one.columns["close"].max())))
    assert found == {"training ignores later prices", "scaler ignores later prices"}


def test_a_centred_window_is_found(prices: Callable[..., PriceSeries]) -> None:
    found = failed(prices, pipeline(lags=(1, 0, -1), share_of=lambda _one, _known: 0.9))
    assert "forecasts ignore later prices" in found


def test_a_target_one_step_off_is_found_twice(prices: Callable[..., PriceSeries]) -> None:
    found = failed(prices, pipeline(lags=(-1,), share_of=lambda _one, _known: 0.9))
    assert {"forecasts ignore later prices", "no skill on shuffled returns"} <= found


def test_early_stopping_on_the_test_part_is_found(prices: Callable[..., PriceSeries]) -> None:
    found = failed(prices, pipeline(share_of=best_share_on_the_test_part))
    assert {"training ignores later prices", "early stopping ignores later prices"} <= found


def test_training_targets_among_the_judged_ones_are_found(prices: Callable[..., PriceSeries]) -> None:
    assert failed(prices, pipeline(trained_beyond=3)) == {"judged dates come later"}


@pytest.mark.parametrize("seed", range(3))
def test_shuffling_leaves_an_honest_pipeline_in_peace(prices: Callable[..., PriceSeries], seed: int) -> None:
    one = prices(rows=300, seed=seed)
    cutoff, train = one.dates[199], pipeline()
    origins = [np.arange(199, 299)]
    trial = Trial(Panel((one,)), "close", cutoff, origins, lambda panels: [train(panel, cutoff) for panel in panels])
    checks = audit_pipeline(trial, lambda known: build("naive", known, "close", 1), repeats=10, seed=seed)
    assert all(check.passed for check in checks)


@dataclass(frozen=True)
class Announced:
    """Forecasts a wider move where an event lies within five days that is known `early` days later."""

    early: int
    name: str = "announced"

    def forecast(self, panel: Panel, origins: Origins) -> Forecast:
        one, rows = panel.series[0], origins[0]
        close, today, events = one.columns["close"][rows], one.dates[rows], one.events
        ahead = events.dates[:, None] - today
        told = (ahead > 0) & (ahead <= 5) & (events.known[:, None] - self.early <= today)  # (events, n)
        scale = np.where(told.any(axis=0), 2.0, 1.0)[:, None, None]
        return Forecast(np.zeros_like(rows), rows, close, close[:, None], close[:, None, None] * np.exp(scale * SPREAD))


@pytest.mark.parametrize(
    ("early", "learns_of", "found"),
    [
        (0, "what is known", set()),
        (3, "what is known", {"forecasts ignore events not known yet"}),
        (0, "everything", {"training ignores events not known by the cutoff"}),
    ],
)
def test_the_use_of_an_event_before_it_is_known_is_found(
    prices: Callable[..., PriceSeries], early: int, learns_of: str, found: set[str]
) -> None:
    one = prices(rows=400)
    days = one.dates[20::7]
    events = events_of([(day, "", "report", "", day - 4) for day in days])
    cutoff = one.dates[299]

    def train(panel: Panel) -> Subject:
        known = panel.series[0].events
        known = known.known_by(cutoff) if learns_of == "what is known" else known
        return Subject(Announced(early), {"the network": known.digest()}, cutoff)

    panel = Panel((one,)).with_events(events)
    trial = Trial(panel, "close", cutoff, [np.arange(299, 399)], lambda panels: list(map(train, panels)))
    checks = audit_pipeline(trial, lambda known: build("naive", known, "close", 1), repeats=2)
    assert {check.name for check in checks if not check.passed} == found
    assert len(checks) == 7
