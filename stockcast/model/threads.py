"""One thread for a training: its sums are then in one order, whatever machine it runs on.

TensorFlow and onnxruntime take all cores by themselves, and split long sums by their number, so that the last bits of a
large network's weights differ from one machine to the next. Trainings that may run anywhere take one: those of a fleet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside this, what begins to compute takes one thread; TensorFlow, if it is imported here for the first time."""
    before = {name: os.environ.get(name) for name in _VARIABLES}
    os.environ.update(dict.fromkeys(_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def threads_wanted() -> int:
    """How many threads a network that runs outside TensorFlow should take: one, or 0 for as many as there are cores."""
    return int(os.environ.get(_VARIABLES[0]) == "1")
