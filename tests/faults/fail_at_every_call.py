"""Let every system call of the store's operations fail once: one line, exit 73 or 74, and the champion untouched.

python tests/faults/fail_at_every_call.py [--every N] [--error ENOSPC ...] [OPERATION ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from victim import CALLS, OPERATIONS, copy, every_call, heal, make_store, run_traced, state

FAILING = tuple(call for call in CALLS if call != "flock")
"""Unlocking comes after the change, and a kernel's lock on a local disk has nothing to fail on."""

# filelock makes the lock's folder once more though it is there.
HARMLESS = ("mkdir",)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every Nth call")
    parser.add_argument("--error", action="append", help="default: ENOSPC, EIO and EROFS")
    parser.add_argument("operations", nargs="*", default=list(OPERATIONS))
    arguments = parser.parse_args()
    trials, bad = 0, []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        make_store(scratch / "template")
        for name, call, number in every_call(arguments.operations, FAILING, arguments.every, scratch):
            for error in arguments.error or ["ENOSPC", "EIO", "EROFS"]:
                trials += 1
                fault = attempt(name, call, error, number, scratch)
                if fault:
                    bad.append(f"{name}, {call} {number} {error}: {fault}")
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"failed at {trials} system calls of {', '.join(arguments.operations)}: {len(bad)} bad")
    return int(bool(bad) or trials == 0)


def attempt(name: str, call: str, error: str, number: int, scratch: Path) -> str | None:
    """What is wrong after the `number`th `call` failed with `error`, or None."""
    operation = OPERATIONS[name]
    store = copy(scratch / "template", scratch)
    pointer = store.root / "acme" / "champion.json"
    before = pointer.read_bytes()
    options = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"]
    outcome = run_traced(lambda: operation.run(store), options, scratch / "trace")
    if sum("(INJECTED)" in line for line in outcome.trace) != 1:
        return "the failure didn't fire"
    if outcome.code == 0 and call in HARMLESS and state(store) == operation.after:
        return None
    if outcome.code not in (73, 74) or not outcome.message or "\n" in outcome.message:
        return f"exit {outcome.code}: {outcome.message!r}"
    try:
        now = state(store)
        if now != operation.before and not (name == "remove" and now == operation.after):
            return f"serves {now}"
        if now and pointer.read_bytes() != before:
            return "the pointer changed"
        heal(store)
    except Exception as error_after:
        return repr(error_after)
    return None


if __name__ == "__main__":
    sys.exit(main())
