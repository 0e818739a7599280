"""Record on a disk that is full after so many bytes: the forecast is printed, exit 74, and the ledger stays readable.

    unshare --mount python tests/faults/ledger_full_disk.py [--every N]

Needs the right to mount; `unshare` makes sure that no mount outlives the run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from full_disk import PAGE, resize, used_bytes
from issues import faults, issue_count
from ledger_kills import make_store, record

from stockcast.ledger import clock
from stockcast.ledger.connection import ledger_path

SIZES = 64


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="only every Nth size")
    arguments = parser.parse_args()
    moment = datetime.fromisoformat("2020-11-03T22:30:00+00:00")
    clock.utc_now = lambda: moment
    outcomes, bad = {"refused": 0, "recorded": 0}, []
    with tempfile.TemporaryDirectory() as disk, tempfile.TemporaryDirectory() as elsewhere:
        for before in (0, 1):
            for pages in range(0, SIZES, arguments.every):
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], check=True)
                try:
                    outcomes[attempt(Path(disk), Path(elsewhere), pages, before)] += 1
                except Exception as error:
                    bad.append(f"{before} issues, {pages} pages free: {error!r}")
                finally:
                    subprocess.run(["umount", disk], check=True)
    print(*bad, sep="\n", end="\n" if bad else "")
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    print(f"full disks of {sum(outcomes.values())} sizes: {counts}, {len(bad)} bad")
    return int(bool(bad) or 0 in outcomes.values())


def attempt(disk: Path, elsewhere: Path, pages: int, before: int) -> str:
    """Record on a disk with so many `pages` free, then once more with plenty. Raises if anything is wrong."""
    store, path = disk / "models", ledger_path(disk / "models")
    make_store(store, elsewhere / "acme.csv")
    for _ in range(before):
        record(store, elsewhere / "said.json")
    resize(disk, used_bytes(disk) + pages * PAGE)
    code = record(store, elsewhere / "said.json")
    said = json.loads((elsewhere / "said.json").read_text())
    kept = said["issue"] is not None
    if len(said["forecasts"]) == 0 or code != (0 if kept else 74):
        raise RuntimeError(f"it ended with {code} and said {said}")
    if not kept and not any("was recorded" in warning and "space" in warning for warning in said["warnings"]):
        raise RuntimeError(f"it does not say that nothing was recorded: {said['warnings']}")
    if issue_count(path) != before + kept or (issue_count(path) and faults(path)):
        raise RuntimeError(f"the ledger holds {issue_count(path)} issues, with {faults(path)}")
    resize(disk, 16 << 20)
    if record(store, elsewhere / "said.json") or issue_count(path) != before + kept + 1 or faults(path):
        raise RuntimeError("the next run does not record")
    return "recorded" if kept else "refused"


if __name__ == "__main__":
    sys.exit(main())
