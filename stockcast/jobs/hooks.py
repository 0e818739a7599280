"""Telling others how an unattended run went. A hook that fails or hangs never changes the run's result."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request

from stockcast.errors import UsageError
from stockcast.jobs.source import Say

LIMIT = 10
"""Seconds that a hook may take."""


def check_url(url: str) -> None:
    """Refuse what is no web address before anything is trained. Raises `UsageError`."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(
            f"--notify-url {url!r} is not a web address.", "give one that begins with https:// or http://."
        )


def notify(url: str, event: str, say: Say) -> None:
    """Ping `url` for success, `url`/start and `url`/fail for the others; what goes wrong is said and forgotten."""
    suffix = {"success": "", "start": "/start", "fail": "/fail"}[event]
    try:
        with urllib.request.urlopen(url.rstrip("/") + suffix, timeout=LIMIT):
            pass
    except (urllib.error.URLError, OSError, ValueError) as error:
        say(f"The {event} ping to {url} failed: {error}.")


def run_on_failure(command: str, message: str, say: Say) -> None:
    """Run the user's shell command with the failure in STOCKCAST_ERROR; what goes wrong is said and forgotten."""
    environment = {**os.environ, "STOCKCAST_ERROR": message}
    try:
        done = subprocess.run(
            command, shell=True, env=environment, stdin=subprocess.DEVNULL, timeout=LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"The command of --on-failure failed: {error}.")
    else:
        if done.returncode:
            say(f"The command of --on-failure ended with {done.returncode}.")
