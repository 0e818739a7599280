"""How good the `daily` preset's distributions are: on a panel of prices, beside baselines, over several seeds.

It is trained once on the prices up to `--until`, never refitted, and judged on every session after. The settings are to
be chosen by the ablations, which are judged on the years before that day and see nothing later.

    python -m benchmarks.quality --data DIR [--until DATE] [--seeds 0 1 2]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from benchmarks.outcome import PRICE, Outcome, opponents, outcome, together
from benchmarks.quality_table import Report, document, put_document
from stockcast.config.run import RunConfig, load_config
from stockcast.data.features import BY_NAME_ALONE, DAILY, FEATURES, MARKET
from stockcast.data.forecast import EvaluatedForecast, Forecaster, evaluate
from stockcast.data.series import Panel, PriceSeries
from stockcast.data.windows import origins_between
from stockcast.learn import fit_to_cutoff
from stockcast.model.training_run import TrainingRun
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import NO_HINTS

ALONE = 20
"""Stocks that are trained by themselves."""

FOLDS = (3, 2)
"""How many years of what training may know the ablations are judged on."""

ABLATIONS: Mapping[str, tuple[str, ...]] = {
    "daily, as it is": (),
    "with seed 1": ("fit.seed=1",),
    "with seed 2": ("fit.seed=2",),
    "without the market": tuple(MARKET),
    **{
        f"without {what}": tuple(name for name in FEATURES if name.startswith(start))
        for what, start in {
            "what is due": "due",
            "news": "news",
            "events": "event",
            "trends": "trend",
            "averages of ranges": "variance",
            "averages of squares": "square",
            "volume's surprise": "volume",
        }.items()
    },
    "without range, gap and body": ("range", "gap", "body"),
    "with seasons and lags": (f"data.features={[*DAILY, *(n for n in FEATURES if n.startswith(BY_NAME_ALONE))]}",),
    "without the second loss": ("fit.realised=0",),
    "without trimming": ("data.trim=0",),
    "with the weekday": ("data.calendar_features=['weekday']",),
    "without the highway": ("model.highway=false",),
    "one layer of 16 units": ("model.units=[16]",),
    "two layers of 32 units": ("model.units=[32, 32]",),
    "without the prior": ("fit.prior=0",),
    "free quantiles instead of a scale": ("model.head=quantiles",),
    "twice the epochs": ("fit.epochs=10",),
    "three times the windows": ("fit.windows=12000",),
    "lookback 120": ("data.lookback=120",),
    "standard scaling": ("data.scaler=standard",),
    "no refit after calibration": ("fit.refit=false",),
    "bands that don't follow": ("fit.follow=0", "fit.follow_own=0"),
    "bands that follow together alone": ("fit.follow_own=0",),
    "bands that follow together faster": ("fit.follow=0.0125",),
    "each stock's bands twice as fast": ("fit.follow_own=0.04",),
}
"""What is changed: features that are left out, or settings."""


@dataclass(frozen=True)
class Days:
    """What may be known, and those to be measured against on the days after."""

    until: str
    against: Mapping[str, Forecaster]

    def config(self, seed: int, settings: Sequence[str] = ()) -> RunConfig:
        return load_config("daily", [f"split.until={self.until}", f"fit.seed={seed}", *settings])


def main() -> None:
    """Train, judge, and write the document beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="a folder of daily prices, a CSV file for each stock")
    parser.add_argument("--until", default="2022-12-31", help="the last day that training may know")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    wanted = parser.parse_args()
    panel = examined(read_panel([wanted.data]), NO_HINTS, date.max).panel
    warm_up(panel)
    known, closes = panel.upto(np.datetime64(wanted.until, "D")), closes_of(panel)
    days, closing = (Days(wanted.until, opponents(one, wanted.until)) for one in (panel, closes))
    earlier = Days(fold_ends(known)[0], opponents(known, fold_ends(known)[0]))
    measured = {
        "panel": [trained(panel, days, seed) for seed in wanted.seeds],
        "alone": [alone(panel, days, seed) for seed in wanted.seeds],
        "alone before": [alone(known, earlier, seed) for seed in wanted.seeds],
        "closes": [trained(closes, closing, seed) for seed in wanted.seeds],
        "left out": [left_out(panel, days, seed) for seed in wanted.seeds],
    }
    report = Report(panel, wanted.until, tuple(wanted.seeds), measured, fold_ends(known), ablations(known))
    print(put_document(document(report)))


def warm_up(panel: Panel) -> None:
    """Import what training imports, so that it is in nobody's time."""
    quick = TrainingRun(load_config("daily", ["fit.epochs=1", "fit.windows=100"]), "daily")
    fit_to_cutoff(Panel(panel.series[:1]), quick)


def trained(panel: Panel, days: Days, seed: int, settings: Sequence[str] = ()) -> Outcome:
    """Trained on all stocks, judged on all."""
    return taught(panel, panel, days, days.config(seed, settings))


def left_out(panel: Panel, days: Days, seed: int) -> Outcome:
    """Trained on three quarters of the stocks, judged on every fourth."""
    rest = Panel(tuple(one for number, one in enumerate(panel.series) if number % 4 != 3))
    return taught(rest, Panel(panel.series[3::4]), days, days.config(seed))


def alone(panel: Panel, days: Days, seed: int) -> Outcome:
    """Some stocks, evenly taken, each trained and judged by itself."""
    some = [Panel((one,)) for one in panel.series[:: max(len(panel) // ALONE, 1)][:ALONE]]
    return together([taught(one, one, days, days.config(seed)) for one in some])


def taught(train: Panel, panel: Panel, days: Days, config: RunConfig) -> Outcome:
    """Train on one panel, judge every later day of the same or another one."""
    mine, seconds = judged(train, panel, config)
    return outcome(mine, panel, days.against, seconds)


def judged(train: Panel, panel: Panel, config: RunConfig) -> tuple[EvaluatedForecast, float]:
    """The forecasts of every later day, and the seconds that the training took."""
    start = time.perf_counter()
    cuts, fitted = fit_to_cutoff(train, TrainingRun(config, "daily"))
    seconds = time.perf_counter() - start
    forecaster = fitted.forecaster
    rows = forecaster.rows(forecaster.table(panel))
    origins = origins_between(rows, config.data.lookback, cuts.calibration, panel.dates[-1])
    return evaluate("daily", panel, forecaster.forecast_rows(rows, origins), PRICE), seconds


def ablations(known: Panel) -> dict[str, list[Outcome]]:
    """Each change's outcome on each fold of `known`, seed 0 where the change names no other."""
    folds = [Days(end, opponents(known, end, ("ewma",))) for end in fold_ends(known)]
    table = {}
    for label, change in ABLATIONS.items():
        left = [name for name in DAILY if name not in change]
        settings = change if len(left) == len(DAILY) else (f"data.features={left}",)
        table[label] = [trained(known, fold, 0, settings) for fold in folds]
    return table


def fold_ends(known: Panel) -> tuple[str, ...]:
    """The last days of training of the ablations."""
    return tuple(str(known.dates[-1] - np.timedelta64(round(365.25 * years), "D")) for years in FOLDS)


def closes_of(panel: Panel) -> Panel:
    """The same stocks, of whom nothing is known but the close."""
    return Panel(tuple(PriceSeries(one.name, one.dates, {PRICE: one.columns[PRICE]}) for one in panel.series))


if __name__ == "__main__":
    main()
