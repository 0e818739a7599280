"""Proof that no forecast saw the future: the future is changed, and nothing earlier may move by a bit.

The audit is handed a way to train on a panel and looks at what comes out; it knows nothing of how that is done. So it
finds a leak wherever it hides: in the scaler, the windows, the targets, the calibration or the early stopping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stockcast.data.events.records import events_of, joined
from stockcast.data.forecast import EvaluatedForecast, Forecast, Forecaster, Origins, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.significance import diebold_mariano
from stockcast.evaluate.steps import Step, steps_of

DATES_TRIED = 8
"""So many judged dates have all that follows them changed."""

MADE_UP_DAYS = 10
"""So many days after a date have events made up that nobody knew of on it."""

ALARM = 0.001
"""Skill on shuffled returns counts as a leak below this p."""


@dataclass(frozen=True)
class Subject:
    """A trained pipeline: its forecaster, each part that was fitted as bytes, and the last date of its targets."""

    forecaster: Forecaster
    parts: Mapping[str, bytes]
    trained_until: np.datetime64


Train = Callable[[Sequence[Panel]], Sequence[Subject]]
"""Trains on each panel's prices up to the audit's cutoff; it is handed all of them, and may not look."""


@dataclass(frozen=True)
class Check:
    """One thing that must hold, whether it does, and what was seen."""

    name: str
    passed: bool
    seen: str


@dataclass(frozen=True)
class Trial:
    """What is audited: prices, the training, the rows to forecast from (at or after `cutoff`) and the price column."""

    panel: Panel
    price: str
    cutoff: np.datetime64
    origins: Origins
    train: Train


def audit_pipeline(
    trial: Trial, naive: Callable[[Panel], Forecaster], repeats: int, seed: int = 0
) -> tuple[Check, ...]:
    """All checks. `naive` makes the last price's forecaster from a training panel; `repeats` shuffles are trained."""
    asked = _panels(trial, repeats, seed)
    trained = iter(trial.train([panel for panels in asked.values() for panel in panels]))
    subjects = {why: [next(trained) for _ in panels] for why, panels in asked.items()}
    (subject,) = subjects["as it is"]
    evaluated = _evaluate(trial, subject.forecaster, trial.panel)
    noise = zip(asked["shuffled"], subjects["shuffled"], strict=True)
    return (
        _later_prices(trial, subject, evaluated.forecast),
        *_parts(trial, subject, subjects["prices changed"], evaluated.forecast),
        *(
            check
            for one in subjects["events changed"]
            for check in _later_events(trial, subject, one, evaluated.forecast)
        ),
        _no_skill_in_noise(trial, naive, noise),
        _dates_in_order(evaluated, subject),
    )


def _panels(trial: Trial, repeats: int, seed: int) -> dict[str, list[Panel]]:
    """All that is trained on, by what it is for."""
    panel, cutoff = trial.panel, trial.cutoff
    return {
        "as it is": [panel],
        "prices changed": [_changed(panel, cutoff, change) for change in CHANGES.values()],
        "events changed": [_told_otherwise(panel, cutoff)] if panel.event_kinds else [],
        "shuffled": [_shuffled(panel, np.random.default_rng([seed, repeat])) for repeat in range(repeats)],
    }


def _dates_tried(trial: Trial, before: Forecast) -> np.ndarray:
    """Some of the judged dates, the first and the last among them."""
    days = np.unique(_origin_dates(trial, before))
    tried: np.ndarray = days[np.unique(np.linspace(0, len(days) - 1, DATES_TRIED).astype(int))]
    return tried


def _later_prices(trial: Trial, subject: Subject, before: Forecast) -> Check:
    """A trained forecaster must not react to prices after the row that it forecasts from."""
    moved = 0
    tried = _dates_tried(trial, before)
    for day in tried:
        early = _origin_dates(trial, before) <= day
        for change in CHANGES.values():
            # From all rows, so that both go through the network in batches of one shape: the bits depend on that.
            after = subject.forecaster.forecast(_changed(trial.panel, day, change), trial.origins)
            moved += _differing(before, after, early)
    seen = f"{len(tried)} dates x {len(CHANGES)} changes of all later prices: {moved} earlier forecasts moved"
    return Check("forecasts ignore later prices", moved == 0, seen)


def _later_events(trial: Trial, subject: Subject, other: Subject, before: Forecast) -> list[Check]:
    """Neither training nor a forecast may depend on an event that was not known yet; `other` was told other ones."""
    moved = 0
    tried = _dates_tried(trial, before)
    for day in tried:
        after = subject.forecaster.forecast(_told_otherwise(trial.panel, day), trial.origins)
        moved += _differing(before, after, _origin_dates(trial, before) <= day)
    seen = f"{len(tried)} dates x all events not known yet dropped, others made up: {moved} earlier forecasts moved"
    changed = [part for part, content in subject.parts.items() if other.parts[part] != content]
    return [
        Check("forecasts ignore events not known yet", moved == 0, seen),
        Check(
            "training ignores events not known by the cutoff",
            not changed,
            f"{', '.join(changed)} changed" if changed else "bit-identical",
        ),
    ]


def _parts(trial: Trial, subject: Subject, others: Sequence[Subject], before: Forecast) -> list[Check]:
    """Nothing that is fitted may depend on a price after the cutoff, nor any forecast by way of it."""
    moved = sum(_differing(before, one.forecaster.forecast(trial.panel, trial.origins)) for one in others)
    seen = f"{moved} of {len(others) * len(before)} forecasts moved"
    checks = [Check("training ignores later prices", moved == 0, seen)]
    for part, content in subject.parts.items():
        same = all(other.parts[part] == content for other in others)
        checks.append(Check(f"{part} ignores later prices", same, "bit-identical" if same else "it changed"))
    return checks


def _no_skill_in_noise(
    trial: Trial, naive: Callable[[Panel], Forecaster], noise: Iterable[tuple[Panel, Subject]]
) -> Check:
    """On returns in random order nothing can be forecast: whoever seems to have skill there has seen the answers."""
    from scipy.stats import combine_pvalues

    found: dict[str, list[float]] = {"level": [], "bands": []}
    for panel, subject in noise:
        known = panel.upto(trial.cutoff)
        mine = steps_of(_evaluate(trial, subject.forecaster, panel))[0]
        last = steps_of(_evaluate(trial, naive(known), panel))[0]
        found["level"].append(_better(mine.squared(), last.squared(), mine))
        found["bands"].append(_better(mine.pinball(), last.pinball(), mine))
    combined = {topic: float(combine_pvalues(values).pvalue) for topic, values in found.items()}
    seen = "; ".join(
        f"{topic}: p = {', '.join(f'{p:.2f}' for p in values)} (together {combined[topic]:.2f})"
        for topic, values in found.items()
    )
    return Check("no skill on shuffled returns", min(combined.values()) >= ALARM, seen)


def _better(losses: np.ndarray, others: np.ndarray, step: Step) -> float:
    """The one-sided p of the losses being smaller; 1 where there is no difference to test."""
    evidence = diebold_mariano(losses, others, step.day, step.number)
    if np.isnan(evidence.p):
        return 1.0
    return evidence.p / 2 if evidence.statistic < 0 else 1 - evidence.p / 2


def _dates_in_order(evaluated: EvaluatedForecast, subject: Subject) -> Check:
    """Every judged date lies after its cutoff and after every training target."""
    known = ~np.isnat(evaluated.dates)
    late = int(((evaluated.dates <= evaluated.origin[:, None]) & known).sum())
    shared = int((evaluated.dates[known] <= subject.trained_until).sum())
    seen = f"{late} rows dated at or before their cutoff, {shared} judged targets that were trained on"
    return Check("judged dates come later", late == 0 and shared == 0, seen)


def _scaled_up(values: np.ndarray) -> np.ndarray:
    return values * 1.5


def _reversed(values: np.ndarray) -> np.ndarray:
    return values[::-1]


def _next_alone(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[:1] * 2, values[1:]])


CHANGES = {"half as high again": _scaled_up, "in reverse order": _reversed, "the next one doubled": _next_alone}
"""What is done to the prices after a date."""


def _changed(panel: Panel, day: np.datetime64, change: Callable[[np.ndarray], np.ndarray]) -> Panel:
    """The panel with every column after `day` changed."""

    def one(series: PriceSeries) -> PriceSeries:
        known = int(np.searchsorted(series.dates, day, side="right"))
        columns = {key: np.concatenate([all_[:known], change(all_[known:])]) for key, all_ in series.columns.items()}
        return replace(series, columns=columns)

    return Panel(tuple(one(series) for series in panel.series))


def _told_otherwise(panel: Panel, day: np.datetime64) -> Panel:
    """The panel without the events that are not known by `day`, and with others that are known the day after."""

    def one(series: PriceSeries) -> PriceSeries:
        days = day + np.arange(1, MADE_UP_DAYS + 1)
        made_up = [(date, series.name, str(kind), "", day + 1) for kind in panel.event_kinds for date in days]
        return replace(series, events=joined(series.events.known_by(day), events_of(made_up)))

    return Panel(tuple(one(series) for series in panel.series))


def _shuffled(panel: Panel, random: np.random.Generator) -> Panel:
    """The panel with each series' sessions in random order: the same moves, one after another by chance."""

    def one(series: PriceSeries) -> PriceSeries:
        order = random.permutation(len(series) - 1)
        close = series.columns["close"]
        base = close[0] * np.exp(np.concatenate([[0.0], np.cumsum(np.diff(np.log(close))[order])]))
        columns = {"close": base}
        for key, values in series.columns.items():
            if key == "volume":
                columns[key] = np.concatenate([values[:1], values[1:][order]])
            elif key != "close":
                relative = values[1:] / close[:-1]
                columns[key] = np.concatenate([values[:1], relative[order] * base[:-1]])
        return replace(series, columns={key: columns[key] for key in series.columns})

    return Panel(tuple(one(series) for series in panel.series))


def _evaluate(trial: Trial, forecaster: Forecaster, panel: Panel) -> EvaluatedForecast:
    return evaluate(forecaster.name, panel, forecaster.forecast(panel, trial.origins), trial.price)


def _origin_dates(trial: Trial, forecast: Forecast) -> np.ndarray:
    """The date of each forecast's last known row, (n,)."""
    dates = [one.dates for one in trial.panel.series]
    return np.array([dates[series][row] for series, row in zip(forecast.series, forecast.row, strict=True)])


def _differing(first: Forecast, second: Forecast, among: np.ndarray | bool = True) -> int:
    """How many forecasts differ in any bit."""
    same = (first.point == second.point).all(axis=1) & (first.quantiles == second.quantiles).all(axis=(1, 2))
    return int((~same & among).sum())
