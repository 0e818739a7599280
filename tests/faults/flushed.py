"""Read strace's record of a change and find what a power cut could lose: every name must come after its content.

python tests/faults/flushed.py
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path, PurePath

from victim import OPERATIONS, Operation, copy, make_store, run_traced

_OPENED = re.compile(r'openat\([^,]+, "([^"]+)", ([A-Z_|]+).*\) = \d+<(.+)>')
_WRITTEN = re.compile(r"(?:write|ftruncate)\(\d+<(/.+?)>.*\) = \d+")
_FLUSHED = re.compile(r"fsync\(\d+<(/.+?)>\) += 0")
_RENAMED = re.compile(r'rename\("([^"]+)", "([^"]+)"\) += 0')
_MADE = re.compile(r'mkdir\("([^"]+)", \d+\) += 0')


def main() -> int:
    bad, renamed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        make_store(scratch / "template")
        for name, operation in OPERATIONS.items():
            lines = record(operation, scratch)
            renamed += sum("rename(" in line for line in lines)
            bad += [f"{name}: {fault}" for fault in faults_in(lines)]
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{renamed} renames of {', '.join(OPERATIONS)}: {len(bad)} that a power cut could undo or empty")
    return int(bool(bad) or renamed == 0)


def record(operation: Operation, scratch: Path) -> list[str]:
    store = copy(scratch / "template", scratch)
    options = ["-y", "-s", "4096", "-e", "trace=openat,write,ftruncate,fsync,rename,mkdir"]
    return run_traced(lambda: operation.run(store), options, scratch / "trace").trace


def faults_in(lines: list[str]) -> list[str]:
    """What is not on the disk when a name is given to it, and which names are not on the disk at the end."""
    faults = []
    contents: set[str] = set()  # files whose bytes are not on the disk
    names: dict[str, set[str]] = {}  # folders, and the entries in them that are not on the disk
    for line in lines:
        if made := _MADE.match(line):
            _add(names, made[1])
        elif (opened := _OPENED.match(line)) and "O_CREAT" in opened[2]:
            _add(names, opened[3])
        elif written := _WRITTEN.match(line):
            contents.add(written[1])
        elif flushed := _FLUSHED.match(line):
            contents.discard(flushed[1])
            names.pop(flushed[1], None)
        elif renamed := _RENAMED.match(line):
            old, new = renamed[1], renamed[2]
            inside = [path for path in (*contents, *names) if path == old or path.startswith(f"{old}/")]
            faults += [f"{PurePath(new).name} is named before {PurePath(path).name} is flushed" for path in inside]
            _add(names, old)
            _add(names, new)
    faults += [f"{PurePath(path).name} is never flushed" for path in contents]
    for folder, entries in names.items():
        # What lies aside is swept by the next run, and a lock is made again.
        lost = set() if PurePath(folder).name == ".aside" else entries - {"lock", ".aside"}
        faults += [f"{entry} in {PurePath(folder).name} is never flushed" for entry in lost]
    return faults


def _add(names: dict[str, set[str]], path: str) -> None:
    names.setdefault(str(PurePath(path).parent), set()).add(PurePath(path).name)


if __name__ == "__main__":
    sys.exit(main())
