"""Telling others how an unattended run went. A hook that fails or hangs never changes the run's result."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from stockcast.errors import UsageError

if TYPE_CHECKING:
    from stockcast.jobs.source import OnMessage

LIMIT: float = 10
"""Seconds that a hook may take."""

_LONGEST = 10_000
"""Characters of a failure that are handed on: the kernel takes no variable of more than 128 KiB."""

_STDERR = 2


def check_url(url: str) -> None:
    """Refuse what is no web address before anything is trained. Raises `UsageError`."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            f"--notify-url {url!r} is not a web address.", "give one that begins with https:// or http://."
        )


def notify(url: str, event: str, on_message: OnMessage) -> None:
    """Ping `url` for success, `url`/start and `url`/fail for the others; what goes wrong is said and forgotten."""
    suffix = {"success": "", "start": "/start", "fail": "/fail"}[event]
    failures: list[str] = []
    # The time limit of a connection holds for each wait by itself, and for no name that is looked up.
    ping = threading.Thread(target=_ping, args=(url.rstrip("/") + suffix, failures), daemon=True)
    ping.start()
    ping.join(LIMIT)
    if ping.is_alive():
        failures = [f"no answer in {LIMIT} s"]
    for failure in failures:
        # The host alone: whoever knows the whole address can ping it, and logs are read by others.
        host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
        on_message(f"The {event} ping to {host} failed: {failure}.")


def _ping(url: str, failures: list[str]) -> None:
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=LIMIT):
            pass
    except (OSError, ValueError, HTTPException) as error:
        failures.append(" ".join(str(error).split()) or type(error).__name__)


def run_on_failure(command: str, message: str, on_message: OnMessage) -> None:
    """Run the user's shell command with the failure in STOCKCAST_ERROR; what goes wrong is said and forgotten.

    What the command prints goes to stderr.
    """
    environment = {**os.environ, "STOCKCAST_ERROR": message[:_LONGEST]}
    try:
        with subprocess.Popen(
            command,
            shell=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=_STDERR,
            start_new_session=True,
        ) as hook:
            fault = _wait(hook)
    except OSError as error:
        fault = str(error)
    if fault:
        on_message(f"The command of --on-failure failed: {fault}.")


def _wait(hook: subprocess.Popen[bytes]) -> str | None:
    """What is wrong with how it ended, or None. One that hangs is killed, with every process of its session."""
    try:
        code = hook.wait(LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(hook.pid, signal.SIGKILL)
        return f"it took longer than {LIMIT} s"
    return f"it ended with {code}" if code else None
