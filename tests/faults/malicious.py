"""Load every kind of damaged and malicious model: each is refused, soon, in little memory, and touching nothing.

python tests/faults/malicious.py [--limit-ms 1000] [--limit-mb 200]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from attacks import ATTACKS, Attack
from victim import copy, make_store

from stockcast.errors import ModelDamaged
from stockcast.store.manifest import LARGEST
from stockcast.store.store import Store

PATIENCE = 20
HARMFUL = ("subprocess", "os.exec", "os.fork", "os.system", "os.posix_spawn", "socket", "pickle", "ctypes", "os.remove")
BROUGHT = ("tensorflow", "keras", "onnxruntime", "pandas")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit-ms", type=float, default=1000)
    parser.add_argument("--limit-mb", type=float, default=200)
    arguments = parser.parse_args()
    bad, slowest, largest = [], (0.0, ""), (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        make_store(scratch / "template")
        os.chdir(scratch)
        for name, (file, attack) in ATTACKS.items():
            said, milliseconds, megabytes = attempt(attack, copy(scratch / "template", scratch))
            slowest, largest = max(slowest, (milliseconds, name)), max(largest, (megabytes, name))
            if not said.startswith("refused") or file not in said:
                bad.append(f"{name}: {said}")
        if (scratch / "executed").exists():
            bad.append("code was executed")
    print(*bad, sep="\n", end="\n" if bad else "")
    most = f"at most {slowest[0]:.0f} ms ({slowest[1]}) and {largest[0]:.0f} MB ({largest[1]})"
    print(f"{len(ATTACKS)} kinds of bad model: {len(bad)} got through; {most}")
    return int(bool(bad) or slowest[0] > arguments.limit_ms or largest[0] > arguments.limit_mb)


def attempt(attack: Attack, store: Store) -> tuple[str, float, float]:
    """What loading the attacked store in a process of its own led to, its milliseconds and its megabytes."""
    prepared = os.fork()
    if prepared == 0:
        attack(store)
        os._exit(0)
    os.waitpid(prepared, 0)
    told = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(told[1], load(store).encode())
        os._exit(0)
    os.close(told[1])
    said = os.read(told[0], 65536).decode()
    os.close(told[0])
    _, _, usage = os.wait4(child, 0)
    verdict, _, milliseconds = said.rpartition(" ")
    return verdict, float(milliseconds or "inf"), usage.ru_maxrss / 1024


def load(store: Store) -> str:
    """The verdict and the milliseconds, with a watch over everything the interpreter is asked to do."""
    seen: list[str] = []
    sys.addaudithook(lambda event, found: _watch(store, seen, event, found))
    signal.alarm(PATIENCE)
    begin = time.perf_counter()
    try:
        store.load("acme")
        verdict = "loaded"
    except ModelDamaged as error:
        verdict = f"refused: {error.message}"
    except BaseException as error:  # whatever it is, the parent judges it
        verdict = repr(error)
    milliseconds = 1e3 * (time.perf_counter() - begin)
    seen += [name for name in BROUGHT if name in sys.modules]
    return f"{f'harm: {seen}' if seen else verdict} {milliseconds}"


def _watch(store: Store, seen: list[str], event: str, found: tuple[object, ...]) -> None:
    if event.startswith(HARMFUL):
        seen.append(event)
    if event == "open" and isinstance(found[0], str) and isinstance(found[2], int):
        # A version's files are opened by their bare names in their open folder.
        inside = found[0].startswith((str(store.root), sys.prefix, sys.base_prefix)) or found[0] in LARGEST
        if not inside or found[2] & (os.O_WRONLY | os.O_RDWR):
            seen.append(f"open {found[0]}")


if __name__ == "__main__":
    sys.exit(main())
