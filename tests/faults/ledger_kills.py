"""Kill `predict --record` at every system call: the ledger holds the whole issue or none, and tells no lie about it.

    python tests/faults/ledger_kills.py [--every N] [CASE ...]

A case is `fresh`, where there is no ledger yet, or `next`, where there is. JSON with a receipt may be printed only if
the issue is in the ledger, and the run after a kill records as if nothing had been. A call that is not made every time,
such as a file that an import looks for, may come too late for its kill.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import runpy
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from issues import faults, issue_count
from victim import Outcome, run_traced
from whole import ROOT

import stockcast.jobs.live.issue
import stockcast.model.serve  # noqa: F401 -- the child is to do nothing but record
from stockcast.cli import run
from stockcast.ledger import clock
from stockcast.ledger.connection import ledger_path
from stockcast.store.store import Store

CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "flock", "mkdir")
GOLDEN = ROOT / "tests" / "jobs" / "golden" / "schema-1"
CASES = {"fresh": 0, "next": 1}
"""How many issues are in the ledger beforehand."""

MISSED = "the kill came too late"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="only every Nth call")
    parser.add_argument("cases", nargs="*", default=list(CASES))
    arguments = parser.parse_args()
    moment = datetime.fromisoformat("2020-11-03T22:30:00+00:00")
    clock.utc_now = lambda: moment
    trials, missed, bad = 0, 0, []
    with tempfile.TemporaryDirectory() as folder:
        for case in arguments.cases:
            shop = Shop(Path(folder), case)
            for call, count in shop.counted().items():
                for number in range(1, count + 1, arguments.every):
                    trials += 1
                    fault = shop.attempt(call, number)
                    if fault == MISSED:
                        missed += 1
                    elif fault:
                        bad.append(f"{case}, {call} {number}: {fault}")
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"predict --record killed at {trials - missed} system calls ({missed} came too late): {len(bad)} bad")
    return int(bool(bad) or trials < 10 * missed + 1)


class Shop:
    """A store with a model, its prices, and perhaps a ledger; copied for each trial."""

    def __init__(self, folder: Path, case: str) -> None:
        self.template, self.store, self.folder = folder / f"{case}-template", folder / "models", folder
        self.before = CASES[case]
        make_store(self.template, folder / "acme.csv")
        self.copy()
        for _ in range(self.before):
            if record(self.store, folder / "said.json"):
                raise RuntimeError("it records nothing even when it is left alone")
        shutil.rmtree(self.template)
        shutil.copytree(self.store, self.template)

    def copy(self) -> None:
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.copytree(self.template, self.store)

    def traced(self, *options: str) -> Outcome:
        said = self.folder / "said.json"
        said.write_text("")
        return run_traced(lambda: demand(record(self.store, said)), list(options), self.folder / "trace")

    def counted(self) -> Counter[str]:
        """How often each call is made when nothing goes wrong."""
        self.copy()
        outcome = self.traced("-e", f"trace={','.join(CALLS)}")
        if outcome.code or issue_count(ledger_path(self.store)) != self.before + 1:
            raise RuntimeError(f"it fails without a fault: {outcome.message}")
        return Counter(match[1] for line in outcome.trace if (match := re.match(r"(\w+)\(", line)))

    def attempt(self, call: str, number: int) -> str | None:
        """What is wrong after a kill at the `number`th `call`, or None."""
        self.copy()
        outcome = self.traced("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        if outcome.signal is None and outcome.code == 0:
            return MISSED
        if outcome.signal != signal.SIGKILL:
            return f"the kill didn't fire (exit {outcome.code}, {outcome.message})"
        path = ledger_path(self.store)
        try:
            held = issue_count(path)
            if held not in (self.before, self.before + 1):
                return f"holds {held} issues"
            if held and (wrong := faults(path)):
                return str(wrong)
            receipt = receipt_in(self.folder / "said.json")
            if receipt is not None and receipt != held:
                return f"printed issue {receipt}, but holds {held}"
            if code := record(self.store, self.folder / "again.json"):
                return f"the next run ended with {code}"
            if issue_count(path) != held + 1 or (wrong := faults(path)):
                return f"the next run left {issue_count(path)} issues"
        except Exception as error:
            return repr(error)
        return None


def make_store(root: Path, csv: Path) -> None:
    """A golden model whose prices are in `csv`, made up as they were when it was saved."""
    shared = runpy.run_path(str(ROOT / "tests" / "conftest.py"))
    shared["_write_csv"](shared["made_up_prices"](rows=220), csv)
    bundle = Store(GOLDEN).load("acme")
    manifest = replace(bundle.manifest, csv=(str(csv),))
    store = Store(root)
    now = datetime.fromisoformat("2020-11-03T22:00:00+00:00")
    store.promote("acme", store.save("acme", replace(bundle, manifest=manifest), now), "saved", now)


def record(store: Path, said: Path) -> int:
    """`predict --record`, its JSON into a file; the exit code."""
    with said.open("w") as out, contextlib.redirect_stdout(out):
        return run(["predict", "acme", "--record", "--json", "--quiet", "--store", str(store)])


def demand(code: int) -> None:
    if code:
        raise RuntimeError(f"exit code {code}")


def receipt_in(said: Path) -> int | None:
    """The issue that the JSON names, if a whole object was printed."""
    try:
        issue: int = json.loads(said.read_text())["issue"]["issue"]
    except ValueError:
        return None
    return issue


if __name__ == "__main__":
    sys.exit(main())
