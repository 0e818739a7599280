"""Finished folds of a backtest, so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stockcast import __version__
from stockcast.data.forecast import Directions, Forecast
from stockcast.data.series import Panel
from stockcast.evaluate.walk_forward import Fold
from stockcast.store.atomic import make_folder, replace_file

ARRAYS = ("series", "row", "last", "point", "quantiles")


@dataclass(frozen=True)
class FoldCache:
    """One file a finished training, named by the data, the configuration, the fold and stockcast's version."""

    root: Path
    panel: Panel

    def load(self, config: str, fold: Fold) -> Forecast | None:
        """What `save` was given for the same configuration digest and fold, or None; a damaged file counts as none."""
        try:
            with np.load(self._path(config, fold), allow_pickle=False) as arrays:
                directions = Directions(arrays["probabilities"], arrays["edges"]) if "edges" in arrays else None
                return Forecast(**{key: arrays[key] for key in ARRAYS}, directions=directions)
        except (FileNotFoundError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, config: str, fold: Fold, forecast: Forecast) -> None:
        """Keep the forecasts of a finished training. Raises `CannotCreate` or `IOFailure`."""
        buffer = io.BytesIO()
        directions = vars(forecast.directions) if forecast.directions else {}
        np.savez(buffer, **{key: getattr(forecast, key) for key in ARRAYS}, **directions)
        path = self._path(config, fold)
        make_folder(path.parent)
        replace_file(path.with_suffix(".aside"), path, buffer.getvalue())

    def clear(self) -> None:
        """Forget this data's folds: the backtest is whole."""
        shutil.rmtree(self._folder(), ignore_errors=True)

    def _folder(self) -> Path:
        digest = hashlib.sha256(__version__.encode())
        for one in self.panel.series:
            digest.update(f"{one.name}\0{len(one)}\0{','.join(one.columns)}\0".encode())
            digest.update(one.dates.tobytes())
            for values in one.columns.values():
                digest.update(values.tobytes())
            digest.update(one.events.digest())
        return self.root / digest.hexdigest()[:16]

    def _path(self, config: str, fold: Fold) -> Path:
        digest = hashlib.sha256(f"{config} {fold.first} {fold.cutoff}".encode())
        for rows in fold.origins:
            digest.update(np.asarray(rows).tobytes() + b"\0")
        return self._folder() / f"{digest.hexdigest()[:16]}.npz"
