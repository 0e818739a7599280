"""What it is worth to know when companies report: `daily` with their dates, with the guess, and with neither.

Trained once on the prices up to `--until` and judged on every session after, as `benchmarks.quality` is, in whose
document this is a section. How dates are used was chosen on the folds before that day.

    python -m benchmarks.events --data DIR --events FILE [--until DATE] [--seeds 0 1 2]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from unittest.mock import patch

import numpy as np

from benchmarks.outcome import Outcome, opponents, outcome, per_stock, pinballs
from benchmarks.quality import Days, alone, fold_ends, judged, warm_up
from benchmarks.quality_table import first, put_section
from stockcast.data.events import features as event_features
from stockcast.data.events import heights as event_heights
from stockcast.data.events.records import NO_EVENTS, Events
from stockcast.data.features import DAILY, GUESSED
from stockcast.data.forecast import EvaluatedForecast
from stockcast.data.rows import Mask
from stockcast.data.series import Floats, Panel
from stockcast.evaluate.levels import band_ends
from stockcast.evaluate.scores import inside
from stockcast.reading.events import read_events
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import NO_HINTS

TITLE = "With the dates of reports"

NEITHER = (f"data.features={[name for name in DAILY if not name.startswith(GUESSED)]}",)
"""Settings without the guess."""


@dataclass(frozen=True)
class Judged:
    """One training, judged on each session after it.

    - `losses` (n,): of each forecast, one step ahead;
    - `on_days` (n,): whether that step is the session of a report or the one after.
    """

    outcome: Outcome
    evaluated: EvaluatedForecast
    losses: Floats
    on_days: Mask

    def against(self, other: Judged, days: Mask) -> float:
        """The mean over the stocks of the loss one step ahead on some days, as a ratio to another training's."""
        mine, others = (per_stock(self.evaluated, np.where(days, one.losses, np.nan)[:, None]) for one in (self, other))
        return float(np.nanmean(mine / others))

    def held(self, band: int) -> float:
        """The percentage of prices inside a band on the days of reports, one step ahead."""
        low, high = band_ends(self.evaluated.forecast.levels, band / 100)
        quantiles = self.evaluated.forecast.quantiles[self.on_days, 0]
        held = inside(self.evaluated.actual[self.on_days, 0], quantiles[:, low], quantiles[:, high])
        return float(100 * held.mean())


@dataclass(frozen=True)
class Change:
    """What an ablation changes: constants by the module that has them, and the events of a panel."""

    constants: Mapping[object, Mapping[str, float]] = field(default_factory=dict)
    events: Callable[[Panel], Panel] = lambda panel: panel


def _heights(**constants: float) -> Change:
    return Change({event_heights: constants})


def _of_every_other_stock(panel: Panel) -> Panel:
    return Panel(tuple(replace(one, events=NO_EVENTS) if at % 2 else one for at, one in enumerate(panel.series)))


def _known(days: int) -> Change:
    def sooner_or_later(events: Events) -> Events:
        return replace(events, known=events.dates - np.timedelta64(days, "D"))

    return Change(
        events=lambda panel: Panel(tuple(replace(one, events=sooner_or_later(one.events)) for one in panel.series))
    )


ABLATIONS: Mapping[str, Change] = {
    "with the dates": Change(),
    "heights as inputs alone, not in the scale": Change({event_features: {"ELASTICITY": 0.0}}),
    "the scale grows with the power 0.7 of a height": Change({event_features: {"ELASTICITY": 0.7}}),
    "with the height itself": Change({event_features: {"ELASTICITY": 1.0}}),
    "the mean of the last 8 reports": _heights(RECENT=8),
    "heights above 8 count as 8": _heights(TALLEST=8.0),
    "no stock's own reports, those of all": _heights(RECENT=0),
    "dates that are known a week before": _known(7),
    "dates of every other stock": Change(events=_of_every_other_stock),
}


def main() -> None:
    """Train, judge, and put the section into QUALITY.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a folder of daily prices, a CSV file for each stock")
    parser.add_argument("--events", required=True, help="a CSV file of report dates")
    parser.add_argument("--until", default="2022-12-31", help="the last day that training may know")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    wanted = parser.parse_args()
    bare = examined(read_panel([wanted.data]), NO_HINTS, date.max).panel
    panel = bare.with_events(read_events([wanted.events]))
    warm_up(panel)
    days = Days(wanted.until, opponents(panel, wanted.until, ("ewma",)))
    measured = [[trained(panel, days, seed, *kind) for kind in ((), (True,), (True, NEITHER))] for seed in wanted.seeds]
    singles = [[alone(one, days, seed) for one in (panel, bare)] for seed in wanted.seeds]
    known = panel.upto(np.datetime64(wanted.until, "D"))
    command = f"    python -m benchmarks.events --data DIR --events FILE --until {wanted.until}"
    parts = [introduction(panel), figures(measured, singles), ablations(known), command]
    print(put_section(TITLE, "\n\n".join(parts)))


def trained(
    panel: Panel, days: Days, seed: int, guess: bool = False, settings: Sequence[str] = (), change: Change = Change()
) -> Judged:
    """Trained on all stocks and judged on all, with the dates that they have or with none."""
    told = change.events(panel)
    if guess:
        told = Panel(tuple(replace(one, events=NO_EVENTS) for one in panel.series))
    with ExitStack() as stack:
        for module, constants in change.constants.items():
            for name, value in constants.items():
                stack.enter_context(patch.object(module, name, value))
        evaluated, seconds = judged(told, told, days.config(seed, settings))
    losses = pinballs(evaluated)[:, 0]
    return Judged(outcome(evaluated, told, days.against, seconds), evaluated, losses, _on_days(panel, evaluated))


def _on_days(panel: Panel, evaluated: EvaluatedForecast) -> Mask:
    """Whether the next session is one on which a price answers to a report, (n,)."""
    on_days = np.zeros(len(evaluated.forecast), dtype=bool)
    for index, one in enumerate(panel.series):
        row = np.searchsorted(one.dates, one.events.dates)
        answering = np.zeros(len(one) + 2, dtype=bool)
        answering[np.minimum(np.concatenate([row, row + 1]), len(one))] = True
        mine = evaluated.forecast.series == index
        on_days[mine] = answering[evaluated.forecast.row[mine] + 1]
    return on_days


def introduction(panel: Panel) -> str:
    told = [one for one in panel.series if len(one.events)]
    return (
        f"{len(told)} of the {len(panel)} stocks have dates of reports, each known 30 days before; of the others they "
        "are guessed. Guess: `daily` as it is, without a file. Neither: without what is due and news. On the days of "
        "reports: the session of a report or the one after. `python -m benchmarks.events` writes this section."
    )


FIGURES: Mapping[str, Callable[[Judged], float]] = {
    "loss at step 1, ratio to EWMA": lambda one: first(one.outcome, "ewma"),
    "loss at steps 2-5, ratio to EWMA": lambda one: float(one.outcome.loss["ewma"][:, 1:].mean()),
    "on the days of reports, 80 % band held, %": lambda one: one.held(80),
    "on the days of reports, 95 % band held, %": lambda one: one.held(95),
    "coverage of the bands, worst band and step, points off": lambda one: float(one.outcome.off.max()),
    "training, seconds": lambda one: one.outcome.seconds,
}


def figures(measured: Sequence[Sequence[Judged]], singles: Sequence[Sequence[Outcome]]) -> str:
    """A row a figure, each seed's trainings with the file, with the guess and with neither beside each other."""
    lines = ["| figure | file | guess | neither |", "|---|---|---|---|"]
    for label, figure in FIGURES.items():
        digits = 1 if "%" in label or "seconds" in label else 2 if "points" in label else 4
        lines.append(_line(label, [[figure(one) for one in seed] for seed in measured], digits))
    for label, there in (("on the days of reports", True), ("on all others", False)):
        ratios = [[one.against(seed[1], one.on_days == there) for one in seed] for seed in measured]
        lines.append(_line(f"{label}, loss at step 1, ratio to the guess", ratios, 4))
    for label, steps in (("step 1", slice(1)), ("steps 2-5", slice(1, None))):
        ratios = [[float(one.loss["ewma"][:, steps].mean()) for one in seed] for seed in singles]
        lines.append(_line(f"one stock alone, loss at {label}, ratio to EWMA", ratios, 4))
    return "\n".join(lines)


def _line(label: str, by_seed: Sequence[Sequence[float]], digits: int) -> str:
    cells = [
        f"{np.mean(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"
        for values in zip(*by_seed, strict=True)
    ]
    return f"| {' | '.join([label, *cells, *[''] * (3 - len(cells))])} |"


def ablations(known: Panel) -> str:
    """What each choice is worth, on earlier days, of seed 0."""
    ends = fold_ends(known)
    titles = [f"{what}, from {end}" for end in ends for what in ("step 1", "steps 2-5", "on the days", "80 % held")]
    lines = [f"| | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    folds = [Days(end, opponents(known, end, ("ewma",))) for end in ends]
    guesses = [trained(known, fold, 0, guess=True) for fold in folds]
    table = {label: [trained(known, fold, 0, change=change) for fold in folds] for label, change in ABLATIONS.items()}
    table |= {"the guess": guesses, "neither": [trained(known, fold, 0, True, NEITHER) for fold in folds]}
    for label, row in table.items():
        cells = [
            f"{first(one.outcome, 'ewma'):.4f} | {one.outcome.loss['ewma'][:, 1:].mean():.4f} | "
            f"{one.against(guess, one.on_days):.4f} | {one.held(80):.1f}"
            for one, guess in zip(row, guesses, strict=True)
        ]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
