"""Many retrainings of one model at once: one is inside, all others are told so at once and stay small.

The one inside is stopped until all others have ended, so that each of them finds the lock held. Their seconds are of
processor time, since so many share what processors there are; then one more is timed by the clock on the wall.

python tests/faults/retrain_crowd.py [--processes 64] [--limit-s 0.5] [--limit-mb 60]
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from whole import Model, make_model

LOCKS = Path("/proc/locks")
PATIENCE = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--limit-s", type=float, default=0.5, help="processor time of each that is turned away")
    parser.add_argument("--limit-mb", type=float, default=60, help="memory of each that is turned away")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(Path(folder))
        model.grow()
        crowd = [model.start("--quiet", "retrain", "acme") for _ in range(arguments.processes)]
        inside = stop_the_holder(model)
        ends = [ended(child) for child in crowd if child.pid != inside]
        wall = seconds_of_one_more(model)
        os.kill(inside, signal.SIGCONT)
        (holder,) = [child for child in crowd if child.pid == inside]
        holder.communicate()
        runs = len((model.store / "acme" / "log.jsonl").read_text().splitlines()) - 1
    codes = Counter(code for code, _, _ in ends)
    slowest, largest = max(seconds for _, seconds, _ in ends), max(megabytes for _, _, megabytes in ends)
    print(
        f"{len(crowd)} retrainings at once: {runs} inside, which ended with {holder.returncode}; the others ended with "
        f"{dict(codes)} after {slowest:.2f} s of processor time and with {largest:.0f} MB at most; one more took "
        f"{wall:.2f} s in all"
    )
    sound = runs == 1 and holder.returncode == 0 and codes == {75: arguments.processes - 1}
    return int(not (sound and slowest <= arguments.limit_s and largest <= arguments.limit_mb))


def stop_the_holder(model: Model) -> int:
    """Wait until a process holds the model's lock, and stop it; its id. Raises if nobody ever holds it."""
    begin = time.monotonic()
    file = f":{(model.store / 'acme' / 'lock').stat().st_ino}"
    while time.monotonic() < begin + PATIENCE:
        held = (line.split() for line in LOCKS.read_text().splitlines())
        for _, kind, _, _, process, where, *_ in held:
            if kind == "FLOCK" and where.endswith(file):
                os.kill(int(process), signal.SIGSTOP)
                return int(process)
        time.sleep(0.001)
    raise RuntimeError("nobody holds the lock")


def ended(child: subprocess.Popen[str]) -> tuple[int, float, float]:
    """Its exit code, its seconds of processor time, and its megabytes."""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.communicate()
    return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def seconds_of_one_more(model: Model) -> float:
    """How long one takes that comes when the crowd is gone: the best of three, on a machine that may be busy."""
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        model.start("--quiet", "retrain", "acme").communicate()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


if __name__ == "__main__":
    sys.exit(main())
