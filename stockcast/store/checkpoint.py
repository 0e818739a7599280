"""How far an unfinished training has come, in one file that is replaced as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stockcast.errors import NotFound, UsageError
from stockcast.store import atomic
from stockcast.store.arrays import decode_arrays, encode_arrays
from stockcast.store.names import PROGRESS
from stockcast.store.read_version import read_limited

_TEMPORARY = f".{PROGRESS}"
_LARGEST = 1 << 30
_RUN = "run"


@dataclass
class Progress:
    """The progress of the training that `run` describes, in the folder of its model, which exists.

    A training may have parts, one after another; the file holds all that were begun. Besides the errors named, writing
    raises `CannotCreate` or `IOFailure`.
    """

    folder: Path
    run: str
    _arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def take_up(self) -> bool:
        """Begin with what an earlier run left; whether it left anything.

        Raises `UsageError` if that was another training, `ModelDamaged` if it can't be read.
        """
        path = self.folder / PROGRESS
        try:
            arrays = decode_arrays(read_limited(path, _LARGEST), path)
        except NotFound:
            return False
        if not np.array_equal(arrays.pop(_RUN, np.empty(0)), self._stamp()):
            raise UsageError(
                f"{path} is the progress of a training with other settings or other prices.",
                "run it as it was begun, or train anew without --resume.",
            )
        self._arrays = arrays
        return True

    def last(self, part: str) -> Mapping[str, NDArray[Any]]:
        """The arrays of one part as they were kept last; nothing if it has not begun."""
        start = f"{part}/"
        return {name.removeprefix(start): array for name, array in self._arrays.items() if name.startswith(start)}

    def keep(self, part: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put these arrays, float32 or float64, in the place of the part's earlier ones."""
        others = {name: array for name, array in self._arrays.items() if not name.startswith(f"{part}/")}
        self._arrays = others | {f"{part}/{name}": array for name, array in arrays.items()}
        atomic.sweep(self.folder / _TEMPORARY)
        data = encode_arrays({_RUN: self._stamp(), **self._arrays})
        atomic.replace_file(self.folder / _TEMPORARY, self.folder / PROGRESS, data)

    def remove(self) -> None:
        """The training has ended: nothing is left to take up."""
        atomic.sweep(self.folder / PROGRESS)

    def _stamp(self) -> NDArray[np.float64]:
        return np.frombuffer(hashlib.sha256(self.run.encode()).digest(), np.uint8).astype(np.float64)
