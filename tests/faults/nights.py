"""A week of nights from a real cron daemon whose clock is moved on: what ran, what was missed, and what was said of it.

Wednesday and Thursday are as they should be. On Friday the machine is off; at the weekend nothing is due. On Monday
the prices can't be read, on Tuesday they can again, and on Wednesday the night is begun once more by hand. Every night
takes up to a minute, for cron sleeps until the next one.

Needs Debian's cron and faketime, and root to start the daemon; a daemon that runs already is not touched.

python tests/faults/nights.py
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clocks import at
from cron import PATH, crontab, is_running, what_is_missing
from whole import ROWS, Model, make_model

LIBRARY = "libfaketime.so.1"
PATIENCE = 150
DUE = "22:30"


def main() -> int:
    missing = what_is_missing() or ("a cron daemon runs here already, with the real clock" if is_running() else None)
    library = next(iter(Path("/usr/lib").glob(f"*/faketime/{LIBRARY}")), None)
    if missing or library is None:
        print(f"NOT RUN: {missing or 'there is no faketime here; install the package faketime'}")
        return 0
    before = crontab()
    with tempfile.TemporaryDirectory() as folder:
        week = Week(Path(folder), library)
        try:
            with week.daemon():
                bad = week.replayed()
        finally:
            write_crontab(before)
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"cron did {week.done} nights of a week in which one was missed and one could not be done: {len(bad)} bad")
    return int(bool(bad))


class Week:
    """A model, its prices, and a clock that a file tells to all who look at it."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder, self.library, self.clock = folder, library, folder / "clock"
        self.model: Model = make_model(folder / "acme", around=at(datetime(2020, 10, 6, 21, tzinfo=UTC), "UTC"))
        self.log = self.model.store / "nightly.log"
        self.failed = folder / "failed"
        self.done = 0
        report = f'report = "{folder}/site"\non_failure = "touch {self.failed}"\n'
        (self.model.store / "stockcast.toml").write_text(f"[nightly]\n{report}")
        self.set(datetime(2020, 10, 6, 21, tzinfo=UTC))
        self.model.told("schedule", "acme", "--install", "--days", "mon-fri", "--at", DUE)
        lines = "\n".join(f"{key}={value}" for key, value in self.moved().items())
        write_crontab(f"{lines}\n{crontab()}")

    def moved(self) -> dict[str, str]:
        """What makes a program take its clock from the file."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }

    def set(self, moment: datetime) -> None:
        """Let it be that moment: from then on the clock goes on by itself."""
        seconds = round((moment - datetime.now(UTC)).total_seconds())
        aside = self.clock.with_suffix(".aside")
        aside.write_text(f"{seconds:+d}\n")
        aside.replace(self.clock)

    @contextlib.contextmanager
    def daemon(self) -> Iterator[None]:
        """A cron daemon of our own that lives by the moved clock."""
        program = str(shutil.which("cron", path=PATH))
        with subprocess.Popen([program, "-f"], env={**os.environ, **self.moved()}) as ours:
            try:
                yield
            finally:
                ours.terminate()

    def replayed(self) -> list[str]:
        """The faults of the week."""
        bad: list[str] = []
        prices = self.model.csv
        for day, rows, state in (
            *(("2020-10-07", ROWS + 1, "well"), ("2020-10-08", ROWS + 2, "well")),
            *(("2020-10-12", ROWS + 4, "broken"), ("2020-10-13", ROWS + 5, "well"), ("2020-10-14", ROWS + 6, "well")),
        ):
            self.model.grow(rows)
            if state == "broken":
                prices.write_text("<html>not found</html>\n")
            said = self.night(datetime.fromisoformat(f"{day}T{DUE}:00+00:00"))
            bad += [f"{day}: {fault}" for fault in self.faults(said, state, day)]
        return [*bad, *self.faults_of_the_record()]

    def night(self, due: datetime) -> str:
        """Let a night come, wait until it is over, and hand back what it said."""
        before = self.log.read_text() if self.log.exists() else ""
        self.failed.unlink(missing_ok=True)
        self.set(due - timedelta(seconds=8))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            said = self.log.read_text()[len(before) :] if self.log.exists() else ""
            if said.endswith("\n") and " model in " in said:
                time.sleep(3)  # the hooks are told last
                self.done += 1
                return said
            time.sleep(0.5)
        raise RuntimeError(
            f"the night of {due:%Y-%m-%d} never came: {self.log.read_text() if self.log.exists() else ''}"
        )

    def faults(self, said: str, state: str, day: str) -> Iterator[str]:
        """What is wrong with what a night said, and with its page."""
        page = (self.folder / "site" / "index.html").read_text()
        if (state == "well") == self.failed.exists():
            yield f"the hook was {'called' if self.failed.exists() else 'not called'}"
        if state == "broken" and ("retrain failed" not in said or "retrain: " not in page):
            yield f"the failure is not told: {said}"
        if state == "well" and ("2 forecasts recorded" not in said or "1 well" not in page):
            yield f"it said {said}"
        missed = "2 sessions since 2020-10-08 passed without a forecast; none is made up."
        if (missed in said) != (day == "2020-10-13"):
            yield f"of what was missed it said {said}"
        lines = [line for line in said.splitlines() if not line.startswith("  ")]
        if len(lines) != 1:
            yield f"it said more than one line: {said}"

    def faults_of_the_record(self) -> Iterator[str]:
        """What is wrong with the ledger after the week."""
        with self.moved_here():
            again = self.model.told("nightly", "acme")
            scored = self.model.told("score", "acme")["models"][0]
        if again["issue"]["superseded"] != 2 or again["issue"]["live"]:
            yield f"a second night on one day was recorded as {again['issue']}"
        found = {key: scored["counts"][key] for key in ("scored", "waiting", "skipped", "late", "superseded")}
        if found != {"scored": 5, "waiting": 3, "skipped": 2, "late": 0, "superseded": 2}:
            yield f"the record is {found}"

    @contextlib.contextmanager
    def moved_here(self) -> Iterator[None]:
        """Programs that are started inside take their clock from the file."""
        before = dict(os.environ)
        os.environ.update(self.moved())
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def write_crontab(text: str) -> None:
    """Replace the user's crontab."""
    subprocess.run(["crontab", "-"], input=text, text=True, check=True)


if __name__ == "__main__":
    sys.exit(main())
