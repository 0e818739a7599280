"""Progress of a training: a bar on a terminal, one line an epoch with -vv, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stockcast.cli.options import Shared
from stockcast.cli.output import say


@contextmanager
def epochs(shared: Shared) -> Iterator[Callable[[Any, int], None]]:
    """A function to be called with each finished epoch and the number of all epochs."""
    if shared.verbose >= 2 and not shared.as_json:
        yield _line
        return
    with _bar(shared, "epoch") as update:
        yield lambda epoch, total: update(epoch.number, total, f"loss {epoch.loss:.5f}")


@contextmanager
def trainings(shared: Shared) -> Iterator[Callable[[int, int], None]]:
    """A function to be called with the number of finished trainings and of all."""
    with _bar(shared, "training") as update:
        yield lambda done, total: update(done, total, "")


def _line(epoch: Any, total: int) -> None:
    held_out = "" if epoch.validation_loss is None else f"  validation {epoch.validation_loss:.6f}"
    say(f"epoch {epoch.number}/{total}  loss {epoch.loss:.6f}{held_out}")


@contextmanager
def _bar(shared: Shared, unit: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar with the time left, on a terminal whose user wants to see one."""
    if not (shared.shows_progress and sys.stderr.isatty()):
        yield lambda done, total, note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn(unit),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task(unit, total=None, note="")

    def update(done: int, total: int, note: str) -> None:
        progress.start()  # not before: until then other lines are said
        progress.update(task, completed=done, total=total, note=note)

    try:
        yield update
    finally:
        progress.stop()
