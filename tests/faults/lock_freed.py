"""Kill the holder of a model's lock: how soon another can have it.

python tests/faults/lock_freed.py [--kills 200] [--limit-ms 100]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from stockcast.errors import Busy
from stockcast.store.store import Store


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--limit-ms", type=float, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        waits = [wait_after_kill(store) for _ in range(arguments.kills)]
    late = sum(wait > arguments.limit_ms for wait in waits)
    print(f"{len(waits)} holders killed: lock free after {max(waits):.1f} ms at most, {late} too late")
    return int(late > 0)


def wait_after_kill(store: Store) -> float:
    """Milliseconds from the kill of a holder until the lock is had. Raises unless the holder kept it until then."""
    child = start_holder(store)
    alone = not had(store)
    begin = time.perf_counter()
    os.kill(child, signal.SIGKILL)
    if not alone:
        raise RuntimeError("two hold the lock")
    while not had(store):
        time.sleep(0.0005)
    wait = 1e3 * (time.perf_counter() - begin)
    os.waitpid(child, 0)
    return wait


def start_holder(store: Store) -> int:
    held = os.pipe()
    child = os.fork()
    if child == 0:
        with store.lock("acme"):
            os.write(held[1], b"!")
            signal.pause()
        os._exit(0)
    os.read(held[0], 1)
    for end in held:
        os.close(end)
    return child


def had(store: Store) -> bool:
    try:
        with store.lock("acme"):
            return True
    except Busy:
        return False


if __name__ == "__main__":
    sys.exit(main())
