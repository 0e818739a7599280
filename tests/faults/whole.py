"""Whole runs of the program, on a model so small that importing TensorFlow is most of its training.

Imports the standard library alone: a child's memory is counted from its parent's.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SETTINGS = ("model.units=[4]", "fit.epochs=1", "fit.warmup=2", "data.lookback=10", "data.horizon=2", "gate.tolerance=1")
"""The tolerance lets every sound challenger pass: which is the better of two such models is not at issue here."""

GOLDEN_PRICES = ROOT / "tests" / "jobs" / "golden" / "acme.csv"
"""What the saved models of older versions were trained on, and five sessions more."""

ROWS, LATER = 200, 215


@dataclass(frozen=True)
class Model:
    """A trained model called acme: its prices and its store."""

    csv: Path
    store: Path

    def start(self, *arguments: str, around: tuple[str, ...] = (), **options: Any) -> subprocess.Popen[str]:
        """Start stockcast on the model's store, perhaps under another program that goes `around` it."""
        command = [*around, sys.executable, "-m", "stockcast", "--store", str(self.store), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1, text=True, **options
        )

    def told(self, *arguments: str, around: tuple[str, ...] = ()) -> dict[str, Any]:
        """The JSON of a run that must succeed."""
        run = self.start("--json", *arguments, around=around)
        out, err = run.communicate()
        if run.returncode:
            raise RuntimeError(f"{arguments} ended with {run.returncode}: {err}")
        answer: dict[str, Any] = json.loads(out)
        return answer

    def grow(self, rows: int = LATER) -> None:
        """Let the prices have so many rows; those there were stay as they are."""
        write_prices(self.csv, rows)

    def copied(self, store: Path) -> Model:
        """The same model in another store, in the place of what was there."""
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(self.store, store)
        return Model(self.csv, store)


def make_model(folder: Path, *settings: str, around: tuple[str, ...] = ()) -> Model:
    """Train a model on `ROWS` made-up prices, perhaps under another program that goes `around` it."""
    folder.mkdir(exist_ok=True)
    model = Model(folder / "acme.csv", folder / "models")
    model.grow(ROWS)
    flags = [part for setting in (*SETTINGS, *settings) for part in ("--set", setting)]
    model.told("train", "--csv", str(model.csv), *flags, around=around)
    return model


def write_prices(path: Path, rows: int) -> None:
    """A random walk on weekdays, the same one every time."""
    steps = random.Random(0)
    day, price = date(2020, 1, 1), 100.0
    lines = ["Date,Close"]
    while len(lines) <= rows:
        if day.weekday() < 5:
            price *= 1 + steps.gauss(0, 0.01)
            lines.append(f"{day},{price:.2f}")
        day += timedelta(days=1)
    path.write_text("\n".join(lines) + "\n")
