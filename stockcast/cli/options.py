"""What several commands take: flags, the global options, how files are read, and flags that are settings too."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from stockcast.errors import UsageError


def _written(_context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Refuse what is empty, as an unset variable of a shell is: a path of no letters is the folder where one stands."""
    texts = value if isinstance(value, tuple) else (value,)
    if any(text is not None and not str(text).strip() for text in texts):
        raise click.BadParameter("it is empty.", param=option)
    return value


def text_option(*names: str, **attributes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option whose text can't be empty."""
    return click.option(*names, callback=_written, **attributes)


csv_option = text_option(
    "--csv",
    "csvs",
    multiple=True,
    metavar="PATH",
    help="CSV file, folder, quoted glob or https:// address; repeatable.",
)

events_option = text_option(
    "--events",
    multiple=True,
    metavar="PATH",
    help="CSV file, folder or quoted glob of what is known to come: report dates and others; may be repeated.",
)

required_csv_option = text_option(
    "--csv",
    "csvs",
    multiple=True,
    required=True,
    metavar="PATH",
    help="CSV file, folder, quoted glob or https:// address; repeatable.",
)

config_option = click.option(
    "--config", "preset", default="daily", show_default=True, metavar="PRESET_OR_FILE", help="Settings to start from."
)

set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Lay one setting over them: --set data.lookback=40."
)

price_option = click.option("--price", metavar="COLUMN", help="The column to forecast. [default: the config's]")

seeds_option = click.option(
    "--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Train with so many seeds."
)

out_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to FILE."
)

notify_option = click.option("--notify-url", metavar="URL", help="Ping URL/start, then URL or URL/fail.")

on_failure_option = click.option(
    "--on-failure", metavar="CMD", help="Run CMD if a model fails; the message is in STOCKCAST_ERROR."
)

accept_option = click.option(
    "--accept", multiple=True, metavar="KIND", help="Take a fault that is refused: see stockcast check."
)


def all_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flag --all beside its argument `names`; its body gets it as `everything`, with no names."""

    @click.option("--all", "everything", is_flag=True, help="Every model of the store.")
    @wraps(function)
    def with_all(everything: bool, names: tuple[str, ...], **rest: Any) -> Any:
        if everything and names:
            raise UsageError("--all and a NAME were both given.", "give one of them.")
        return function(everything=everything, names=names, **rest)

    return with_all


class _Jobs(click.ParamType[int]):
    """A number of workers from 1, or auto for as many as there are cores."""

    name = "jobs"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value == "auto":
            return len(os.sched_getaffinity(0))
        if value.isdecimal() and 0 < int(value) <= _MOST_JOBS:
            return int(value)
        return self.fail(f"{value!r} is neither 'auto' nor a number of workers from 1 to {_MOST_JOBS}.", param, ctx)


_MOST_JOBS = 1024


def engine_options(
    function: Callable[..., Any], does: str = "Train by N processes at once. [default: 1]", else_jobs: int | None = 1
) -> Callable[..., Any]:
    """Give a command the flags that say where trainings run; its body gets them as `jobs` and `on`.

    `does` is the help of --jobs, and `else_jobs` what the body gets where neither flag was given.
    """

    @click.option("--jobs", type=_Jobs(), metavar="N|auto", help=does)
    @text_option("--on", metavar="ADDRESS", help="Train on the Dask cluster of this scheduler: tcp://HOST:8786.")
    @wraps(function)
    def with_engine(jobs: int | None, on: str | None, **rest: Any) -> Any:
        if jobs is not None and on is not None:
            raise UsageError("--jobs and --on were both given.", "give one of them: a cluster brings its own workers.")
        return function(jobs=jobs or else_jobs, on=on, **rest)

    return with_engine


name_argument = click.argument("name", required=False)


@dataclass(frozen=True)
class Shared:
    """The global options of one run."""

    store: Path = Path("models")
    as_json: bool = False
    quiet: bool = False
    verbose: int = 0

    @property
    def shows_progress(self) -> bool:
        """Whether a progress bar is wanted, if there is a terminal to draw it on."""
        return not (self.quiet or self.as_json)


def shared_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the global options; its body gets them, joined with those before it, as `shared`."""

    @text_option("--store", metavar="PATH", help="Folder of the models. [default: models]")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @click.option("-q", "--quiet", is_flag=True, help="Print nothing but the result.")
    @click.option("-v", "--verbose", count=True, help="Say more; twice for every epoch.")
    @click.pass_context  # type: ignore[arg-type]  # mypy doesn't see that the context still comes first
    @wraps(function)
    def with_shared(
        context: click.Context, store: str | None, as_json: bool, quiet: bool, verbose: int, **rest: Any
    ) -> Any:
        before = context.obj or Shared()
        context.obj = replace(
            before,
            store=Path(store) if store else before.store,
            as_json=as_json or before.as_json,
            quiet=quiet or before.quiet,
            verbose=max(verbose, before.verbose),
        )
        return function(shared=context.obj, **rest)

    return with_shared


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the flags that settle how a file is read; its body gets them as `hints`."""

    @click.option("--date-format", metavar="FORMAT", help="How dates are written: %d.%m.%Y.")
    @click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark.")
    @click.option("--delimiter", help="What stands between cells.")
    @click.option("--columns", metavar="ROLE=NAME,...", help="Which column is what: date=0,close=Last.")
    @accept_option
    @wraps(function)
    def with_hints(
        date_format: str | None,
        decimal: str | None,
        delimiter: str | None,
        columns: str | None,
        accept: tuple[str, ...],
        **rest: Any,
    ) -> Any:
        from stockcast.reading.column_names import parse_columns
        from stockcast.reading.records import Hints

        tab = {"\\t": "\t", "tab": "\t"}
        marked = delimiter if delimiter is None else tab.get(delimiter, delimiter)
        roles = {} if columns is None else parse_columns(columns)
        hints = Hints(date_format, decimal, marked, roles, faults_of(accept))
        return function(hints=hints, **rest)

    return with_hints


def faults_of(accept: tuple[str, ...]) -> frozenset[str]:
    """What `--accept` was given: kinds of faults, some with a date. Raises `UsageError` for what is never refused."""
    if not accept:
        return frozenset()  # a run that is turned away at once imports nothing more
    from stockcast.checks.findings import acceptable

    return acceptable(fault.strip() for faults in accept for fault in faults.split(",") if fault.strip())


def names_in(text: str) -> tuple[str, ...]:
    """The names that stand between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def settings_of(texts: tuple[str, ...], flags: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The settings by key: what `--set` was given, and over it the flags that are settings too; None: not given."""
    from stockcast.config.run import parse_settings

    return parse_settings(texts) | {key: value for key, value in flags.items() if value is not None}
