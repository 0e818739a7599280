"""Make folders for awkward model names: each is inside the store, and no two names share one.

python tests/faults/many_names.py [--names 10000] [--seed 0]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from stockcast.errors import UsageError
from stockcast.store.names import model_name
from stockcast.store.store import Store

PIECES = [
    *("/", "\\", ".", "..", "../", "~", "-", "%", "%2e", " ", ":", "*", "\n", "\0", "\x1b[2J", "\u202e", "\udcff"),
    *("con", "NUL", "lock", "versions", "champion.json", ".aside", "ibm", "IBM", "a" * 100),
    *("株式会社", "Ünïcödé", "اسهم", "🚀"),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chosen = random.Random(arguments.seed)
    names: set[str] = set()
    while len(names) < arguments.names:
        names.add("".join(chosen.choices(PIECES, k=chosen.randint(1, 5))))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        store = Store(scratch / "outer" / "models")
        kept = {name for name in sorted(names) if takes(store, name)}
        folders = {entry.name for entry in store.root.iterdir()}
        outside = [path for path in scratch.rglob("*") if not path.is_relative_to(store.root)]
        deep = [path for path in store.root.rglob("*") if len(path.relative_to(store.root).parts) > 2]
    escapes = len(outside) - 1 + len(deep)  # the folder around the store is no escape
    same = {model_name(one) for one in folders} == kept
    print(f"{len(names)} names, {len(kept)} of them kept in folders of their own ({same}): {escapes} escapes")
    return int(escapes != 0 or not same or not kept)


def takes(store: Store, name: str) -> bool:
    """Whether the store makes a folder for `name`."""
    try:
        with store.lock(name):
            return True
    except UsageError:
        return False


if __name__ == "__main__":
    sys.exit(main())
