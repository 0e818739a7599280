"""Many processes record while others score: nothing is lost, nobody is turned away, and nobody waits long.

python tests/faults/ledger_crowd.py [--recorders 8] [--scorers 4] [--times 1000] [--limit-s 5]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
from issues import MONDAY, faults, issue_count, make_model

from stockcast.ledger.connection import consult
from stockcast.ledger.live_record import read_record
from stockcast.ledger.outcomes import keep_outcomes
from stockcast.ledger.record import append_issue
from stockcast.ledger.schema import STEPS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recorders", type=int, default=8)
    parser.add_argument("--scorers", type=int, default=4)
    parser.add_argument("--times", type=int, default=1000, help="that each of them records or scores")
    parser.add_argument("--limit-s", type=float, default=5, help="the longest that anybody may wait")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        append_issue(path, [make_model("scored", steps=200)])
        work = [recording(path, f"model{number}") for number in range(arguments.recorders)]
        work += [scoring(path)] * arguments.scorers
        children = [started(one, arguments.times, Path(folder) / f"wait{at}") for at, one in enumerate(work)]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        longest = max(float(file.read_text()) for file in Path(folder).glob("wait*"))
        lost = 1 + arguments.recorders * arguments.times - issue_count(path)
        kept = consult(path, lambda found: found.execute("SELECT count(*) FROM outcome").fetchone()[0])
        wrong = faults(path)
    bad = sum(code != 0 for code in codes)
    print(
        f"{arguments.recorders} recorded and {arguments.scorers} scored {arguments.times} times each: {bad} failed, "
        f"{lost} issues lost, {len(wrong)} faults, {kept} outcomes; the longest wait was {longest:.2f} s"
    )
    return int(bool(bad or lost or wrong) or longest > arguments.limit_s or kept != min(200, arguments.times))


def recording(path: Path, model: str) -> Callable[[int], object]:
    """Record an issue of the model, each from an origin of its own."""
    return lambda number: append_issue(path, [make_model(model, origin=np.busday_offset(MONDAY, number))])


def scoring(path: Path) -> Callable[[int], object]:
    """Read a record, and keep the outcome of one forecast more."""

    def score(number: int) -> None:
        record = consult(path, lambda connection: read_record(connection, "scored", "close"))
        if record is None or np.isfinite(record.move).sum() < min(number, 200):
            raise RuntimeError("an outcome that was kept is gone")
        keep_outcomes(path, [(STEPS + number % 200 + 1, 0.001 * number)], [])

    return score


def started(work: Callable[[int], object], times: int, told: Path) -> int:
    """Do `work` so many times in a child process, which tells how long the slowest took."""
    child = os.fork()
    if child:
        return child
    slowest = 0.0
    try:
        for number in range(times):
            begin = time.perf_counter()
            work(number)
            slowest = max(slowest, time.perf_counter() - begin)
    except BaseException:  # a fork must not run on into the parent's code
        traceback.print_exc()
        os._exit(1)
    finally:
        told.write_text(str(slowest))
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
