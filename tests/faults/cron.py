"""A real cron daemon retrains a model twice, from a crontab that `schedule --install` makes.

Needs Debian's cron; the daemon is started here if none runs, which takes root. Other lines of the crontab stay.

python tests/faults/cron.py
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from whole import ROWS, Model, make_model

RUNS = 2
PATIENCE = 300
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
IDENTITY = Path("/var/run/crond.pid")


def main() -> int:
    missing = what_is_missing()
    if missing:
        print(f"NOT RUN: {missing}")
        return 0
    before = crontab()
    with tempfile.TemporaryDirectory() as folder, daemon():
        model = make_model(Path(folder))
        try:
            waits = [seconds_until_retrained(model, run) for run in range(1, RUNS + 1)]
        finally:
            model.start("schedule", "acme", "--remove").communicate()
        said = (model.store / "retrain.log").read_text()
    clean = crontab() == before
    print(
        f"cron retrained a model {len(waits)} times, {' and '.join(f'{wait:.0f} s' for wait in waits)} after the "
        f"minute it was told; {len(said)} bytes of complaint; the crontab is {'' if clean else 'not '}as before"
    )
    return int(bool(said) or not clean)


def what_is_missing() -> str | None:
    for program in ("crontab", "cron"):
        if shutil.which(program, path=PATH) is None:
            return f"there is no {program} here; install it, on Debian with: apt-get install cron"
    if not is_running() and os.geteuid() != 0:
        return "no cron daemon runs here, and starting one takes root"
    return None


def is_running() -> bool:
    """Whether a cron daemon runs: it leaves its number, and keeps its name."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{IDENTITY.read_text().strip()}/comm").read_text() == "cron\n"
    return False


@contextlib.contextmanager
def daemon() -> Iterator[None]:
    """A cron daemon: the one there is, or one of our own."""
    if is_running():
        yield
        return
    with subprocess.Popen([str(shutil.which("cron", path=PATH)), "-f"]) as ours:
        try:
            yield
        finally:
            ours.terminate()


def crontab() -> str:
    """The user's crontab; nothing if there is none."""
    return subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False).stdout


def seconds_until_retrained(model: Model, run: int) -> float:
    """Grow the prices, schedule a run for the next minute, and wait for it. Raises unless it promotes a challenger."""
    model.grow(ROWS + 15 * run)
    # The daemon reads the crontabs anew when a minute begins: leave it a few seconds.
    minute = (datetime.now().astimezone() + timedelta(seconds=70)).replace(second=0, microsecond=0)
    when = ("--days", "daily", "--at", f"{minute:%H:%M}")
    model.told("schedule", "acme", "--install", "--command", "retrain", *when)
    before = champion(model)
    while champion(model) == before:
        if datetime.now().astimezone() > minute + timedelta(seconds=PATIENCE):
            raise RuntimeError(f"cron promoted nothing: {complaints(model)}")
        time.sleep(0.2)
    wait = (datetime.now().astimezone() - minute).total_seconds()
    lines = [json.loads(line) for line in (model.store / "acme" / "log.jsonl").read_text().splitlines()]
    if [line["event"] for line in lines] != ["train"] + ["retrain"] * run or lines[-1]["version"] != champion(model):
        raise RuntimeError(f"the log says {lines}")
    return wait


def champion(model: Model) -> str:
    version: str = json.loads((model.store / "acme" / "champion.json").read_text())["version"]
    return version


def complaints(model: Model) -> str:
    log = model.store / "retrain.log"
    return log.read_text() if log.exists() else "it did not even begin"


if __name__ == "__main__":
    sys.exit(main())
