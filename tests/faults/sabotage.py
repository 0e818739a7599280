"""Take one protection at a time out of a copy of the code: each time some test must go red.

python tests/faults/sabotage.py [WORD ...]    only the protections whose names hold one of the words
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from whole import ROOT

TESTS = (
    *("tests/store", "tests/evaluate/test_gate.py", "tests/model/test_serve.py"),
    *("tests/jobs/test_unattended.py", "tests/jobs/test_output.py"),
)
COPIED = ("stockcast", "tests", "configs", "pyproject.toml", "setup.cfg")


@dataclass(frozen=True)
class Protection:
    """Some lines of a file, and what is left when they are taken out."""

    file: str
    lines: str
    left: str = ""


PROTECTIONS = {
    "the fsync of a file": Protection(
        "store/atomic.py",
        "        write_all(file.fileno(), data)\n        os.fsync(file.fileno())\n",
        "        write_all(file.fileno(), data)\n",
    ),
    "the fsync of a folder": Protection("store/atomic.py", "        os.fsync(descriptor)\n", "        pass\n"),
    "the fsync of the log": Protection(
        "store/atomic.py",
        "            write_all(file.fileno(), line)\n            os.fsync(file.fileno())\n",
        "            write_all(file.fileno(), line)\n",
    ),
    "writing the pointer aside": Protection(
        "store/atomic.py",
        "            _write_new(temporary, data, like)\n            temporary.replace(path)\n        except",
        "            path.write_bytes(data)\n        except",
    ),
    "the lock of writers": Protection("store/lock.py", "            lock.acquire()\n", "            pass\n"),
    "the lock of readers": Protection(
        "store/lock.py", "if not _flock(descriptor, fcntl.LOCK_SH, folder):", "if False:"
    ),
    "the manifest's check of a file": Protection(
        "store/read_version.py", 'if sha256(data) != expected["sha256"]:', "if False:"
    ),
    "the pointer's check of the manifest": Protection(
        "store/read_version.py", "if manifest_sha256 not in (None, digest):", "if False:"
    ),
    "the version's check of its manifest": Protection(
        "store/manifest.py",
        'if sha256(with_version(data, "", manifest.version))[:8] != manifest.version[-8:]:',
        "if False:",
    ),
    "the check of numbers and networks": Protection(
        "store/read_version.py", "    check_content(path, data)\n    return data", "    return data"
    ),
    "the gate's sanity check": Protection("evaluate/gate.py", "fault = sanity_check(challenger)", "fault = None"),
    "the gate's limit": Protection("evaluate/gate.py", "Decision(ratio <= 1 + tolerance,", "Decision(True,"),
    "the refusal of links": Protection(
        "store/store.py", "        atomic.refuse_link(folder)\n        atomic.refuse_link(folder / _VERSIONS)\n"
    ),
    "the refusal of a link to folds": Protection("store/fold_cache.py", "        refuse_link(self.root)\n"),
    "the refusal of inputs as outputs": Protection("jobs/output.py", "if _is_among(path, str(text)):", "if False:"),
    "the refusal of the store as an output": Protection(
        "jobs/output.py", "if place.is_relative_to(os.path.realpath(store)):", "if False:"
    ),
    "an output's mode": Protection("jobs/output.py", "like=known", "like=None"),
    "the check that forecasts are numbers": Protection("jobs/predict.py", "    _demand_numbers(forecast, loaded)\n"),
    "the check of a forged scaler": Protection("store/model_files.py", "    if fault:\n", "    if False:\n"),
    "the limit of a network's time": Protection("model/serve.py", "            timer.start()\n"),
    "the silence about other files": Protection(
        "jobs/source.py",
        " if quoting else _read_unquoted(local.paths, hints)",
        " if True else _read_unquoted(local.paths, hints)",
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    chosen = {what: one for what, one in PROTECTIONS.items() if not words or any(word in what for word in words)}
    unseen = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in COPIED:
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, copy / part)
        if red := red_tests(copy):
            raise RuntimeError(f"with every protection these are red: {red}")
        for what, one in chosen.items():
            red = red_without(one, copy)
            print(what, *(red or ["NOTHING WENT RED"]), sep="\n    ", flush=True)
            unseen += [] if red else [what]
    print(f"{len(chosen)} protections taken out, one at a time: {len(unseen)} that no test missed")
    return int(bool(unseen) or not chosen)


def red_without(one: Protection, copy: Path) -> list[str]:
    """The tests that go red when this protection is taken out. Raises if it isn't there, exactly once."""
    path = copy / "stockcast" / one.file
    kept = path.read_text()
    if kept.count(one.lines) != 1:
        raise RuntimeError(f"{one.file} does not hold {one.lines!r} once")
    path.write_text(kept.replace(one.lines, one.left))
    red = red_tests(copy)
    path.write_text(kept)
    return red


def red_tests(copy: Path) -> list[str]:
    """The names of the tests of `copy` that fail. Raises if they can't be run."""
    quick = ("-m", "not tensorflow", "--numprocesses", "2", "--dist", "worksteal", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", "--tb=no", "-rfE", *quick, *TESTS],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    names = re.findall(r"^(?:FAILED|ERROR) \S+?::(\w+)", done.stdout, re.MULTILINE)
    return sorted(set(names))


if __name__ == "__main__":
    sys.exit(main())
