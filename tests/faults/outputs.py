"""Name everything with `-o` that a slip can name: what must not be lost is as it was, and what is written is whole.

python tests/faults/outputs.py [--kills 200] [--seed 0]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from whole import GOLDEN_PRICES, ROOT

from stockcast.cli import run
from stockcast.jobs.output import write_output
from stockcast.store.store import Store

GOLDEN = ROOT / "tests" / "jobs" / "golden" / "schema-1"

COMMANDS = {
    "predict": ["predict", "acme", "--csv", "acme.csv", "--format", "csv"],
    "export": ["export", "acme"],
    "plot": ["plot", "acme", "--csv", "acme.csv"],
    "backtest": ["backtest", "--csv", "acme.csv", "--from", "2020-10-01", "--config", "mine.toml"],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    bad: list[str] = []
    tried = 0
    with tempfile.TemporaryDirectory() as folder:
        for command in COMMANDS:
            for what, prepare in REFUSED.items():
                tried += 1
                bad += [f"{command} -o {what}: {fault}" for fault in lost(Path(folder), command, prepare)]
        for what, check in WRITTEN.items():
            tried += 1
            fault = written(Path(folder), check)
            bad += [f"{what}: {fault}"] if fault else []
        kills, torn = killed(Path(folder), arguments.kills, random.Random(arguments.seed))
        bad += torn
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{tried} slips with -o and {kills} kills while a file was written: {len(bad)} lost or torn")
    return int(bool(bad) or kills == 0)


def place(folder: Path) -> None:
    """Make a fresh folder with a store, prices and a configuration, and go there."""
    os.chdir("/")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chdir(folder)
    shutil.copytree(GOLDEN, "models")
    shutil.copy(GOLDEN_PRICES, "acme.csv")
    Path("mine.toml").write_text("[fit]\nepochs = 1\n")
    store, now = Store(Path("models")), datetime.now(UTC)
    bundle = store.load("acme")
    recorded = replace(bundle, manifest=replace(bundle.manifest, csv=(str(Path("acme.csv").resolve()),)))
    store.promote("acme", store.save("acme", recorded, now), "trained", now)


def call(command: str, output: str) -> int:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run([*COMMANDS[command], "-o", output])


def contents() -> dict[str, object]:
    """What every path of the folder is, and holds."""
    return {
        str(path): str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in Path().rglob("*")
    }


def lost(folder: Path, command: str, prepare: Callable[[str], str]) -> list[str]:
    """What changed by a command that writes to what it must not."""
    place(folder / "place")
    output = prepare(".png" if command == "plot" else ".csv")
    before = contents()
    code = call(command, output)
    if command == "plot" and not output.endswith(".png"):
        return [] if code == 2 and contents() == before else [f"exit code {code}"]
    changed = [path for path, held in contents().items() if before.get(path, ...) != held]
    return [f"exit code {code}"] * (code != 65) + [f"changed {path}" for path in changed]


def _link(target: str) -> Callable[[str], str]:
    def prepare(suffix: str) -> str:
        Path(f"link{suffix}").symlink_to(target)
        return f"link{suffix}"

    return prepare


def _hard(suffix: str) -> str:
    os.link("acme.csv", f"hard{suffix}")
    return f"hard{suffix}"


REFUSED: Mapping[str, Callable[[str], str]] = {
    "a link to the prices": _link("acme.csv"),
    "another name of the prices": _hard,
    "a link into the store": _link("models/acme/champion.json"),
    "a link to nothing in the store": _link("models/acme/new"),
    "a new file of the store": lambda suffix: f"models/new{suffix}",
    "a new file of a model": lambda suffix: f"models/acme/versions/new{suffix}",
    "a file of the store by a way round": lambda suffix: f"models/../models/new{suffix}",
}


def written(folder: Path, check: Callable[[], str | None]) -> str | None:
    place(folder / "place")
    return check()


def _mode() -> str | None:
    path = Path("out.csv")
    path.write_text("old")
    for mode in (0o600, 0o640, 0o666, 0o755):
        path.chmod(mode)
        if call("predict", "out.csv") or stat.S_IMODE(path.stat().st_mode) != mode:
            return f"mode {mode:o}: {stat.S_IMODE(path.stat().st_mode):o}"
    return None


def _linked() -> str | None:
    Path("deep").mkdir()
    Path("deep/target.csv").write_text("old")
    Path("link.csv").symlink_to("deep/target.csv")
    code = call("predict", "link.csv")
    whole = Path("deep/target.csv").read_text().startswith("series,date")
    return None if code == 0 and Path("link.csv").is_symlink() and whole else f"exit code {code}"


def _pipe() -> str | None:
    os.mkfifo("fifo")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path("fifo").read_bytes()))
    reader.start()
    code = call("predict", "fifo")
    reader.join(30)
    kept = stat.S_ISFIFO(Path("fifo").stat().st_mode)
    return None if code == 0 and kept and read and read[0].startswith(b"series,date") else f"exit code {code}"


def _terminal() -> str | None:
    """A device: whatever is written to a terminal of our own can be read at its other end."""
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    code = call("predict", name)
    kept, told = Path(name).is_char_device(), os.read(ours, 11)
    os.close(ours)
    os.close(theirs)
    return None if code == 0 and kept and told == b"series,date" else f"exit code {code}"


def _full() -> str | None:
    code = call("predict", "/dev/full")
    return None if code == 74 and Path("/dev/full").is_char_device() else f"exit code {code}"


WRITTEN: Mapping[str, Callable[[], str | None]] = {
    "a file's mode": _mode,
    "a link": _linked,
    "a pipe": _pipe,
    "a terminal": _terminal,
    "a full device": _full,
}


def killed(folder: Path, most: int, moment: random.Random) -> tuple[int, list[str]]:
    """Kill a writer at random moments: how many were still writing, and each time that a file was neither."""
    place(folder / "place")
    path, data = Path("out.csv"), [bytes([digit]) * (1 << 20) for digit in b"01"]
    write_output(path, data[0])
    begin = time.perf_counter()
    write_output(path, data[0])
    usual, kills, torn = time.perf_counter() - begin, 0, []
    for trial in range(most):
        child = os.fork()
        if child == 0:
            write_output(path, data[trial % 2])
            os._exit(0)
        time.sleep(moment.uniform(0, 2 * usual))
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        if path.read_bytes() not in data:
            torn.append(f"kill {trial}: a mixture")
    write_output(path, data[1])
    return kills, torn


if __name__ == "__main__":
    sys.exit(main())
