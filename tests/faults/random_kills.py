"""Kill the store's writer at random moments: what is served afterwards is the old or the new version, bit for bit.

python tests/faults/random_kills.py [--kills 1000] [--seed 0]
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from sample import make_bundle
from victim import heal, make_store, state, train

from stockcast.store.store import Store


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    moment = random.Random(arguments.seed)
    bad, trials, kills, torn = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder) / "models")
        usual = seconds_of_a_run(store)
        served = 4
        # A writer that came to its end before the kill is checked, but not counted.
        while (kills < arguments.kills or torn == 0) and trials < 50 * arguments.kills:
            trials += 1
            fresh = 1000 + trials
            kills += killed(moment.uniform(0, usual), store, fresh)
            torn += any((store.root / "acme").glob(".aside/*"))
            now = state(store)["acme"]
            if now not in (served, fresh) or store.load("acme").files != make_bundle(now).files:
                bad.append(f"trial {trials}: serves {now} instead of {served} or {fresh}")
            served = now
        heal(store)
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{kills} kills at random moments, {torn} of them in mid-write: {len(bad)} bad")
    return int(bool(bad) or torn == 0 or kills < arguments.kills)


def seconds_of_a_run(store: Store) -> float:
    begin = time.perf_counter()
    change(store, 4)
    return time.perf_counter() - begin


def change(store: Store, seed: int) -> None:
    train(store, "acme", seed)
    store.prune("acme", keep=2)


def killed(seconds: float, store: Store, seed: int) -> bool:
    """Start a writer and kill it: whether it was still running."""
    begun = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(begun[1], b"!")
        change(store, seed)
        os._exit(0)
    os.read(begun[0], 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    for end in begun:
        os.close(end)
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    sys.exit(main())
