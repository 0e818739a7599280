"""Kill each operation of the store at every system call that it makes: the champion stays whole, the next run heals.

python tests/faults/kill_at_every_call.py [--every N] [OPERATION ...]
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from victim import CALLS, OPERATIONS, Operation, copy, every_call, heal, make_store, run_traced, state


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every Nth call")
    parser.add_argument("operations", nargs="*", default=list(OPERATIONS))
    arguments = parser.parse_args()
    trials, bad = 0, []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        make_store(scratch / "template")
        for name, call, number in every_call(arguments.operations, CALLS, arguments.every, scratch):
            trials += 1
            fault = attempt(OPERATIONS[name], call, number, scratch)
            if fault:
                bad.append(f"{name}, {call} {number}: {fault}")
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"killed at {trials} system calls of {', '.join(arguments.operations)}: {len(bad)} bad")
    return int(bool(bad) or trials == 0)


def attempt(operation: Operation, call: str, number: int, scratch: Path) -> str | None:
    """What is wrong after a kill at the `number`th `call`, or None."""
    store = copy(scratch / "template", scratch)
    options = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
    outcome = run_traced(lambda: operation.run(store), options, scratch / "trace")
    if outcome.signal != signal.SIGKILL:
        return f"the kill didn't fire (exit {outcome.code})"
    try:
        if state(store) not in (operation.before, operation.after):
            return f"serves {state(store)}"
        heal(store)
    except Exception as error:
        return repr(error)
    return None


if __name__ == "__main__":
    sys.exit(main())
