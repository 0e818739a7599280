"""A worker beside the client: a process that lives on from task to task, so that TensorFlow is imported once.

    python -m stockcast.fleet.worker

It reads tasks from its standard input and writes results to its standard output, each behind its length. When its
client is gone, so is it, in mid-training too.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from stockcast.fleet.work import work
from stockcast.process import own_process
from stockcast.store.atomic import write_all

LENGTH = struct.Struct("<Q")
"""What stands before a task: the number of its bytes."""

ANSWER = struct.Struct("<QQ")
"""What stands before a result: the number of its bytes, and of those that the worker holds in memory."""


def serve_client() -> None:
    """Answer task after task. A fault that stockcast doesn't foresee ends the process with its traceback on stderr."""
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # what a library prints is no result
    tasks: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(incoming, tasks), daemon=True).start()
    with own_process():
        while True:
            result = work(tasks.get())
            write_all(outgoing, ANSWER.pack(len(result), _held()) + result)


def _listen(incoming: int, tasks: SimpleQueue[bytes]) -> None:
    """Take tasks in, and end the process when no more can come: nobody would hear the result."""
    with os.fdopen(incoming, "rb") as stream:
        while len(length := stream.read(LENGTH.size)) == LENGTH.size:
            (size,) = LENGTH.unpack(length)
            tasks.put(stream.read(size))
    os._exit(0)


def _held() -> int:
    """The bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    serve_client()
