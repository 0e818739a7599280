"""Slip a wrong row into the newest prices: it is refused with its date, and nothing is trained on it.

Then genuine leaps of a half and a double: each is refused, taken once and remembered, and the next one is asked about.

python tests/faults/wrong_rows.py [--slips 60] [--leaps 20] [--seed 0]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from whole import ROOT

from stockcast.cli import run
from stockcast.reading.reader import read_panel
from stockcast.store.manifest import SCHEMA, fingerprint
from stockcast.store.read_version import Bundle
from stockcast.store.store import Store
from stockcast.store.trained_prices import PRICES, prices_file

GOLDEN = ROOT / "tests" / "jobs" / "golden" / "schema-1"
TRAINED = 220

Row = list[Any]
"""Its date, open, high, low, close and volume."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slips", type=int, default=60)
    parser.add_argument("--leaps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    bad: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for number in range(arguments.slips):
            kind = list(SLIPS)[number % len(SLIPS)]
            bad += [f"{kind}: {fault}" for fault in slipped(fresh(home), SLIPS[kind], chance)]
        bad += [fault for number in range(arguments.leaps) for fault in leapt(fresh(home), chance, number)]
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{arguments.slips} wrong rows and {arguments.leaps} genuine leaps: {len(bad)} wrong answers")
    return int(bool(bad) or arguments.slips + arguments.leaps == 0)


def fresh(home: Path) -> Path:
    """A folder with prices of `TRAINED` rows, and a model of them that waits for more before it is judged."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    shutil.copytree(GOLDEN, home / "models")
    prices = rows(TRAINED)
    write(home, prices)
    store, now = Store(home / "models"), datetime.now(UTC)
    bundle, panel = store.load("acme"), read_panel([str(home / "acme.csv")]).panel
    scores, data = {"cutoffs": {"first": str(prices[-1][0])}}, tuple(map(fingerprint, panel.series))
    manifest = replace(
        bundle.manifest, csv=(str(home / "acme.csv"),), hints={}, data=data, scores=scores, schema=SCHEMA
    )
    saved = Bundle(manifest, {**bundle.files, PRICES: prices_file(panel)})
    store.promote("acme", store.save("acme", saved, now), "trained", now)
    return home


def rows(count: int) -> list[Row]:
    """A random walk on weekdays, the same one every time."""
    steps, day, close, made = random.Random(1), date(2020, 1, 1), 100.0, list[Row]()
    while len(made) < count:
        if day.weekday() < 5:
            opening, close = close, close * (1 + steps.gauss(0, 0.01))
            high, low = max(opening, close) * 1.004, min(opening, close) * 0.996
            made.append([day, opening, high, low, close, 10_000])
        day += timedelta(days=1)
    return made


def write(home: Path, prices: list[Row]) -> None:
    lines = [f"{row[0]},{','.join(f'{value:.4f}' for value in row[1:5])},{row[5]}" for row in prices]
    (home / "acme.csv").write_text("\n".join(["Date,Open,High,Low,Close,Volume", *lines]) + "\n")


def told(home: Path, *command: str) -> dict[str, Any]:
    """The JSON of a command, with its exit code as `code`."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = run([*command, "--store", str(home / "models"), "--json"])
    return {**json.loads(out.getvalue()), "code": code}


def _later(row: Row, chance: random.Random) -> None:
    row[0] = date.today().replace(day=1) + timedelta(days=chance.randrange(60, 9000))  # noqa: DTZ011 -- as the checks do


def _close_times(factor: float) -> Callable[[Row, random.Random], None]:
    def slip(row: Row, chance: random.Random) -> None:
        row[4] *= factor * chance.uniform(0.95, 1.05)

    return slip


SLIPS: Mapping[str, Callable[[Row, random.Random], None]] = {
    "a date to come": _later,
    "a close ten times its high": _close_times(10),
    "a close a tenth of its low": _close_times(0.1),
    "a close in cents": _close_times(100),
    "a close in hundreds": _close_times(0.01),
}


def slipped(home: Path, slip: Callable[[Row, random.Random], None], chance: random.Random) -> list[str]:
    """What is wrong with the answers to a slip in the newest row, and after it was mended."""
    prices, mended = (rows(TRAINED + chance.randrange(1, 6)) for _ in range(2))
    prices, mended = prices[: len(mended)], mended[: len(prices)]
    slip(prices[-1], chance)
    write(home, prices)
    before = (home / "models" / "acme" / "champion.json").read_bytes()
    wrong = []
    for command in (["predict", "acme"], ["retrain", "acme"], ["retrain", "acme", "--force"], ["plot", "acme"]):
        answer = told(home, *command)
        if answer["code"] != 65 or str(prices[-1][0]) not in answer["error"]["message"]:
            wrong.append(f"{command} said {answer}")
    fleet = {one["name"]: one["exit_code"] for one in told(home, "retrain", "acme", "level")["models"]}
    if fleet["acme"] != 65:
        wrong.append(f"in a fleet: {fleet}")
    if (home / "models" / "acme" / "champion.json").read_bytes() != before:
        wrong.append("the pointer has changed")
    write(home, mended)
    codes = {command: told(home, command, "acme")["code"] for command in ("predict", "retrain")}
    wrong += [f"mended: {codes}"] if any(codes.values()) else []
    return wrong


def leapt(home: Path, chance: random.Random, number: int) -> list[str]:
    """What is wrong with the answers to two genuine leaps, one after the other."""
    first = TRAINED + chance.randrange(0, 4)
    second = first + chance.randrange(3, 8)
    factors = [chance.choice((0.5, 2.0)) for _ in range(2)]
    takes, wrong = ("predict", "retrain")[number % 2], []

    def night(count: int, leaps: list[tuple[int, float]], expected: int, *accept: str) -> None:
        prices = rows(count)
        for at, factor in leaps:
            for row in prices[at:]:
                row[1:5] = [value * factor for value in row[1:5]]
        write(home, prices)
        commands = [[takes, "acme", "--accept", *accept]] if accept else [["predict", "acme"], ["retrain", "acme"]]
        for command in commands:
            answer = told(home, *command)
            if answer["code"] != expected:
                wrong.append(f"{command} after {leaps} ended with {answer}")

    night(first + 1, [(first, factors[0])], 65)
    night(first + 1, [(first, factors[0])], 0, "splits")
    night(second, [(first, factors[0])], 0)
    both = [(first, factors[0]), (second, factors[1])]
    night(second + 1, both, 65)
    night(second + 1, both, 0, "splits")
    night(second + 2, both, 0)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
