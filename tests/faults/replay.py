"""Replay the past through the real commands: `score` must say what `backtest` says of the same forecasts.

    python tests/faults/replay.py [--sessions N] [--full] [--show PICTURE]

A model of IBM is trained once. Then day after day a row is appended to its file, `predict --record` issues a forecast,
and every twenty days `score` looks at what has come. Four dividends and a split are worked into the whole file on their
days, as providers of adjusted prices do. At the end `backtest` judges the same network on the newest file, which shows
the past as it is told then: every figure that both have must agree to 1e-9.

The network of the backtest is the one that was saved: its forecasts are made anew from the newest file, each from the
rows up to its origin, and put where an interrupted backtest would have left them. Keras' own would differ by its
rounding to 32 bits.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.cli import run
from stockcast.config.run import load_config
from stockcast.data.forecast import Forecast
from stockcast.data.series import Panel, PriceSeries
from stockcast.data.volatility import VOLATILITY_WARMUP
from stockcast.evaluate.walk_forward import walk
from stockcast.jobs import new_version
from stockcast.jobs.live.opponents import AVAILABLE
from stockcast.jobs.loaded import open_model
from stockcast.ledger import clock
from stockcast.reading.reader import read_panel
from stockcast.store.fold_cache import FoldCache

IBM = Path(__file__).parents[2] / "data" / "ibm.csv"
FIRST = np.datetime64("2011-03-01")
QUICK = {"fit.epochs": 1, "model.units": [4], "fit.windows": 500}
EVERY = 20
CLOSE_TO = 1e-9
EVENTS = {0.1: 0.996, 0.3: 0.993, 0.5: 0.5, 0.7: 0.995, 0.9: 0.9955}
"""What the rows before are multiplied by, from that share of the replay on: four dividends, and two shares for one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=504, help="two years")
    parser.add_argument("--full", action="store_true", help="train the preset as it is, not a small and quick network")
    parser.add_argument(
        "--show", metavar="PICTURE", type=Path, help="print what score says at the end, and draw the record"
    )
    arguments = parser.parse_args()
    picture = arguments.show and arguments.show.resolve()
    new_version.COMING_SESSIONS = arguments.sessions + 250  # it is trained once, for longer than a year
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        replayed = Replay(arguments.sessions, {} if arguments.full else QUICK)
        replayed.train()
        replayed.live()
        scored = asked("score", "ibm")["models"][0]
        evaluated = replayed.backtest()
        if picture:
            run(["score", "ibm"])
            run(["plot", "ibm", "--kind", "record", "-o", str(picture)])
    figures = list(differences(scored, evaluated, ""))
    bad = [f"{name}: score {mine!r}, backtest {other!r}" for name, mine, other, gap in figures if not gap <= CLOSE_TO]
    print(*bad, sep="\n", end="\n" if bad else "")
    largest = max(gap for *_, gap in figures)
    print(
        f"{arguments.sessions} sessions replayed: {len(figures)} figures of score and backtest, {len(bad)} apart by "
        f"more than {CLOSE_TO:g}; the largest difference is {largest:.1e}"
    )
    return int(bool(bad) or len(figures) < 300 or scored["counts"]["late"] > 0)


class Replay:
    """IBM's prices as they are told at the end, and how they were told on each day before."""

    def __init__(self, sessions: int, changed: dict[str, Any]) -> None:
        (self.final,) = read_panel([str(IBM)]).panel.series
        self.begin = int(np.searchsorted(self.final.dates, FIRST))
        self.end = self.begin + sessions
        self.final = upto(self.final, self.end)
        steps = {self.begin + round(share * sessions): factor for share, factor in EVENTS.items()}
        rows = np.arange(len(self.final))
        self.scale = np.prod([np.where(rows < row, 1 / factor, 1.0) for row, factor in steps.items()], axis=0)
        self.changed = changed
        self.settings = [word for key, value in changed.items() for word in ("--set", f"{key}={value}")]

    def train(self) -> None:
        """Once, on what was known before the first session; there are no later rows yet to judge it on."""
        write(upto(self.final, self.begin))
        until = str(self.final.dates[self.begin - 1])
        told("train", "--csv", "ibm.csv", *self.settings, "--set", f"split.until={until}")

    def live(self) -> None:
        """Day after day: a row more, the file as it was told then, a forecast, and now and then a look back."""
        for row in range(self.begin, self.end):
            write(scaled(upto(self.final, row + 1), self.scale[row]))
            at(self.final.dates[row])
            told("predict", "ibm", "--record")
            if (row - self.begin) % EVERY == EVERY - 1:
                told("score", "ibm")

    def backtest(self) -> dict[str, Any]:
        """What `backtest` says of the saved network on the newest file."""
        config = load_config("daily", self.changed)
        panel, first = Panel((self.final,)), self.final.dates[self.begin]
        data = config.data
        (fold,) = walk(panel, first, 2 * (data.lookback + data.horizon), data.lookback + VOLATILITY_WARMUP)
        FoldCache(Path("models/.backtests"), panel).save(config.digest(), fold, self.served(fold.origins[0]))
        against = ",".join(AVAILABLE)
        return asked("backtest", "--csv", "ibm.csv", *self.settings, "--from", str(first), "--against", against)

    def served(self, rows: Any) -> Forecast:
        """The saved network's forecasts from `rows`, each from the rows up to it, one by one."""
        forecaster = open_model(Path("models"), "ibm").forecaster
        parts = [forecaster.forecast(Panel((upto(self.final, row + 1),)), [np.array([row])]) for row in rows]
        last, point, quantiles = (
            np.concatenate([getattr(part, key) for part in parts]) for key in ("last", "point", "quantiles")
        )
        return Forecast(np.zeros(len(rows), dtype=np.int64), rows, last, point, quantiles)


def upto(series: PriceSeries, rows: int) -> PriceSeries:
    columns = {key: values[:rows] for key, values in series.columns.items()}
    return replace(series, dates=series.dates[:rows], columns=columns)


def scaled(series: PriceSeries, factor: float) -> PriceSeries:
    columns = {key: values / factor if key == "volume" else values * factor for key, values in series.columns.items()}
    return replace(series, columns=columns)


def write(series: PriceSeries) -> None:
    """As ibm.csv, every number with all its digits: what is rounded to cents could not agree to 1e-9."""
    head = ",".join(["Date", *(key.capitalize() for key in series.columns)])
    rows = zip(series.dates.astype(str).tolist(), *(one.tolist() for one in series.columns.values()), strict=True)
    lines = [f"{day},{','.join(map(repr, values))}" for day, *values in rows]
    Path("ibm.csv").write_text("\n".join([head, *lines]) + "\n")


def at(day: np.datetime64) -> None:
    """Let it be that day, after the close of New York."""
    moment = datetime.fromisoformat(f"{day}T22:30:00+00:00")
    clock.utc_now = lambda: moment


def told(*command: str) -> str:
    """What a command prints that must succeed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*command, "--quiet"])
    if code or err.getvalue():
        raise RuntimeError(f"{command} ended with {code}: {err.getvalue()}{out.getvalue()}")
    return out.getvalue()


def asked(*command: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(told(*command, "--json"))
    return answer


def differences(mine: Any, other: Any, name: str) -> Iterator[tuple[str, Any, Any, float]]:
    """Each figure that both have, and how far apart they are, in units of the figure where it is above 1."""
    if isinstance(mine, dict) and isinstance(other, dict):
        for key in mine.keys() & other.keys():
            yield from differences(mine[key], other[key], f"{name}.{key}")
    elif isinstance(mine, list) and isinstance(other, list):
        if len(mine) != len(other):
            yield name, len(mine), len(other), math.inf
        for index, (one, two) in enumerate(zip(mine, other, strict=False)):
            yield from differences(one, two, f"{name}[{index}]")
    elif isinstance(mine, int | float) and isinstance(other, int | float):
        yield name, mine, other, abs(mine - other) / max(1.0, abs(other))
    elif name.rpartition(".")[2] not in ("name", "model", "series", "seeds", "rows", "failures"):
        yield name, mine, other, 0.0 if mine == other else math.inf


if __name__ == "__main__":
    sys.exit(main())
