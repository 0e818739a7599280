"""TensorFlow without its notes on the machine, and Keras without what stockcast never uses of it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stockcast.model.late_modules import loaded_late

LATE = ("keras.wrappers", "keras.visualization", "keras.src.visualization")
"""Parts of Keras that import scikit-learn and pyplot, which takes a quarter of its time."""


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
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with loaded_late(LATE):
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
