"""The one boundary between exceptions and exit codes. No traceback passes it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from stockcast.cli.output import say, silence
from stockcast.errors import StockcastError, UsageError, foreseen
from stockcast.store.interruption import deaf, notes_of

INTERRUPTED = 130
BROKEN_PIPE = 141


def guarded(work: Callable[[], Any], as_json: bool) -> int:
    """The exit code of `work`, 0 if it returns none; its failure is told on stderr, with `as_json` on stdout too."""
    try:
        code = work()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort) as stop:
        with deaf():
            return _tell_of_interruption(stop, as_json)
    except BrokenPipeError:
        silence(sys.stdout)
        return BROKEN_PIPE
    except Exception as error:  # the boundary: whatever it is becomes one line and an exit code
        return _tell(_foreseen(error), as_json)
    return code if isinstance(code, int) else 0


def _tell_of_interruption(stop: BaseException, as_json: bool) -> int:
    notes = notes_of(stop)
    message = " ".join(["Interrupted.", *notes]) if notes else "Interrupted; no model was changed."
    if as_json:
        _print_error("interrupted", message, None, INTERRUPTED)
    click.echo(_one_line(message), err=True)
    return INTERRUPTED


def _foreseen(error: Exception) -> StockcastError:
    """`error` as one of stockcast's own."""
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "stockcast"
        return UsageError(error.format_message(), f"see: {command} --help")
    return foreseen(error)


def _tell(error: StockcastError, as_json: bool) -> int:
    if as_json:
        _print_error(error.kind, error.message, error.fix, error.exit_code)
    say(_one_line(f"Error: {error.message}"))
    if error.fix:
        say(_one_line(f"Fix: {error.fix}"))
    return error.exit_code


def _print_error(kind: str, message: str, fix: str | None, exit_code: int) -> None:
    import json

    error = {"kind": kind, "message": message, "fix": fix, "exit_code": exit_code}
    try:
        click.echo(json.dumps({"error": error}))
    except OSError:  # stdout is full or closed, which may be the very failure: stderr tells it
        silence(sys.stdout)


def _one_line(text: str) -> str:
    """`text` with a blank for whatever a name in it holds that would break the line or steer the terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
