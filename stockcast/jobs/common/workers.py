"""The same small work for many models, in processes that live on; what befalls one harms no other."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from stockcast.errors import StockcastError

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


_WORTH_A_PROCESS = 50
"""Tasks of some hundredths of a second, beside the second that a process takes to begin."""

_MOST = 4
"""Processes that nobody asked for: each takes a tenth of a gigabyte."""


def each_in_order(
    work: Callable[[_Task], _Result], tasks: Mapping[str, _Task], jobs: int | None = None
) -> list[_Result | StockcastError]:
    """What `work` gives for each of many small tasks, in their order, by as many processes as they are worth.

    At most `jobs`, None: as there are processors. Few are done here, where what `work` raises is raised.
    """
    processes = min(jobs or os.cpu_count() or 1, len(tasks) // _WORTH_A_PROCESS, _MOST)
    if processes < 2:
        return [work(task) for task in tasks.values()]
    done = dict(spread(work, tasks, processes))
    return [done[name] for name in tasks]


def spread(
    work: Callable[[_Task], _Result], tasks: Mapping[str, _Task], jobs: int
) -> Iterator[tuple[str, _Result | StockcastError]]:
    """What `work` gives for each task, by its name, in the order in which they end; an error in its place.

    `jobs` processes share the tasks. Where one of them dies, those that it took along are tried again, each in a
    process of its own, so that only the one that kills its process fails.
    """
    again = []
    for name, done in _ended(work, tasks, jobs):
        if isinstance(done.exception(), BrokenProcessPool):
            again.append(name)
        else:
            yield name, _outcome(done)
    for name in again:
        for _, done in _ended(work, {name: tasks[name]}, 1):
            yield name, _outcome(done)


def _ended(
    work: Callable[[_Task], _Result], tasks: Mapping[str, _Task], jobs: int
) -> Iterator[tuple[str, Future[_Result]]]:
    # spawn: a fork of a process with threads, such as numpy's, may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=max(1, min(jobs, len(tasks))), mp_context=context) as pool:
        with _no_script():
            names = {pool.submit(work, task): name for name, task in tasks.items()}
        try:
            for done in as_completed(names):
                yield names[done], done
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _no_script() -> Iterator[None]:
    """Let this module pass for the program while processes begin.

    Each imports the program's main module anew, and a script that does not guard its call would run in all of them.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = sys.modules[__name__]
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _outcome(done: Future[Any]) -> Any:
    """What came of a task; a fault of stockcast itself is told as one, and stays that of this task."""
    error = done.exception()
    if error is None:
        return done.result()
    if isinstance(error, StockcastError):
        return error
    if isinstance(error, BrokenProcessPool):
        return StockcastError("its process was killed, perhaps for want of memory.", "try it alone, or with --jobs 1.")
    return StockcastError(f"a fault of stockcast itself: {type(error).__name__}: {error}.", "report it.")
