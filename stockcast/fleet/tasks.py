"""Tasks and results: values, without a path, an object of Keras or a store in them.

A task is prices, settings and, where a champion is to be judged beside what is trained, that champion's files. Its
result is what was trained, how it was judged, or the error that ended it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from typing import Any

from numpy.typing import NDArray

from stockcast import errors
from stockcast.config.run import RunConfig, from_table
from stockcast.data.forecast import Directions, Forecast, levels_of
from stockcast.data.series import Panel
from stockcast.errors import StockcastError
from stockcast.fleet.parcel import Parcel, not_as_sent, pack, panel_arrays, panel_of, panel_page, unpack
from stockcast.version import __version__

SAME = ("keras", "numpy", "tensorflow")
"""Libraries whose versions client and worker must share, beside stockcast itself: other ones give other bits."""

_OWN = "own/"
# In the order of the fields of `Forecast` and of `Directions`.
_FORECAST = ("series", "row", "last", "point", "quantiles")
_DIRECTIONS = ("probabilities", "edges")


@cache
def installed() -> dict[str, str]:
    """The versions here of all that client and worker must share, by name."""
    return {"stockcast": __version__, **{library: version(library) for library in SAME}}


def differing(theirs: Mapping[str, str]) -> str | None:
    """In what the versions on the other side differ from those here; None if they are the same."""
    mine = installed()
    other = [name for name in mine | dict(theirs) if mine.get(name) != theirs.get(name)]
    return ", ".join(f"{name} {theirs.get(name)} there and {mine.get(name)} here" for name in other) or None


@dataclass(frozen=True)
class Task:
    """One training and what follows from it. `kind` is one of `work.KINDS`; `name` is what its errors call it.

    What else a kind needs stands in `facts` (of JSON), `arrays` and `files`.
    """

    kind: str
    name: str
    panel: Panel
    config: RunConfig
    config_name: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=installed)

    def encode(self) -> bytes:
        """The task as it travels."""
        page = {
            "kind": self.kind,
            "name": self.name,
            "panel": panel_page(self.panel),
            "config": self.config.model_dump(mode="json"),
            "config_name": self.config_name,
            "facts": dict(self.facts),
            "versions": dict(self.versions),
        }
        own = {f"{_OWN}{name}": one for name, one in self.arrays.items()}
        return pack(Parcel(page, {**panel_arrays(self.panel), **own}, self.files))

    @staticmethod
    def decode(data: bytes) -> Task:
        """The inverse of `encode`. Raises `IOFailure`, or what settings and prices raise that are not sound."""
        parcel = unpack(data, "a task")
        page, arrays = parcel.page, parcel.arrays
        own = {name.removeprefix(_OWN): one for name, one in arrays.items() if name.startswith(_OWN)}
        panel, config = panel_of(page["panel"], arrays), from_table(page["config"])
        kind, name, config_name, facts, versions = (
            page[key] for key in ("kind", "name", "config_name", "facts", "versions")
        )
        return Task(kind, name, panel, config, config_name, facts, own, parcel.files, versions)


@dataclass(frozen=True)
class Result:
    """What came of a task: `files` of a bundle by name, `facts` (of JSON) such as scores, and `arrays`."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The result as it travels."""
        return pack(Parcel({"facts": dict(self.facts)}, self.arrays, self.files))

    @staticmethod
    def decode(data: bytes, whence: str) -> Result:
        """The result in `data`, which came from `whence`. Raises `IOFailure`, or the error that ended the task."""
        parcel = unpack(data, whence)
        if "error" in parcel.page:
            raise _raised(parcel.page["error"])
        facts = parcel.page.get("facts")
        if not isinstance(facts, dict):
            raise not_as_sent(whence, "it is no result")
        return Result(facts, parcel.arrays, parcel.files)


def failed(error: StockcastError) -> bytes:
    """An error that ended a task, as it travels."""
    told = {"class": type(error).__name__, "message": error.message, "fix": error.fix}
    return pack(Parcel({"error": told}))


def _raised(told: Any) -> StockcastError:
    """The inverse of `failed`, by the one class of the errors that has this name; any other counts as a fault."""
    known = getattr(errors, str(told["class"]), StockcastError)
    kind = known if isinstance(known, type) and issubclass(known, StockcastError) else StockcastError
    return kind(str(told["message"]), None if told["fix"] is None else str(told["fix"]))


def forecast_arrays(forecast: Forecast, prefix: str = "") -> dict[str, NDArray[Any]]:
    """A forecast at the usual levels, as a result carries it."""
    arrays = {f"{prefix}{key}": getattr(forecast, key) for key in _FORECAST}
    if forecast.directions is None:
        return arrays
    return arrays | {f"{prefix}{key}": getattr(forecast.directions, key) for key in _DIRECTIONS}


def forecast_of(arrays: Mapping[str, NDArray[Any]], prefix: str = "") -> Forecast:
    """The inverse of `forecast_arrays`. Raises `IOFailure` for arrays that can't belong to one forecast."""
    try:
        series, row, last, point, quantiles = (arrays[f"{prefix}{key}"] for key in _FORECAST)
        forecast = Forecast(series, row, last, point, quantiles, levels_of(quantiles.shape[-1]))
        made, horizon = point.shape
        if {one.shape for one in (series, row, last)} != {(made,)} or quantiles.shape != (
            made,
            horizon,
            len(forecast.levels),
        ):
            raise ValueError("its arrays are of different lengths")
        if f"{prefix}{_DIRECTIONS[0]}" not in arrays:
            return forecast
        return replace(forecast, directions=Directions(*(arrays[f"{prefix}{key}"] for key in _DIRECTIONS)))
    except (KeyError, ValueError) as error:
        raise not_as_sent("a forecast", str(error)[:80]) from error
