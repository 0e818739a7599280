"""`stockcast schedule`: the crontab lines or the systemd timer of the night's work."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.errors import CannotCreate, DataError, IOFailure, NotFound, UsageError
from stockcast.jobs.output import write_output
from stockcast.store.store import Store

PATH = "/usr/local/bin:/usr/bin:/bin"
LINGER = "loginctl enable-linger"
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True)
class Schedule:
    """When to work on which models. `names` empty is all of the store; `days` as cron writes them, such as 1-5.

    `task` is the command that is run, nightly or retrain; `hooks` are its options that tell others how it went.
    """

    store: Path
    names: tuple[str, ...]
    hour: int
    minute: int
    days: str
    hooks: tuple[str, ...] = ()
    task: str = "nightly"

    @property
    def mark(self) -> str:
        """What the lines of this schedule carry, so that exactly they are found again, whichever command they run."""
        digest = hashlib.sha256("\0".join([str(self.store), *self.names]).encode()).hexdigest()[:8]
        return f"stockcast-{digest}"

    def command(self) -> str:
        """The command with absolute paths, quoted for a shell."""
        # -P: it starts in the user's home, where a file called click.py is not the library.
        stockcast = [sys.executable, "-P", "-m", "stockcast", "--store", str(self.store), "--quiet"]
        return shlex.join([*stockcast, self.task, *self.hooks, *(["--", *self.names] if self.names else ["--all"])])

    @property
    def log(self) -> Path:
        """Where the command's output goes."""
        return self.store / f"{self.task}.log"


@dataclass(frozen=True)
class Scheduled:
    """The text of the schedule, and what was done with it."""

    text: str
    done: str | None

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it."""
        return {"text": self.text, "done": self.done}

    def __str__(self) -> str:
        return self.text if self.done is None else self.done


def plan(
    store: Path, names: Sequence[str], at: str, days: str, hooks: Mapping[str, str | None], task: str = "nightly"
) -> Schedule:
    """A schedule from what the user said. Raises `UsageError` for what can't be scheduled."""
    hour, colon, minute = at.partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise UsageError(f"--at {at!r} is not a time of day.", "write it as HH:MM, for example 22:30.")
    folder = store.resolve()
    given = {option: value for option, value in hooks.items() if value}
    for what, text in {"the store's path": str(folder), **given}.items():
        if "\n" in text:
            raise UsageError(f"{what} {text!r} has several lines.", "give one that has a single line.")
    options = tuple(part for pair in given.items() for part in pair)
    found = tuple(map(Store(folder).find, names))
    return Schedule(folder, found, int(hour), int(minute), _cron_days(days), options, task)


def check_models(schedule: Schedule) -> None:
    """Refuse models that are not there. Raises `NotFound`."""
    there = Store(schedule.store).names()
    for name in schedule.names:
        if name not in there:
            raise NotFound(f"there is no model {name!r} in {schedule.store}.", "see: stockcast models list")


def _cron_days(days: str) -> str:
    """mon-fri, mon,wed or daily, as the numbers that every cron knows."""
    if days == "daily":
        return "*"
    parts = []
    for part in days.lower().split(","):
        ends = part.split("-")
        if len(ends) > 2 or not all(end in WEEKDAYS for end in ends):
            raise UsageError(
                f"--days {days!r} is not a list of weekdays.", "write for example mon-fri, or mon,wed,fri, or daily."
            )
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        if 0 < first < last:
            parts.append(f"{first}-{last}")
        else:  # to cron the week begins with sunday, to systemd with monday: no range may go over either
            count = (last - first) % len(WEEKDAYS) + 1
            parts += [str((first + day) % len(WEEKDAYS)) for day in range(count)]
    return ",".join(parts)


def crontab(schedule: Schedule) -> str:
    """The lines for `crontab`, between two marks."""
    # In a crontab % ends the command, unless it is escaped.
    command = f"{schedule.command()} >> {shlex.quote(str(schedule.log))} 2>&1".replace("%", "\\%")
    when = f"{schedule.minute} {schedule.hour} * * {schedule.days}"
    return "\n".join([f"# begin {schedule.mark}", f"{when} PATH={PATH} {command}", f"# end {schedule.mark}"])


def install_cron(schedule: Schedule) -> Scheduled:
    """Put the lines into the user's crontab, in the place of earlier ones of the same schedule."""
    lines = crontab(schedule)
    _write_crontab("\n".join([*without_block(_read_crontab(), schedule.mark), lines]) + "\n")
    return Scheduled(lines, f"Installed in your crontab:\n{lines}")


def remove_cron(schedule: Schedule) -> Scheduled:
    """Take exactly the lines of this schedule out of the user's crontab."""
    before = _read_crontab()
    after = without_block(before, schedule.mark)
    if len(after) == len(before):
        raise NotFound(f"your crontab has no lines marked {schedule.mark}.", "see: crontab -l")
    _write_crontab("\n".join(after) + "\n" if after else "")
    return Scheduled(crontab(schedule), f"Removed the lines marked {schedule.mark} from your crontab.")


def without_block(lines: Sequence[str], mark: str) -> list[str]:
    """The lines outside the two marks. Raises `DataError` if a mark is missing: what follows may be another's."""
    if lines.count(f"# begin {mark}") != lines.count(f"# end {mark}"):
        raise DataError(
            f"your crontab has no # end for each # begin {mark}, so where its lines end is not known.",
            "take them out by hand: crontab -e",
        )
    kept, inside = [], False
    for line in lines:
        inside = inside or line == f"# begin {mark}"
        if not inside:
            kept.append(line)
        inside = inside and line != f"# end {mark}"
    return kept


def _read_crontab() -> list[str]:
    done = _crontab("-l")
    if done.returncode and "no crontab" not in done.stderr.lower():
        raise IOFailure(f"crontab -l failed: {done.stderr.strip()}.", "mend that, or use --systemd.")
    return done.stdout.removesuffix("\n").split("\n") if not done.returncode and done.stdout else []


def _write_crontab(text: str) -> None:
    done = _crontab("-", text)
    if done.returncode:
        raise CannotCreate(f"crontab refused the lines: {done.stderr.strip()}.", "add the printed lines by hand.")


def _crontab(argument: str, text: str = "") -> subprocess.CompletedProcess[str]:
    program = shutil.which("crontab", path=os.environ.get("PATH", PATH))
    if program is None:
        raise NotFound("there is no crontab command here.", "install cron, or use --systemd.")
    # Others' lines may be in any encoding: they pass through unchanged.
    return subprocess.run(
        [program, argument], input=text, capture_output=True, encoding="utf-8", errors="surrogateescape", check=False
    )


def systemd_units(schedule: Schedule) -> dict[str, str]:
    """The service and the timer, by file name."""
    days = "*-*-*" if schedule.days == "*" else f"{_systemd_days(schedule.days)} *-*-*"
    # systemd expands %, $ and \\ in a command, quoted or not, unless they are doubled; in a path only %.
    command = schedule.command().replace("%", "%%").replace("$", "$$").replace("\\", "\\\\")
    log = str(schedule.log).replace("%", "%%")
    service = (
        "[Unit]\nDescription=The night's work of stockcast\n\n"
        f"[Service]\nType=oneshot\nEnvironment=PATH={PATH}\nExecStart={command}\n"
        f"StandardOutput=append:{log}\nStandardError=append:{log}\n"
    )
    timer = (
        "[Unit]\nDescription=The night's work of stockcast, on time\n\n"
        f"[Timer]\nOnCalendar={days} {schedule.hour:02}:{schedule.minute:02}:00\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return {f"{schedule.mark}.service": service, f"{schedule.mark}.timer": timer}


def _systemd_days(days: str) -> str:
    parts = [part.split("-") for part in days.split(",")]
    return ",".join("..".join(WEEKDAYS[int(end)].capitalize() for end in ends) for ends in parts)


def systemd_text(schedule: Schedule) -> str:
    """Both units, each under its file name."""
    return "\n".join(f"# {name}\n{text}" for name, text in systemd_units(schedule).items()).rstrip()


def install_systemd(schedule: Schedule) -> Scheduled:
    """Write the user's units and start the timer. Raises `CannotCreate` if systemd refuses."""
    _systemctl("daemon-reload")  # where that is refused, no units are left lying about
    folder = _unit_folder()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in systemd_units(schedule).items():
        write_output(folder / name, text.encode())
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", f"{schedule.mark}.timer")
    done = f"Installed {schedule.mark}.timer in {folder}. It runs while you are logged in, or after: {LINGER}"
    return Scheduled(systemd_text(schedule), done)


def remove_systemd(schedule: Schedule) -> Scheduled:
    """Stop the timer and delete both units. Raises `NotFound` if they are not there."""
    folder = _unit_folder()
    if not (folder / f"{schedule.mark}.timer").exists():
        raise NotFound(f"there is no {schedule.mark}.timer in {folder}.", "see: systemctl --user list-timers")
    _systemctl("disable", "--now", f"{schedule.mark}.timer")
    for name in systemd_units(schedule):
        (folder / name).unlink(missing_ok=True)
    _systemctl("daemon-reload")
    return Scheduled(systemd_text(schedule), f"Removed {schedule.mark}.timer from {folder}.")


def _unit_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME", "~/.config")).expanduser() / "systemd" / "user"


def _systemctl(*arguments: str) -> None:
    program = shutil.which("systemctl")
    if program is None:
        raise NotFound("there is no systemctl command here.", "use --cron.")
    done = subprocess.run([program, "--user", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotCreate(f"systemctl {arguments[0]} failed: {done.stderr.strip()}.", "mend that, or use --cron.")
