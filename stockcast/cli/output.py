"""Where a command's words go: data to stdout, talk to stderr, and nothing that the user didn't want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from stockcast.cli.options import Shared
from stockcast.store.interruption import noted


def print_result(shared: Shared, fields: Mapping[str, Any], text: Callable[[], str]) -> None:
    """The result of a command on stdout: one JSON object, or text, or nothing where quiet is wanted."""
    with noted(lambda: "The work was done; only what came of it was not told to the end."):
        if shared.as_json:
            import json

            click.echo(json.dumps(fields))
        elif not shared.quiet:
            click.echo(text())


def on_message(shared: Shared) -> Callable[[str], None]:
    """A function that says one line on stderr, or nothing where quiet is wanted."""
    return (lambda line: None) if shared.quiet else (lambda line: click.echo(line, err=True))
