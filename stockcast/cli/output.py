"""Where a command's words go: data to stdout, talk to stderr, and nothing that the user didn't want."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import click

from stockcast.cli.options import Shared
from stockcast.store.interruption import noted


def print_result(shared: Shared, fields: Mapping[str, Any], text: Callable[[], str]) -> None:
    """The result of a command on stdout, also where quiet is wanted: one JSON object, or text."""
    with noted(lambda: "The work was done; only what came of it was not told to the end."):
        if shared.as_json:
            import json

            click.echo(json.dumps(fields))
        else:
            click.echo(text())


def on_message(shared: Shared) -> Callable[[str], None]:
    """A function that says one line on stderr, or nothing where quiet is wanted."""
    return (lambda line: None) if shared.quiet else say


def say(line: str) -> None:
    """One line on stderr. Where that is full or closed there is nobody to tell, and the work goes on."""
    try:
        click.echo(line, err=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let what `stream` holds and what follows go nowhere: else the interpreter fails on it again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def with_hooks(
    shared: Shared, notify_url: str | None, on_failure: str | None, work: Callable[[], tuple[int, str | None]]
) -> int:
    """Do an unattended run's `work`, which hands back its exit code and what failed, and tell the hooks how it went.

    They hear of it after everything is decided and saved; an exception goes on its way when they have heard of it.
    """
    if notify_url:
        from stockcast.jobs import hooks

        hooks.check_url(notify_url)
        hooks.notify(notify_url, "start", on_message(shared))
    try:
        code, failure = work()
    except Exception as error:  # whatever it is, the hooks hear of it
        _tell_hooks(shared, notify_url, on_failure, str(error))
        raise
    _tell_hooks(shared, notify_url, on_failure, failure)
    return code


def _tell_hooks(shared: Shared, notify_url: str | None, on_failure: str | None, failure: str | None) -> None:
    """Tell the hooks how a run went; `failure` is what failed."""
    if not (notify_url or on_failure):
        return
    from stockcast.jobs import hooks

    with noted(lambda: "The work was done; only the hooks were broken off."):
        if notify_url:
            hooks.notify(notify_url, "fail" if failure else "success", on_message(shared))
        if on_failure and failure:
            hooks.run_on_failure(on_failure, failure, on_message(shared))
