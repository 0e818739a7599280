"""Kill `fetch`, or deny it space, at every system call; kill a long one at random, and let it go on until it is done.

    python tests/faults/fetch.py [--every N] [--symbols N] [--kills N]

A server in this process answers in the providers' form. After a fault a symbol's rows and facts are the old pair or the
new one, the next run brings them up to date, and nothing is left lying about. Of many symbols, each that was written
before a kill is not asked for again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from loopback import Loopback, made_up_stock, pointed_at, weekdays
from victim import Outcome, run_traced

import stockcast.jobs.fetch
import stockcast.jobs.fetching.probe  # noqa: F401 -- the child is to import nothing
from stockcast.cli import run
from stockcast.fetch import pace, tiingo, transport, yahoo  # noqa: F401 -- the same
from stockcast.jobs.fetching.symbol_files import load_symbol
from stockcast.ledger import clock

CALLS = ("openat", "write", "fsync", "rename", "mkdir", "unlink", "flock", "ftruncate")
FULL = ("openat", "write", "fsync", "rename")
EVENING = datetime(2024, 3, 1, 22, tzinfo=UTC)
MISSED = "the fault came too late"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="only every Nth call")
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--child", nargs=2, metavar=("BASE", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ["no_proxy"] = "127.0.0.1"
    if arguments.child:
        return child(arguments.child[0], arguments.child[1], arguments.symbols)
    os.environ["TIINGO_API_KEY"] = "a-token"
    with tempfile.TemporaryDirectory() as folder:
        bad = at_every_call(Path(folder), arguments.every)
        bad += of_many(Path(folder), arguments.symbols, arguments.kills)
    print(*bad, sep="\n", end="\n" if bad else "")
    return int(bool(bad))


class Night:
    """A folder with one symbol as it was yesterday evening, and a server that has a dividend and a new row today."""

    def __init__(self, scratch: Path) -> None:
        self.server = Loopback()
        days = weekdays(date(2023, 1, 3), 300)
        stock = self.server.stocks["ACME"] = made_up_stock(days)
        self.template, self.folder, self.trace = scratch / "template", scratch / "prices", scratch / "trace"
        self.moment = EVENING - timedelta(days=1)
        clock.utc_now = lambda: self.moment
        self.server.now = lambda: self.moment
        tiingo.BASE = self.server.base
        setattr(pace, "sleep", lambda _: None)  # noqa: B010 -- it is the time module's own
        demand(self.fetch(self.template))
        self.before = pair(self.template)
        stock.dividends[days[291]] = 0.5
        self.moment = EVENING
        self.copy()
        demand(self.fetch(self.folder))
        self.after = pair(self.folder)

    def fetch(self, folder: Path) -> int:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return run(["fetch", "ACME", "--from", "tiingo", "--to", str(folder), "--json"])

    def copy(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.template, self.folder)

    def traced(self, *options: str) -> Outcome:
        self.copy()
        return run_traced(lambda: demand(self.fetch(self.folder)), list(options), self.trace)

    def counted(self) -> Counter[str]:
        """How often each call is made when nothing goes wrong."""
        outcome = self.traced("-e", f"trace={','.join(CALLS)}")
        if outcome.code:
            raise RuntimeError(f"it fails without a fault: {outcome.message}")
        return Counter(match[1] for line in outcome.trace if (match := re.match(r"(\w+)\(", line)))

    def fault_of(self, call: str, fault: str, number: int) -> str | None:
        """What is wrong after a fault at the `number`th `call`, or None."""
        outcome = self.traced("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}")
        if outcome.signal is None and outcome.code == 0 and pair(self.folder) == self.after:
            return MISSED
        if outcome.code == 70 and not re.search(r"exit code 7[34]", outcome.message):
            return f"it ended with 70: {outcome.message}"
        if pair(self.folder) not in (self.before, self.after):
            return "neither the old pair nor the new one"
        if code := self.fetch(self.folder):
            return f"the next run ended with {code}"
        if pair(self.folder) != self.after:
            return "the next run did not bring it up to date"
        left = sorted(path.name for path in self.folder.iterdir())
        return f"left lying about: {left}" if left != [".lock", "ACME.csv", "ACME.json"] else None


def pair(folder: Path) -> tuple[bytes, str]:
    """The rows, and what the facts that belong to them say of actions; raises if none belong to them."""
    kept = load_symbol(folder, "ACME")
    if kept is None:
        raise RuntimeError("the rows are gone")
    return (folder / "ACME.csv").read_bytes(), str(dict(kept.history.dividends))


def demand(code: int) -> None:
    if code:
        raise RuntimeError(f"exit code {code}")


def at_every_call(scratch: Path, step: int) -> list[str]:
    night = Night(scratch)
    counted = night.counted()
    kinds = [("killed", "signal=KILL", CALLS), ("no space", "error=ENOSPC", FULL)]
    bad, trials, missed = [], 0, 0
    for what, fault, calls in kinds:
        for call in calls:
            for number in range(1, counted[call] + 1, step):
                trials += 1
                try:
                    wrong = night.fault_of(call, fault, number)
                except Exception as error:
                    wrong = repr(error)
                if wrong == MISSED:
                    missed += 1
                elif wrong:
                    bad.append(f"{what} at {call} {number}: {wrong}")
    night.server.close()
    print(f"fetch killed, or without space, at {trials - missed} system calls ({missed} came too late): {len(bad)} bad")
    return bad or ([] if trials > 2 * missed else ["hardly any fault fired"])


def of_many(scratch: Path, count: int, kills: int) -> list[str]:
    """Fetch so many symbols from Yahoo's pages through yfinance, with so many kills in between."""
    server, folder = Loopback(), scratch / "many"
    server.now = lambda: EVENING
    days = weekdays(date(2023, 10, 2), 106)
    server.stocks = {name: made_up_stock(days, seed) for seed, name in enumerate(names(count))}
    chance, bad, ended = random.Random(0), [], 0
    for number in range(kills + 1):
        command = [sys.executable, __file__, "--symbols", str(count), "--child", server.base, str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        goal = len(written(folder)) + chance.randrange(max(1, 2 * count // (kills + 1)))
        while number < kills and process.poll() is None and len(written(folder)) < goal:
            time.sleep(0.002)
        if number < kills and process.poll() is None:
            process.kill()
            ended += 1
        out, _ = process.communicate()
        for name in sorted({path.stem for path in folder.glob("*.csv")}) if folder.exists() else []:
            try:
                load_symbol(folder, name)
            except Exception as error:
                bad.append(f"{name} after kill {number}: {error!r}")
    demand(process.returncode)
    outcomes = Counter(one["outcome"] for one in json.loads(out)["symbols"])
    asked = Counter({name: len(server.charts(name)) for name in names(count)})
    again = sum(times - 1 for times in asked.values())
    bad += [] if min(asked.values()) == 1 else ["a symbol was never asked for"]
    bad += [f"{again} asked for again after {ended} kills"] if again > ended else []
    server.close()
    said = f"{count} symbols fetched through {ended} kills, {again} of them asked for again"
    print(f"{said}: {len(bad)} bad; {dict(outcomes)}")
    return bad


def names(count: int) -> list[str]:
    return [f"S{number:03}" for number in range(count)]


def written(folder: Path) -> list[Path]:
    return list(folder.glob("*.json")) if folder.exists() else []


def child(base: str, folder: str, count: int) -> int:
    """One run over all symbols, which doesn't wait between requests."""
    import yfinance

    yfinance.set_tz_cache_location(f"{folder}-cache")
    yahoo.new_session = pointed_at(base)
    setattr(pace, "sleep", lambda _: None)  # noqa: B010 -- it is the time module's own
    clock.utc_now = lambda: EVENING
    return run(["fetch", *names(count), "--to", folder, "--json", "--quiet"])


if __name__ == "__main__":
    sys.exit(main())
