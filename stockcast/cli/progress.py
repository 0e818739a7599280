"""Progress of a training: a bar on a terminal, one line an epoch with -vv, else nothing."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click

from stockcast.cli.options import Shared
from stockcast.cli.output import on_message, say


@contextmanager
def epochs(shared: Shared) -> Iterator[Callable[[Any, int], None]]:
    """A function to be called with each finished epoch and the number of all epochs."""
    if shared.verbose >= 2 and not shared.as_json:
        yield _line
        return
    with _bar(shared, "epoch") as update:
        yield lambda epoch, total: update(epoch.number, total, f"loss {epoch.loss:.5f}")


@contextmanager
def fleet_models(shared: Shared) -> Iterator[Callable[[str, str, int, int], None]]:
    """A function to be called with how a model came out, its line, and how many have ended and how many there are.

    The line is printed at once, as a result; beside a JSON object it is talk, and where quiet is wanted it is left to
    the summary. The bar counts those that were promoted and those that failed.
    """
    tell = on_message(shared) if shared.as_json or shared.quiet else click.echo
    counts: Counter[str] = Counter()
    with _bar(shared, "model") as update:

        def ended(kind: str, line: str, done: int, total: int) -> None:
            counts[kind] += 1
            note = ", ".join(f"{counts[one]} {one}" for one in ("promoted", "failed") if counts[one])
            update(done, total, note, lambda: tell(line))

        yield ended


@contextmanager
def trainings(shared: Shared) -> Iterator[Callable[[int, int], None]]:
    """A function to be called with the number of finished trainings and of all."""
    with _bar(shared, "training") as update:
        yield lambda done, total: update(done, total, "")


class _Update(Protocol):
    """How many are done, of how many, a note beside the bar, and what is told before it is drawn anew."""

    def __call__(self, done: int, total: int, note: str, tell: Callable[[], None] = ...) -> None: ...


def _nothing() -> None:
    """Nothing is told."""


def _line(epoch: Any, total: int) -> None:
    held_out = "" if epoch.validation_loss is None else f"  validation {epoch.validation_loss:.6f}"
    say(f"epoch {epoch.number}/{total}  loss {epoch.loss:.6f}{held_out}")


@contextmanager
def _bar(shared: Shared, unit: str) -> Iterator[_Update]:
    """A bar with the time left, on a terminal whose user wants to see one; it makes way for what is told."""
    if not (shared.shows_progress and sys.stderr.isatty()):
        yield lambda done, total, note, tell=_nothing: tell()
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

    def update(done: int, total: int, note: str, tell: Callable[[], None] = _nothing) -> None:
        if tell is not _nothing:
            progress.stop()
            tell()
        progress.start()  # not before: until then other lines are said
        progress.update(task, completed=done, total=total, note=note)

    try:
        yield update
    finally:
        progress.stop()
