"""Finished folds of a backtest, so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stockcast.data.forecast import LEVELS, Directions, Forecast, levels_of
from stockcast.data.series import Panel
from stockcast.errors import NotFound
from stockcast.evaluate.walk_forward import Fold
from stockcast.store.atomic import make_folder, refuse_link, replace_file, sweep
from stockcast.store.lock import in_use, unused
from stockcast.version import __version__

ARRAYS = ("series", "row", "last", "point", "quantiles")

_TEMPORARY = ".aside"


@contextmanager
def kept_folds(root: Path, panel: Panel) -> Iterator[FoldCache]:
    """The finished folds of a backtest of `panel`, kept under `root` until it ends whole.

    Raises `CannotCreate` or `IOFailure`.
    """
    cache, whole = FoldCache(root, panel), False
    try:
        with cache.at_work():
            yield cache
            whole = True
    finally:
        cache.clear(whole)


@dataclass(frozen=True)
class FoldCache:
    """One file a finished training, named by the data, the configuration, the fold, and what stockcast forecasts."""

    root: Path
    panel: Panel

    def load(self, config: str, fold: Fold) -> Forecast | None:
        """What `save` was given for the same configuration digest and fold, or None; a damaged file counts as none."""
        try:
            with np.load(self._path(config, fold), allow_pickle=False) as arrays:
                directions = Directions(arrays["probabilities"], arrays["edges"]) if "edges" in arrays else None
                levels = levels_of(arrays["quantiles"].shape[-1])
                return Forecast(**{key: arrays[key] for key in ARRAYS}, levels=levels, directions=directions)
        except (FileNotFoundError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, config: str, fold: Fold, forecast: Forecast) -> None:
        """Keep the forecasts of a finished training. Raises `CannotCreate` or `IOFailure`."""
        buffer = io.BytesIO()
        directions = vars(forecast.directions) if forecast.directions else {}
        np.savez(buffer, **{key: getattr(forecast, key) for key in ARRAYS}, **directions)
        path = self._path(config, fold)
        make_folder(path.parent)
        # A name of its own: another backtest may write the same fold, or have been killed while it did.
        replace_file(path.with_suffix(f".{secrets.token_hex(8)}{_TEMPORARY}"), path, buffer.getvalue())

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Keep the folder, which is made if need be, from being cleared, after sweeping it if nobody else is at work.

        Raises `CannotCreate` or `IOFailure`.
        """
        folder = self._folder()
        make_folder(folder)
        with suppress(NotFound), unused(folder) as free:
            for left in folder.glob(f"*{_TEMPORARY}") if free else ():
                sweep(left)
        with ExitStack() as held:
            while not _is_held(folder, held):
                make_folder(folder)
            yield

    def clear(self, whole: bool) -> None:
        """Forget this data's folds if the backtest is `whole`, unless another one is at work with them."""
        folder = self._folder()
        with suppress(NotFound), unused(folder) as free:
            if free and (whole or not any(folder.iterdir())):
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self) -> Path:
        refuse_link(self.root)
        digest = hashlib.sha256(f"{__version__} {LEVELS}".encode())
        for one in self.panel.series:
            digest.update(f"{one.name}\0{len(one)}\0{','.join(one.columns)}\0".encode())
            digest.update(one.dates.tobytes())
            for values in one.columns.values():
                digest.update(values.tobytes())
            digest.update(one.events.digest())
        folder = self.root / digest.hexdigest()[:16]
        refuse_link(folder)
        return folder

    def _path(self, config: str, fold: Fold) -> Path:
        digest = hashlib.sha256(f"{config} {fold.first} {fold.cutoff}".encode())
        for rows in fold.origins:
            digest.update(np.asarray(rows).tobytes() + b"\0")
        return self._folder() / f"{digest.hexdigest()[:16]}.npz"


def _is_held(folder: Path, held: ExitStack) -> bool:
    """Whether `folder` is held from now on; not if another backtest, which has ended, has just deleted it."""
    with suppress(NotFound, FileNotFoundError):
        descriptor = held.enter_context(in_use(folder))
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    return False
