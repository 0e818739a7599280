"""Put a link in each place of a store and make every change to it: what the link points to stays as it was.

python tests/faults/links.py
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sample import NOW
from victim import OPERATIONS, copy, make_store

from stockcast.errors import StockcastError
from stockcast.store.store import Store

PLACES = ("", "versions", "versions/*", "champion.json", "log.jsonl", "lock", ".aside", "progress.npz")


def keep_progress(store: Store) -> None:
    with store.lock("acme"):
        store.progress("acme", "run").keep("part", {"loss": np.ones(3)})


CHANGES: dict[str, Callable[[Store], object]] = {
    "log": lambda store: store.append_log("acme", {"event": "train"}),
    "keep progress": keep_progress,
    "promote": lambda store: store.promote("acme", store.versions("acme")[0], "by hand", NOW, {"event": "promote"}),
    **{name: operation.run for name, operation in OPERATIONS.items() if name != "train"},
}
"""The removal comes last."""


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    bad, tried, refused = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        make_store(scratch / "template")
        for place in PLACES:
            for name, change in CHANGES.items():
                tried += 1
                store, outside = linked(scratch, place)
                before = contents(outside)
                refused += is_refused(change, store)
                bad += [f"{name} with a link at acme/{place}"] if contents(outside) != before else []
        bad += itself_a_link(scratch)
    print(*bad, sep="\n", end="\n" if bad else "")
    print(f"{tried} changes to a store with a link in it, {refused} of them refused: {len(bad)} went through a link")
    return int(bool(bad) or refused == 0)


def linked(scratch: Path, place: str) -> tuple[Store, Path]:
    """A fresh store in which `place` of its model is a link, and the folder outside that holds what was there."""
    store, outside = copy(scratch / "template", scratch), scratch / "outside"
    shutil.rmtree(outside, ignore_errors=True)
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    model = store.root / "acme"
    found = sorted(model.glob(place)) if place else [model]
    path = found[0] if found else model / place
    if path.exists():
        path.rename(outside / path.name)
    else:
        (outside / path.name).write_bytes(b"x")
    path.symlink_to(outside / path.name)
    return store, outside


def is_refused(change: Callable[[Store], object], store: Store) -> bool:
    try:
        change(store)
    except StockcastError:
        return True
    return False


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def itself_a_link(scratch: Path) -> list[str]:
    """Which changes are refused in a store that is itself a link, and should not be."""
    store = copy(scratch / "template", scratch)
    (scratch / "linked").symlink_to(store.root)
    return [name for name, change in CHANGES.items() if is_refused(change, Store(scratch / "linked"))]


if __name__ == "__main__":
    sys.exit(main())
