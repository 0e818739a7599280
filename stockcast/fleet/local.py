"""Workers beside the client: processes that are started when they are needed, and live on from task to task."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from contextlib import suppress
from queue import LifoQueue
from threading import Lock
from time import monotonic

from stockcast.errors import StockcastError, WorkerLost, crashed
from stockcast.fleet.worker import ANSWER, LENGTH

RETRIES = 2
"""So many more workers get a task whose worker was killed."""

GROWTH, AT_REST = 1.1, 840 << 20
"""A worker that holds more than this many bytes, and so many times what it held after its first task, is replaced."""

_CHUNK = 1 << 20
_FAREWELL = 2.0


class LocalWorkers:
    """So many worker processes: see `Engine`."""

    own = True

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._every = [_Slot() for _ in range(workers)]
        self._free: LifoQueue[_Slot] = LifoQueue()  # the last one used comes first: few tasks start few processes
        for slot in self._every:
            self._free.put(slot)
        self._stopped = False
        self._lock = Lock()

    @property
    def window(self) -> int:
        """A task for each worker, and one that is ready when it ends."""
        return 2 * self.workers

    def run(self, task: bytes, patience: float) -> bytes:
        """The result of a task, from whichever worker is free first: see `Engine`."""
        slot = self._free.get()
        try:
            return self._answer(slot, task, patience, RETRIES)
        finally:
            self._free.put(slot)

    def stop(self) -> None:
        """Kill all workers: they hold nothing that could be torn."""
        with self._lock:
            self._stopped = True
            for slot in self._every:
                slot.kill()

    def close(self) -> None:
        """End all workers, when nothing is under way any more."""
        for slot in self._every:
            slot.end()

    def _answer(self, slot: _Slot, task: bytes, patience: float, retries: int) -> bytes:
        try:
            return self._worker(slot).ask(task, patience)
        except _DiedError as death:
            slot.end()
            if self._stopped:
                raise KeyboardInterrupt from None
            if not (death.was_killed and retries):
                raise death.explained() from None
        return self._answer(slot, task, patience, retries - 1)

    def _worker(self, slot: _Slot) -> _Worker:
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            return slot.ready()


class _Slot:
    """The place of one worker, which is there when it is needed."""

    def __init__(self) -> None:
        self._worker: _Worker | None = None

    def ready(self) -> _Worker:
        """Its worker; a new one where there is none yet, or it has grown too large."""
        if self._worker is not None and self._worker.has_grown:
            self.end()
        if self._worker is None:
            self._worker = _Worker()
        return self._worker

    def kill(self) -> None:
        """Whoever waits for its worker's answer is told so by that."""
        if self._worker is not None:
            self._worker.kill()

    def end(self) -> None:
        """Kill its worker and let go of it; nobody waits for an answer."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.close()
            self._worker = None


class _DiedError(Exception):
    """A worker ended, or was ended after it had not answered for `waited` seconds."""

    def __init__(self, code: int, words: str, waited: float | None) -> None:
        super().__init__(code)
        self.code, self.words, self.waited = code, words, waited

    @property
    def was_killed(self) -> bool:
        """By somebody else: another worker may have more luck."""
        return self.code < 0 and self.waited is None

    def explained(self) -> StockcastError:
        if self.waited is not None:
            return WorkerLost(
                f"its worker did not answer within {self.waited:.0f} s and was ended.",
                "see whether the machine is overloaded; then run it again.",
            )
        if self.code > 0 and "Traceback" in self.words:
            return crashed(self.words)
        last = self.words.strip().splitlines()[-1:] or ["it said nothing"]
        return WorkerLost(
            f"its worker was ended {RETRIES + 1} times, at last with {self.code}: {last[0][:200]}",
            "if the machine is short of memory, use a smaller --jobs.",
        )


class _Worker:
    """One process, and what it holds in memory."""

    def __init__(self) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 -- it is open as long as the process
        self._process = subprocess.Popen(
            # -P: a file of the user's own called click.py, where the command was run, is not the library.
            [sys.executable, "-P", "-m", "stockcast.fleet.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            bufsize=0,
            start_new_session=True,  # an interruption from the keyboard is the client's to deal with
        )
        self._in, self._out = (stream.fileno() for stream in (self._process.stdin, self._process.stdout) if stream)
        os.set_blocking(self._in, False)
        self._first: int | None = None
        self._now = 0

    @property
    def has_grown(self) -> bool:
        """Whether it holds more than a new one would: TensorFlow keeps some of every training."""
        return self._first is not None and self._now > max(AT_REST, GROWTH * self._first)

    def ask(self, task: bytes, patience: float) -> bytes:
        """Its result of a task. Raises `_DiedError` if it ends before, or is ended because it took too long."""
        deadline = monotonic() + patience
        try:
            self._send(LENGTH.pack(len(task)) + task, deadline)
            size, self._now = ANSWER.unpack(self._receive(ANSWER.size, deadline))
            self._first = self._first or self._now
            return self._receive(size, deadline)
        except TimeoutError:
            raise self._death(patience) from None
        except (BrokenPipeError, EOFError):
            raise self._death(None) from None

    def _send(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            _await([], [self._in], deadline)
            left = left[os.write(self._in, left[:_CHUNK]) :]

    def _receive(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            _await([self._out], [], deadline)
            part = os.read(self._out, min(size - len(data), _CHUNK))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _death(self, waited: float | None) -> _DiedError:
        if waited is not None:
            self.kill()
        with suppress(subprocess.TimeoutExpired):  # it has closed its pipe, which is the last that it does
            self._process.wait(_FAREWELL)
        self.kill()
        self._said.seek(0)
        return _DiedError(self._process.wait(), self._said.read().decode(errors="replace"), waited)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self._process.kill()

    def close(self) -> None:
        """Let go of a process that was killed."""
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                stream.close()


def _await(readable: list[int], writable: list[int], deadline: float) -> None:
    """Wait until one of them is ready. Raises `TimeoutError` after the deadline."""
    if not any(select.select(readable, writable, [], max(deadline - monotonic(), 0))):
        raise TimeoutError
