"""Take the right to read one part of one model after another away: it is named, and every other one goes on as before.

Then that to read prices, and their folder: every command ends with the same exit code.

As root, who may read everything, the commands are run without that right.

python tests/faults/unreadable.py [--every 1]    prices only if every one is tried
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

from victim import train
from whole import ROOT, write_prices

from stockcast.store.store import Store

PR_CAPBSET_DROP, DAC_OVERRIDE, DAC_READ_SEARCH = 24, 1, 2
NAMES = ("acme", "bolt", "zinc")
IO = 74
READERS = (["check"], ["train"], ["retrain", "acme"], ["backtest", "--from", "2020-06-01"])
PARTS = ("", "versions", "versions/*", "versions/*/manifest.json", "champion.json", "log.jsonl", "lock")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="try only every so manieth")
    every = parser.parse_args().every
    cases = list(product(NAMES, PARTS))[::every]
    bad: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        store = Store(scratch / "template")
        for name in NAMES:
            train(store, name, 1)
        for name, part in cases:
            bad += [f"{name}/{part}: {fault}" for fault in faults(scratch, name, part)]
        bad += nothing_withheld(scratch)
        places = ("acme.csv", "") if every == 1 else ()
        bad += [fault for place in places for fault in codes_of_unreadable_prices(scratch, place)]
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{len(cases)} times a part of one of {len(NAMES)} models was unreadable: {len(bad)} faults")
    return int(bool(bad))


def faults(scratch: Path, name: str, part: str) -> list[str]:
    """What is wrong with what the commands say of a store in which `part` of model `name` can't be read."""
    root = fresh(scratch)
    (place,) = (root / name).glob(part) if part else [root / name]
    place.chmod(0)
    found = []
    rows = said(root, "models", "list")["models"]
    if [row["name"] for row in rows] != list(NAMES):
        found.append(f"the list is {rows}")
    others = [row["name"] for row in rows if row["fault"] and row["name"] != name]
    unnamed = part not in ("log.jsonl", "lock") and not any(row["fault"] for row in rows)
    if others or unnamed:
        found.append(f"listed as faulty: {others or 'none'}")
    models = said(root, "retrain", "--all")["models"]
    if [one["name"] for one in models] != list(NAMES):
        found.append(f"retrained: {models}")
    # The prices of all are gone, which is an error of its own; whoever can't be read has another.
    codes = {one["name"]: one["exit_code"] for one in models}
    if any((code == 66) == (other == name) for other, code in codes.items()):
        found.append(f"retrained with {codes}")
    place.chmod(0o700)
    return found


def nothing_withheld(scratch: Path) -> list[str]:
    """Whether the check above can fail: with every part readable no model is faulty."""
    rows = said(fresh(scratch), "models", "list")["models"]
    return [f"without a fault: {rows}"] if any(row["fault"] for row in rows) else []


def codes_of_unreadable_prices(scratch: Path, place: str) -> list[str]:
    """What is wrong with the exit codes of the commands where the prices in a folder, or the folder, can't be read."""
    prices = scratch / "prices"
    prices.mkdir(exist_ok=True)
    write_prices(prices / "acme.csv", 200)
    csv = ["--csv", str(prices / "acme.csv")]
    (prices / place).chmod(0)
    told = {command[0]: said(fresh(scratch), *command, *csv) for command in READERS}
    (prices / place).chmod(0o700)
    codes = {name: answer.get("error", {}).get("exit_code") for name, answer in told.items()}
    verdict = told["check"].get("files", [{}])[0].get("verdict")
    wrong = {name: code for name, code in codes.items() if code != IO and not (name == "check" and verdict == "refuse")}
    return [f"unreadable {place or 'folder'}: {wrong}"] if wrong else []


def fresh(scratch: Path) -> Path:
    """A copy of the store, in the place of the one before."""
    root = scratch / "models"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(scratch / "template", root)
    return root


def said(root: Path, *arguments: str) -> dict[str, Any]:
    """The JSON of a command that may read no more than its user's files allow."""
    done = subprocess.run(
        [sys.executable, "-m", "stockcast", *arguments, "--store", str(root), "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=bind_root,
        capture_output=True,
        text=True,
        check=False,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def bind_root() -> None:
    """Root, too, gets what the modes say, from the next program on: prctl(2), capabilities(7)."""
    if os.geteuid() == 0:
        for capability in (DAC_OVERRIDE, DAC_READ_SEARCH):
            if ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError("the right to read everything can't be given up")


if __name__ == "__main__":
    sys.exit(main())
