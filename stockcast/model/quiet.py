"""Libraries held back: TensorFlow's notes on the machine, unused parts of Keras, onnxruntime's reports to its maker."""

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
def nothing_reported() -> Iterator[None]:
    """Import onnxruntime inside this: it neither makes an identifier of this machine nor reports what it runs.

    Since 1.29 it does both, unless it finds this variable when it is imported. Who has set it has chosen.
    """
    with _IMPORTING, _set_meanwhile("ORT_DISABLE_TELEMETRY", "1"):
        yield


@contextmanager
def _few_notes(kept: bool) -> Iterator[None]:
    """A log level that TensorFlow reads once, when it is imported; `kept` for the processes that this one starts."""
    if kept:
        os.environ.setdefault(_LOG_LEVEL, "3")
    with _set_meanwhile(_LOG_LEVEL, "3"):
        yield


@contextmanager
def _set_meanwhile(variable: str, value: str) -> Iterator[None]:
    """Inside this an environment variable that was not set has a value."""
    chosen = variable in os.environ
    os.environ.setdefault(variable, value)
    try:
        yield
    finally:
        if not chosen:
            del os.environ[variable]


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
