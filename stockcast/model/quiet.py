"""TensorFlow without its notes on the machine, and Keras without what stockcast never uses of it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import RLock

from stockcast.model.late_modules import loaded_late
from stockcast.process import is_own

LATE = ("keras.wrappers", "keras.visualization", "keras.src.visualization")
"""Parts of Keras that import scikit-learn and pyplot, which takes a quarter of its time."""

_IMPORTING = RLock()
_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextmanager
def tensorflow_silenced() -> Iterator[None]:
    """Import TensorFlow and Keras inside this: what they write on standard error is dropped, exceptions are not.

    In somebody else's process its log level is low while it is imported, unless it was chosen, and nothing is changed
    for longer than that: a few first lines of TensorFlow are seen. They come before it reads its level, so that only
    the file descriptor can be closed to them, which is not done to a caller. Another thread waits.
    """
    own = is_own()
    if own:  # each fold of a backtest traces its own network, on purpose: TensorFlow would warn of that
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with _IMPORTING:
        if "tensorflow" in sys.modules:
            yield
            return
        with _few_notes(kept=own), _nothing_on_stderr() if own else nullcontext(), loaded_late(LATE):
            yield


@contextmanager
def _few_notes(kept: bool) -> Iterator[None]:
    """A log level that TensorFlow reads once, when it is imported; `kept` for the processes that this one starts."""
    chosen = _LOG_LEVEL in os.environ
    os.environ.setdefault(_LOG_LEVEL, "3")
    try:
        yield
    finally:
        if not (chosen or kept):
            del os.environ[_LOG_LEVEL]


@contextmanager
def _nothing_on_stderr() -> Iterator[None]:
    sys.stderr.flush()
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
