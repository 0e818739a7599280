"""Progress of a training: a bar on a terminal, one line an epoch with -vv, else nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from stockcast.cli.options import Shared


@contextmanager
def epochs(shared: Shared) -> Iterator[Callable[[Any, int], None]]:
    """A function to be called with each finished epoch and the number of all epochs."""
    if shared.verbose >= 2 and not shared.as_json:
        yield _line
    elif shared.shows_progress and sys.stderr.isatty():
        with _bar() as update:
            yield update
    else:
        yield lambda epoch, total: None


def _line(epoch: Any, total: int) -> None:
    held_out = "" if epoch.validation_loss is None else f"  validation {epoch.validation_loss:.6f}"
    click.echo(f"epoch {epoch.number}/{total}  loss {epoch.loss:.6f}{held_out}", err=True)


@contextmanager
def _bar() -> Iterator[Callable[[Any, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("training", total=None, loss="...")
        yield lambda epoch, total: progress.update(task, completed=epoch.number, total=total, loss=f"{epoch.loss:.5f}")
