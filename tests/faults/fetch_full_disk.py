"""Fetch onto a disk that is full after so many bytes: exit 74, the old pair whole; with space, the next run is right.

    unshare --mount python tests/faults/fetch_full_disk.py [--every N]

Needs the right to mount; `unshare` makes sure that no mount outlives the run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from fetch import Night, pair
from full_disk import PAGE, resize, used_bytes

SIZES = 24


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="only every Nth size")
    arguments = parser.parse_args()
    os.environ |= {"TIINGO_API_KEY": "a-token", "no_proxy": "127.0.0.1"}
    outcomes, bad = {"refused": 0, "written": 0}, []
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as disk:
        night = Night(Path(scratch))
        for pages in range(0, SIZES, arguments.every):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
            try:
                outcomes[attempt(night, Path(disk), pages)] += 1
            except Exception as error:
                bad.append(f"{pages} pages free: {error!r}")
            finally:
                subprocess.run(["umount", disk], check=True)
        night.server.close()
    print(*bad, sep="\n", end="\n" if bad else "")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    print(f"full disks of {sum(outcomes.values())} sizes: {counts}, {len(bad)} bad")
    return int(bool(bad) or 0 in outcomes.values())


def attempt(night: Night, disk: Path, pages: int) -> str:
    """Fetch onto a disk with so many `pages` free, then once more with plenty. Raises if anything is wrong."""
    night.folder = disk / "prices"
    night.copy()
    resize(disk, used_bytes(disk) + pages * PAGE)
    code = night.fetch(night.folder)
    if code not in (0, 74):
        raise RuntimeError(f"it ended with {code}")
    if pair(night.folder) not in ([night.after] if code == 0 else [night.before, night.after]):
        raise RuntimeError(f"it ended with {code}, and the pair is another one")
    resize(disk, 16 << 20)
    if night.fetch(night.folder) or pair(night.folder) != night.after:
        raise RuntimeError("the next run does not bring it up to date")
    left = sorted(path.name for path in night.folder.iterdir())
    if left != [".lock", "ACME.csv", "ACME.json"]:
        raise RuntimeError(f"left lying about: {left}")
    return "written" if code == 0 else "refused"


if __name__ == "__main__":
    sys.exit(main())
