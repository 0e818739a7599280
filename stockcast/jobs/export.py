"""`stockcast export`: a saved model's network for other tools."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.jobs.loaded import LoadedModel, open_model
from stockcast.jobs.output import check_output, write_output
from stockcast.model.quiet import tensorflow_silenced
from stockcast.store.model_files import ONNX, WEIGHTS, weights_from


@dataclass(frozen=True)
class ExportRequest:
    """What the user asked for; `form` is keras or onnx."""

    store: Path
    name: str | None
    form: str
    output: Path | None


@dataclass(frozen=True)
class Exported:
    """Where the network is now, and what goes in and comes out: (n, `lookback`, `inputs`) to (n, `horizon`, K)."""

    path: Path
    loaded: LoadedModel

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        data = self.loaded.config.data
        inputs = list(self.loaded.forecaster.features)
        shape = {"lookback": data.lookback, "horizon": data.horizon, "inputs": inputs}
        return {**self.loaded.facts(), "export": str(self.path), **shape}


def export_model(request: ExportRequest) -> Exported:
    """Write the network of the version that serves. Raises `NotFound`, `ModelDamaged`, or what writing raises."""
    loaded = open_model(request.store, request.name, also=(WEIGHTS,))
    path = request.output or Path(f"{loaded.name}.{request.form}")
    check_output(path, request.store, loaded.manifest.csv)
    write_output(path, loaded.bundle.files[ONNX] if request.form == "onnx" else _keras(loaded))
    return Exported(path, loaded)


def _keras(loaded: LoadedModel) -> bytes:
    with tensorflow_silenced():
        from stockcast.model.export import keras_file

    return keras_file(loaded.config, len(loaded.forecaster.features), weights_from(loaded.bundle.files))
