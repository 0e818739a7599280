"""`stockcast report`: a page for one model, or a folder with a page for each of several and an index of all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from stockcast.errors import DataError, ModelDamaged, StockcastError, UsageError
from stockcast.jobs.common.workers import spread
from stockcast.jobs.live.failures import FailedModel
from stockcast.jobs.live.issue import every_model
from stockcast.jobs.morning.model_page import ModelPage, PageRequest, model_page
from stockcast.jobs.output import check_output, write_output
from stockcast.jobs.source import OnMessage
from stockcast.ledger import clock
from stockcast.reading.records import NO_HINTS, Hints
from stockcast.store.atomic import make_folder
from stockcast.store.names import folder_name
from stockcast.store.store import Store
from stockcast.view.report.fleet import FAILED, REFUSED, FleetRow, index_files

PAGES = "models"
"""The folder of a report that holds the models' pages, beside the index."""

HTML = (".html", ".htm")


@dataclass(frozen=True)
class ReportRequest:
    """What the user asked for: a page of each of `names`, or of every model of the store.

    `output` is a file for one model, else a folder. `jobs` pages are made at once, None: as many as there are
    processors. `tonight` has what went wrong with a model before, by its name, and `summary` what is said above the
    index.
    """

    store: Path
    names: tuple[str, ...] = ()
    everything: bool = False
    output: Path | None = None
    csvs: tuple[str, ...] = ()
    hints: Hints = NO_HINTS
    jobs: int | None = None
    tonight: Mapping[str, str] = field(default_factory=dict)
    summary: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What was written: `path` is the page or the index; `pages` tells of each model where its page is, or why not."""

    path: Path
    pages: Mapping[str, Path | StockcastError]

    @property
    def failures(self) -> tuple[FailedModel, ...]:
        """The models that no page could be made of."""
        return tuple(FailedModel(name, one) for name, one in self.pages.items() if isinstance(one, StockcastError))

    @property
    def exit_code(self) -> int:
        """1 if a model has no page."""
        return int(bool(self.failures))

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        failed = {one.name: one.to_dict() for one in self.failures}
        models = [failed.get(name, {"name": name, "page": str(page)}) for name, page in self.pages.items()]
        return {"report": str(self.path), "models": models}

    def __str__(self) -> str:
        return "\n".join([str(self.path), *(f"{one.name}: failed: {one.error.message}" for one in self.failures)])


def write_report(request: ReportRequest, on_message: OnMessage) -> Report:
    """Write the pages. Raises `UsageError` for a file where several models were asked for, and what the only model that
    was asked for fails with."""
    store = Store(request.store)
    names = every_model(store) if request.everything else tuple(dict.fromkeys(map(store.find, request.names)))
    names = names or (store.only(),)
    single = not request.everything and len(names) == 1
    if single and (request.output is None or request.output.suffix.lower() in HTML):
        return _one_page(replace(request, names=names), on_message)
    if request.csvs:
        raise UsageError("--csv goes with one model.", "name it, or leave --csv out: each model knows its own prices.")
    if request.output is not None and request.output.suffix.lower() in HTML:
        raise UsageError(f"{request.output} is a file, and there are {len(names)} models.", "name a folder with -o.")
    return _folder(request, names, on_message)


def _one_page(request: ReportRequest, on_message: OnMessage) -> Report:
    (name,) = request.names
    output = request.output or Path(f"{name}.html")
    manifest = Store(request.store).load(name, wanted=()).manifest
    check_output(output, request.store, request.csvs or manifest.csv)
    page = model_page(PageRequest(request.store, name, request.csvs, request.hints))
    for message in page.messages:
        on_message(message)
    write_output(output, page.html.encode())
    return Report(output, {name: output})


def _folder(request: ReportRequest, names: Sequence[str], on_message: OnMessage) -> Report:
    """A page for each model, and the index in its orders, which are written last: each link leads somewhere."""
    folder = request.output or Path("report")
    check_output(folder / "index.html", request.store)
    make_folder(folder / PAGES)
    tasks = {
        name: PageRequest(request.store, name, (), request.hints, _tonight(request, name), "../index.html")
        for name in names
    }
    rows: dict[str, FleetRow] = {}
    pages: dict[str, Path | StockcastError] = {}
    for name, made in spread(model_page, tasks, request.jobs or os.cpu_count() or 1):
        if isinstance(made, StockcastError):
            pages[name], rows[name] = made, _row_of_failure(name, made, request)
            continue
        for message in made.messages:
            on_message(message)
        pages[name], rows[name] = _written(folder, made), _row_of(made, request)
    made_at = f"{clock.utc_now():%Y-%m-%d %H:%M} UTC"
    for file, html in index_files([rows[name] for name in names], made_at, request.summary).items():
        write_output(folder / file, html.encode())
    return Report(folder / "index.html", {name: pages[name] for name in names})


def _tonight(request: ReportRequest, name: str) -> tuple[str, ...]:
    return (f"Tonight it failed: {request.tonight[name]}",) if name in request.tonight else ()


def _written(folder: Path, page: ModelPage) -> Path:
    path = folder / PAGES / f"{folder_name(page.name)}.html"
    write_output(path, page.html.encode())
    return path


def _row_of(page: ModelPage, request: ReportRequest) -> FleetRow:
    href = quote(f"{PAGES}/{folder_name(page.name)}.html")
    row, reason = replace(page.row, href=href), request.tonight.get(page.name)
    return row if reason is None else replace(row, state=FAILED, reason=reason)


def _row_of_failure(name: str, error: StockcastError, request: ReportRequest) -> FleetRow:
    """Prices that can't be used are refused; all else has failed."""
    refused = isinstance(error, DataError) and not isinstance(error, ModelDamaged) and name not in request.tonight
    return FleetRow(name, REFUSED if refused else FAILED, request.tonight.get(name, error.message))
