"""Train again on a disk that is full after so many bytes: one line, exit 74, and the champion byte for byte as before.

    unshare --mount python tests/faults/full_disk.py [--every N]

Needs the right to mount; `unshare` makes sure that no mount outlives the run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from sample import NOW, make_bundle
from victim import heal, make_store, state

from stockcast.errors import IOFailure
from stockcast.store.store import Store

PAGE = 4096
SIZES = 64


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every Nth size")
    arguments = parser.parse_args()
    outcomes = {"refused": 0, "saved": 0}
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        for pages in range(0, SIZES, arguments.every):
            try:
                outcomes[attempt(Path(folder), pages)] += 1
            except Exception as error:
                bad.append(f"{pages} pages free: {error!r}")
            finally:
                subprocess.run(["umount", folder], check=True)
    print(*bad, sep="\n", end="\n" if bad else "")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    print(f"full disks of {sum(outcomes.values())} sizes: {counts}, {len(bad)} bad")
    return int(bool(bad) or 0 in outcomes.values())


def attempt(disk: Path, pages: int) -> str:
    """Train on a disk with so many `pages` free, then once more with plenty. Raises if anything is wrong."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=True)
    store = make_store(disk / "models")
    before = (store.root / "acme" / "champion.json").read_bytes()
    resize(disk, used_bytes(disk) + pages * PAGE)
    outcome = "saved"
    try:
        save(store)
    except IOFailure as failure:
        outcome = "refused"
        if "\n" in failure.message or "no space left" not in failure.message:
            raise
        if (store.root / "acme" / "champion.json").read_bytes() != before:
            raise RuntimeError("the champion changed") from failure
        if any((store.root / "acme" / ".aside").iterdir()):
            raise RuntimeError("half a version still takes up the disk") from failure
    if state(store) != {"acme": 3 if outcome == "refused" else 7}:
        raise RuntimeError(f"serves {state(store)}")
    resize(disk, 16 << 20)
    heal(store)
    return outcome


def save(store: Store) -> None:
    """A version of about 50 pages, then its promotion."""
    version = store.save("acme", make_bundle(7, weights=40_000), NOW)
    store.promote("acme", version, "trained", NOW, {"event": "train", "version": version})


def used_bytes(disk: Path) -> int:
    line = subprocess.run(["df", "--block-size=1", "--output=used", disk], check=True, capture_output=True, text=True)
    return int(line.stdout.split()[-1])


def resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


if __name__ == "__main__":
    sys.exit(main())
