"""TensorFlow without its notes on the machine, and Keras without what stockcast never uses of it."""

from __future__ import annotations

import importlib.abc
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

LATE = ("keras.wrappers", "keras.visualization", "keras.src.visualization")
"""Parts of Keras that import scikit-learn and pyplot, which takes a quarter of its time."""


class _LoadedLate(importlib.abc.MetaPathFinder):
    """Finds the modules `LATE`, so that they are loaded when somebody looks into them, and not before."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in LATE else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def tensorflow_silenced() -> Iterator[None]:
    """Import TensorFlow and Keras inside this: what they write on standard error is dropped, exceptions are not.

    Its first lines come before it reads its own log level, so that only the file descriptor can be closed to them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Each fold of a backtest traces its own network, on purpose: TensorFlow would warn of that.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    if "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    kept, nowhere, finder = os.dup(2), os.open(os.devnull, os.O_WRONLY), _LoadedLate()
    try:
        os.dup2(nowhere, 2)
        sys.meta_path.insert(0, finder)
        yield
    finally:
        sys.meta_path.remove(finder)
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
