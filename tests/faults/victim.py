"""A child process that changes a store while something goes wrong, and what the store holds afterwards."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sample import NOW, make_bundle, seeds_of

from stockcast.errors import StockcastError
from stockcast.store.store import Store

State = dict[str, int]

CALLS = ("openat", "write", "fsync", "rename", "mkdir", "unlink", "unlinkat", "rmdir", "ftruncate", "flock")
"""Every system call by which the store changes the disk, and those that open, flush and lock."""

_PATIENCE = 30


@dataclass(frozen=True)
class Operation:
    """A change to the store that `make_store` makes, and what the store serves before and after it."""

    run: Callable[[Store], object]
    before: State
    after: State


def train(store: Store, name: str, seed: int) -> None:
    now = NOW + timedelta(days=seed)
    with store.lock(name):
        version = store.save(name, make_bundle(seed), now)
        store.promote(name, version, "trained", now, {"event": "train", "version": version})


def make_store(root: Path) -> Store:
    """Three versions of one model, of which 3 serves and 2 served before."""
    store = Store(root)
    for seed in (1, 2, 3):
        train(store, "acme", seed)
    return store


OPERATIONS = {
    "train": Operation(lambda store: train(store, "fresh", 7), {"acme": 3}, {"acme": 3, "fresh": 7}),
    "retrain": Operation(lambda store: train(store, "acme", 7), {"acme": 3}, {"acme": 7}),
    "rollback": Operation(lambda store: store.rollback("acme", None, "by hand", NOW), {"acme": 3}, {"acme": 2}),
    "limit": Operation(lambda store: store.amend("acme", max_age=7), {"acme": 3}, {"acme": 3}),
    "prune": Operation(lambda store: store.prune("acme", keep=0), {"acme": 3}, {"acme": 3}),
    "remove": Operation(lambda store: store.remove("acme"), {"acme": 3}, {}),
}


def state(store: Store) -> State:
    """The seed that each model serves. Raises if a champion or any version is damaged, or versions are mixed."""
    for name in store.names():
        faults = {what: fault for what, fault in store.verify(name).items() if fault}
        if faults:
            raise RuntimeError(f"{name}: {faults}")
    served = {name: seeds_of(store.load(name)) for name in store.names()}
    if any(len(seeds) != 1 for seeds in served.values()):
        raise RuntimeError(f"mixed versions: {served}")
    return {name: seed for name, (seed,) in served.items()}


def heal(store: Store) -> None:
    """The next run, for every model that was ever begun. Raises unless it serves and nothing is left lying about."""
    for folder in store.root.iterdir():
        train(store, folder.name, 9)
        left = sorted(path.name for path in folder.iterdir())
        aside = sorted(path.name for path in (folder / ".aside").iterdir())
        if aside or left != [".aside", "champion.json", "lock", "log.jsonl", "versions"]:
            raise RuntimeError(f"left lying about: {left}, {aside}")
    if set(state(store).values()) != {9}:
        raise RuntimeError("the next run doesn't serve")


@dataclass(frozen=True)
class Outcome:
    """How a child ended: the signal that killed it or None, its exit code, its message, and strace's lines."""

    signal: int | None
    code: int
    message: str
    trace: list[str]


def run_traced(operation: Callable[[], object], options: list[str], trace: Path) -> Outcome:
    """Run `operation` in a forked child under strace, which is told `options` and begins with the operation."""
    go, told = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _live(operation, go, told)
    os.close(go[0])
    os.close(told[1])
    tracer = _attach(child, options, trace)
    os.close(go[1])
    message = b""
    while block := os.read(told[0], 4096):
        message += block
    os.close(told[0])
    _, status = os.waitpid(child, 0)
    tracer.wait(_PATIENCE)
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = -1 if killed else os.WEXITSTATUS(status)
    return Outcome(killed, code, message.decode(errors="replace"), trace.read_text(errors="replace").splitlines())


def _live(operation: Callable[[], object], go: tuple[int, int], told: tuple[int, int]) -> None:
    """The child: wait for the word, do it, tell the failure, and end with its exit code."""
    os.close(go[1])
    os.close(told[0])
    os.read(go[0], 1)
    try:
        operation()
    except StockcastError as error:
        os.write(told[1], error.message.encode())
        os._exit(error.exit_code)
    except BaseException as error:  # whatever it is, the parent judges it
        os.write(told[1], repr(error).encode())
        os._exit(70)
    os._exit(0)


def _attach(child: int, options: list[str], trace: Path) -> subprocess.Popen[bytes]:
    tracer = subprocess.Popen(["strace", "-p", str(child), "-o", str(trace), *options], stderr=subprocess.PIPE)
    begin = time.monotonic()
    said = b""
    while b"attached" not in said:
        if tracer.poll() is not None or time.monotonic() > begin + _PATIENCE or tracer.stderr is None:
            os.kill(child, signal.SIGKILL)
            raise RuntimeError(f"strace can't attach: {said.decode(errors='replace')}")
        if select.select([tracer.stderr], [], [], 0.1)[0]:
            said += os.read(tracer.stderr.fileno(), 4096)
    return tracer


def every_call(
    operations: Sequence[str], calls: Sequence[str], step: int, scratch: Path
) -> Iterator[tuple[str, str, int]]:
    """Each operation's name with each of its system calls, or every `step`th: which call, and the how manieth of it."""
    for name in operations:
        counts = count_calls(OPERATIONS[name], scratch / "template", scratch)
        for call in calls:
            for number in range(1, counts[call] + 1, step):
                yield name, call, number


def count_calls(operation: Operation, template: Path, scratch: Path) -> Counter[str]:
    """How often `operation` makes each of `CALLS` when nothing goes wrong."""
    store = copy(template, scratch)
    outcome = run_traced(lambda: operation.run(store), ["-e", f"trace={','.join(CALLS)}"], scratch / "trace")
    if outcome.code != 0 or state(store) != operation.after:
        raise RuntimeError(f"it fails without a fault: {outcome.message}")
    return Counter(match[1] for line in outcome.trace if (match := re.match(r"(\w+)\(", line)))


def copy(template: Path, scratch: Path) -> Store:
    """A fresh copy of the store in `template`, in the place of the one before."""
    root = scratch / "models"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root)
    return Store(root)
