"""Programs in several environments that take turns: each trains on, epoch by epoch, when it is told to.

The driver starts all `Contender`s and gives each in turn a line; a contender calls `Turns.over` after each epoch of
its library's own training loop, which reports that epoch's seconds and blocks until the next line comes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks.common import ROOT, Sample


class Turns:
    """The contender's side. Nobody else may write to standard output; what a library writes there goes to the other."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self.answers = os.dup(1)  # a number: some libraries copy all that they are given, and no file can be copied
        os.dup2(2, 1)
        self.start = self.used = 0.0

    def over(self) -> None:
        """The epoch is over: report it, and wait for the next turn. The process ends where no more turns come."""
        seconds, processor = time.perf_counter() - self.start, time.process_time() - self.used
        os.write(self.answers, f"{seconds} {processor}\n".encode())
        if not sys.stdin.readline():
            os._exit(0)
        self.start, self.used = time.perf_counter(), time.process_time()


class Contender:
    """The driver's side of one program; `prepare` waits until it has learned an epoch that isn't counted."""

    def __init__(self, *command: str) -> None:
        self.command = command
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- open as long as the program runs
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True
        )

    def epoch(self) -> Sample:
        """The next epoch's seconds."""
        if self.process.stdin is None:
            raise RuntimeError("there is no pipe to the contender")
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.prepare()

    def prepare(self) -> Sample:
        """The epoch that is under way. Raises `RuntimeError` with what the program said if it ended instead."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            self.said.seek(0)
            raise RuntimeError(f"{' '.join(self.command)} ended: {self.said.read()[-2000:]}")
        seconds, processor = line.split()
        return Sample(float(seconds), float(processor))

    def close(self) -> None:
        """Let it end."""
        self.process.communicate()
        self.said.close()


def start_all(commands: Sequence[tuple[str, ...]]) -> list[Contender]:
    """Start the programs one after the other, so that none prepares while another does."""
    contenders = []
    for command in commands:
        contenders.append(Contender(*command))
        contenders[-1].prepare()
    return contenders
