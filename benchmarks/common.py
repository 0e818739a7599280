"""What the benchmarks share: contenders that take turns, and processes that are measured whole.

Nothing large is imported here: Linux counts what the parent holds among what a child has held at most.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Sample:
    """One run: wall-clock and processor seconds, the most memory in MB where it was measured, and what it printed.

    On a busy machine wall-clock time tells more of the others than of the run; processor time and the ratios of runs
    that took turns tell less of them.
    """

    seconds: float
    processor: float
    megabytes: float = float("nan")
    said: str = ""


def rounds_wanted(description: str | None, rounds: int = 5) -> int:
    """The command line that most benchmarks have: `--rounds N`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds)
    wanted: int = parser.parse_args().rounds
    return wanted


def alternate(contenders: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, list[Sample]]:
    """Run all contenders in turn, round after round, so that a busy machine is as unkind to one as to the other."""
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            samples[name].append(run())
    return samples


def process(*arguments: str, code: int = 0) -> Callable[[], Sample]:
    """A run of this interpreter with `arguments`, as a whole process that must end with `code`."""
    return program(sys.executable, *arguments, code=code)


def program(*command: str, code: int = 0) -> Callable[[], Sample]:
    """A run of any program, in the repository's folder, as a whole process that must end with `code`."""

    def run() -> Sample:
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complaint:
            start = time.perf_counter()
            with subprocess.Popen(command, stdout=said, stderr=complaint, cwd=ROOT) as child:
                _, status, used = os.wait4(child.pid, 0)
                seconds = time.perf_counter() - start
                child.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            complaint.seek(0)
            if child.returncode != code:
                raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}: {complaint.read()[-500:]}")
            return Sample(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said.read())

    return run


def inside(work: Callable[[], object]) -> Callable[[], Sample]:
    """A piece of work in this process."""

    def run() -> Sample:
        start, used = time.perf_counter(), time.process_time()
        work()
        return Sample(time.perf_counter() - start, time.process_time() - used)

    return run


def table(samples: Mapping[str, Sequence[Sample]], reference: str) -> str:
    """Medians, the least and the most, and the median over the rounds of each one's ratio to `reference`."""
    rounds = len(samples[reference])
    name_width = max(len(name) for name in [*samples, f"medians of {rounds} rounds"])
    head = f"{f'medians of {rounds} rounds':{name_width}}  seconds     least-most   ratio  processor s   ratio    MB"
    lines = [head, "-" * len(head)]
    for name, mine in samples.items():
        seconds = [one.seconds for one in mine]
        spread = f"{min(seconds):.3f}-{max(seconds):.3f}"
        ratio, processor = (ratio_of(mine, samples[reference], key) for key in ("seconds", "processor"))
        used, memory = (statistics.median(getattr(one, key) for one in mine) for key in ("processor", "megabytes"))
        megabytes = f"{memory:6.0f}" if memory == memory else ""
        lines.append(
            f"{name:{name_width}}  {statistics.median(seconds):7.3f}  {spread:>13}  {ratio:6.3f}  {used:11.3f}  "
            f"{processor:6.3f}{megabytes}".rstrip()
        )
    return "\n".join(lines)


def ratio_of(mine: Sequence[Sample], others: Sequence[Sample], key: str) -> float:
    """The median over the rounds of one contender's `key` to another's."""
    ratio: float = statistics.median(
        getattr(one, key) / getattr(other, key) for one, other in zip(mine, others, strict=True)
    )
    return ratio
