"""Load models while others are promoted and pruned: no load fails, and none mixes two versions.

python tests/faults/many_readers.py [--readers 8] [--loads 1000] [--promotions 200]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from sample import seeds_of
from victim import make_store, train

from stockcast.store.store import Store


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--loads", type=int, default=1000)
    parser.add_argument("--promotions", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder) / "models")
        readers = [start_reader(store, arguments.loads) for _ in range(arguments.readers)]
        promotions, codes = 0, dict.fromkeys(readers, -1)
        while promotions < arguments.promotions or -1 in codes.values():
            promotions += 1
            train(store, "acme", 3 + promotions)
            store.prune("acme", keep=0)
            for reader in (one for one, code in codes.items() if code == -1):
                ended, status = os.waitpid(reader, os.WNOHANG)
                if ended:
                    codes[reader] = os.waitstatus_to_exitcode(status)
    bad = sum(code != 0 for code in codes.values())
    loads = f"{arguments.readers} readers x {arguments.loads} loads"
    print(f"{loads} during {promotions} promotions: {bad} readers failed or saw a mixture")
    return int(bad != 0)


def start_reader(store: Store, loads: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        seen = [0]
        for _ in range(loads):
            (seed,) = seeds_of(store.load("acme"))
            if seed < seen[-1]:
                raise RuntimeError(f"serves {seed} after {seen[-1]}")
            seen.append(seed)
        if len(set(seen)) < 3:
            raise RuntimeError("nothing was promoted while it read")
    except BaseException as error:  # a fork must not run on into the parent's code
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
