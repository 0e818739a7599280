"""Check that this checkout gives the results of another revision, byte for byte, but for times and versions.

    python tools/same_results.py --base REVISION [--panel FOLDER]

Both revisions train and predict with the same Python on data/ibm.csv and on a panel of five series (made-up ones where
no folder is given) with `daily` as it is, and on data/ibm.csv with each preset at one epoch. What `train --json` and
`predict --json` print is compared, failures included, and the forecasts that each model was judged on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.beside import other_checkout  # noqa: E402 -- the checkout's own
from benchmarks.prices import write_panel  # noqa: E402

TIME_OR_VERSION = re.compile(r'"(seconds|version)": ("[^"]*"|[\d.]+)')
SERIES, SESSIONS = 5, 900


def main() -> int:
    """Compare, a line a run; the exit code says whether all are equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, metavar="REVISION", help="the revision to compare with")
    parser.add_argument("--panel", type=Path, metavar="FOLDER", help="five CSV files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        panel = given.panel.resolve() if given.panel else write_panel(folder / "of5", SERIES, SESSIONS)
        with other_checkout(given.base, folder / "base") as base:
            differing = [name for name, same in compared(base, panel, folder) if not same]
    print(f"differing: {', '.join(differing)}" if differing else "all are equal, but for times and versions")
    return int(bool(differing))


def compared(base: Path, panel: Path, folder: Path) -> Iterator[tuple[str, bool]]:
    """Whether each run gives the same from both checkouts."""
    for name, arguments in runs(base, panel):
        mine, theirs = (results(tree, folder / label, arguments) for tree, label in ((ROOT, "mine"), (base, "theirs")))
        same = mine == theirs
        print(f"{'equal    ' if same else 'DIFFERENT'}  {name}", flush=True)
        yield name, same


def runs(base: Path, panel: Path) -> Iterator[tuple[str, list[str]]]:
    """What is trained: a name, and the arguments of `train`."""
    ibm = str(ROOT / "data" / "ibm.csv")
    yield "daily on ibm", ["--csv", ibm]
    yield "daily on five series", ["--csv", str(panel)]
    for preset in sorted(path.stem for path in (base / "configs").glob("*.toml")):
        yield f"{preset} on ibm, one epoch", ["--csv", ibm, "--config", preset, "--set", "fit.epochs=1"]


def results(tree: Path, store: Path, arguments: list[str]) -> list[str]:
    """What a checkout prints of a training and its forecast, and the forecasts that it judged."""
    commands = (["train", "--json", "--name", "one", *arguments], ["predict", "one", "--json"])
    printed = [TIME_OR_VERSION.sub(r'"\1": 0', run(tree, ["--store", str(store), *command])) for command in commands]
    evaluated = sorted(store.glob("one/versions/*/backtest.csv"))
    rows = evaluated[-1].read_text(encoding="utf-8") if evaluated else ""
    shutil.rmtree(store, ignore_errors=True)
    return [*printed, rows]


def run(tree: Path, arguments: list[str]) -> str:
    """What `stockcast ARGUMENTS` of a checkout prints, which must be one JSON object."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "stockcast", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tree)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    json.loads(done.stdout)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
