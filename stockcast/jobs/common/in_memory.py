"""Prices, events, rows and models that are in no file and no store: those of the Python API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stockcast.data.events.records import Events
from stockcast.data.series import Panel
from stockcast.evaluate.row_file.table import RowTable
from stockcast.evaluate.rows import read_table
from stockcast.jobs.loaded import LoadedModel, recorded_config
from stockcast.jobs.past.comparison import Compared, compare_past
from stockcast.jobs.source import OnMessage, demand_concerned, model_hints, model_prices, told_of
from stockcast.reading.events import events_in, read_events
from stockcast.reading.frames import price_source, table_source
from stockcast.reading.reader import examined, read_source
from stockcast.reading.records import Hints, PanelRead
from stockcast.reading.row_file import row_text
from stockcast.store.manifest import FRAME
from stockcast.store.model_files import from_files
from stockcast.store.read_version import Bundle
from stockcast.store.settled import settled
from stockcast.store.store import Store

if TYPE_CHECKING:
    from pandas import DataFrame

Paths = str | Path | Sequence[str | Path]


def texts_of(paths: Paths) -> tuple[str, ...]:
    """One path or several, as the command line has them."""
    return (str(paths),) if isinstance(paths, str | Path) else tuple(map(str, paths))


def read_frame(frame: DataFrame, name: str | None, hints: Hints) -> PanelRead:
    """The series of a frame, read and examined as those of a file. Raises as `read_source`."""
    file = read_source(price_source(frame, name), hints)
    today = date.today()  # noqa: DTZ011 -- the user's own day
    return examined(PanelRead(Panel(file.series), (file,), ()), hints, today)


def frame_rows(rows: DataFrame | str | Path) -> RowTable:
    """Anyone's forecasts, from a frame or a row file. Raises as `read_table`."""
    if isinstance(rows, str | Path):
        return read_table(row_text(Path(rows)), str(rows))
    return read_table(table_source(rows, "the rows").content.decode(), "the rows")


@dataclass(frozen=True)
class GivenEvents:
    """Events, and the paths that they were read from."""

    events: Events
    paths: tuple[str, ...]


def given_events(events: DataFrame | Paths) -> GivenEvents:
    """Events from a frame or from files. Raises as `read_events`."""
    if isinstance(events, str | Path | Sequence):
        paths = texts_of(events)
        return GivenEvents(read_events(paths), paths)
    return GivenEvents(events_in([table_source(events, "the events")]), (FRAME,))


def demand_given(panel: Panel, given: GivenEvents | None, on_message: OnMessage) -> Panel:
    """The panel with the events that concern it. Raises `DataError` if none does: nothing could be learned then."""
    if given is None:
        return panel
    where = "the events" if given.paths == (FRAME,) else ", ".join(given.paths)
    return demand_concerned(told_of(panel, given.events, on_message), where)


def newest(
    loaded: LoadedModel, store: Path | None, prices: PanelRead | None, given: GivenEvents | None, on_message: OnMessage
) -> Compared:
    """The prices to forecast from, `prices` or those of the recorded paths, with the events `given` or recorded.

    Beside those of the training, as far as the model stands in a `store`. Raises as `read_model_prices` and
    `compare_past`.
    """
    manifest = loaded.manifest if store is None else settled(store, loaded.manifest)
    if given:
        manifest.demand_events()
    elif manifest.events:
        given = given_events(manifest.on_disk(manifest.events, "--events"))
    hints = model_hints(manifest, loaded.accepted)
    if prices is None:
        prices = model_prices(manifest, (), on_message, hints, store=store or Path())
    read = replace(prices, panel=told_of(prices.panel, given.events, on_message)) if given else prices
    if store is None:
        return Compared(read, (), (), (), frozenset(), hints.accept)
    return compare_past(Store(store), manifest, read, (), hints, ())


def unsaved_model(name: str, made: Bundle) -> LoadedModel:
    """What was just learned, as it will be when it has been saved and is opened again."""
    config = recorded_config(made.manifest)
    forecaster = from_files(made.files, made.manifest.config_name, config.data)
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return LoadedModel(name, forecaster, config, made.manifest, made, since, config.gate.max_age, ())
