"""Run every system of the teaching texts on the command line, and write docs/tutorials.md from what came out.

    python tools/tutorials.py --data DIR [--only T1 ...] [--seeds N]

DIR holds the texts' own five files; tools/tutorials.md, the page without its figures, says where they come from. All of
it takes about half an hour on two cores. What a command prints is kept in build/tutorials, and taken from there as long
as the program, the presets and the prices are the same: so it can be done in parts. With --only or --seeds it runs that
part and writes no page; without them it runs what is missing, and writes the page and its pictures.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from string import Template

from tutorial_bench import ROOT, Bench
from tutorial_networks import cells, gradients, ladder, state, training
from tutorial_systems import airline, direction, facebook, google, next_five, preparing

SEEDS = 5
SYSTEMS = {
    "T1": google,
    "T2": facebook,
    "T3": airline,
    "T4": next_five,
    "T5": cells,
    "T6": ladder,
    "T7": gradients,
    "T8": preparing,
    "T9": direction,
    "T10": training,
    "T11": state,
}


def main() -> int:
    """Run the systems that are asked for; all of them make the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with the texts' files")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, metavar="T", help="run these systems, and write no page")
    parser.add_argument("--seeds", type=int, choices=range(1, SEEDS + 1), help="with so many seeds, and write no page")
    wanted = parser.parse_args()
    bench = Bench.of(wanted.data)
    fields: dict[str, str] = {}
    for name in wanted.only or SYSTEMS:
        fields |= SYSTEMS[name](bench, wanted.seeds or SEEDS)
    if not (wanted.only or wanted.seeds):
        page = Template((ROOT / "tools" / "tutorials.md").read_text(encoding="utf-8"))
        written = ROOT / "docs" / "tutorials.md"
        written.write_text(page.substitute(fields | made_with(bench)), encoding="utf-8")
        print(written.relative_to(ROOT))
    return 0


def made_with(bench: Bench) -> dict[str, str]:
    """The machine's cores, the state of the program, and the versions of the libraries."""
    changed = ["git", "log", "-1", "--format=%h", "--", "stockcast", "configs"]
    commit = subprocess.run(changed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    libraries = bench.ask("stockcast models show google")["manifest"]["libraries"]
    named = ", ".join(f"{name} {version}" for name, version in libraries.items())
    return {
        "cores": str(os.cpu_count()),
        "version": f"{bench.run('stockcast --version')} of commit {commit}",
        "libraries": named,
    }


if __name__ == "__main__":
    sys.exit(main())
