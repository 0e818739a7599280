"""Many processes want to change one model at once: one is inside, all others are told so at once and stay small.

python tests/faults/crowd.py [--processes 64] [--limit-ms 500] [--limit-mb 60]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Stays inside until the parent has heard from everybody.
PROGRAM = """
import resource, sys, time
begin = time.perf_counter()
from pathlib import Path
from stockcast.errors import Busy
from stockcast.store.store import Store
code = 75
try:
    with Store(Path(sys.argv[1])).lock("acme"):
        code = 0
        print("inside", flush=True)
        sys.stdin.read()
except Busy as busy:
    heavy = sorted({"tensorflow", "keras", "pandas", "numpy"} & set(sys.modules))
    print(f"{time.process_time() * 1e3} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024} {heavy} {busy}")
sys.exit(code)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--limit-ms", type=float, default=500, help="processor time of each that is turned away")
    parser.add_argument("--limit-mb", type=float, default=60, help="memory of each that is turned away")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        crowd = [start(Path(folder)) for _ in range(arguments.processes)]
        said = [child.stdout.readline() if child.stdout else "" for child in crowd]
        for child in crowd:
            child.communicate()
    inside = [child for child, line in zip(crowd, said, strict=True) if line == "inside\n" and child.returncode == 0]
    away = [line.split(maxsplit=3) for child, line in zip(crowd, said, strict=True) if child.returncode == 75]
    slowest, largest = max(float(one[0]) for one in away), max(float(one[1]) for one in away)
    named = sum(f"process {inside[0].pid}" in one[3] for one in away) if inside else 0
    light = all(one[2] == "[]" for one in away)
    turned = f"{len(away)} turned away in {slowest:.0f} ms of processor time and {largest:.0f} MB at most"
    print(f"{len(crowd)} at once: {len(inside)} inside, {turned}, {named} told which process holds the lock")
    counts = (len(inside), len(away)) == (1, len(crowd) - 1)
    return int(not (counts and light and slowest <= arguments.limit_ms and largest <= arguments.limit_mb))


def start(root: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", PROGRAM, str(root)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


if __name__ == "__main__":
    sys.exit(main())
