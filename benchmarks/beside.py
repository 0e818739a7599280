"""This checkout beside another revision of it: whole processes that take turns, on the same prices.

    python -m benchmarks.beside --base b2138fe --rounds 5

The other revision is checked out by `git worktree` and run by the same Python. What both predict is compared.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.common import ROOT, Sample, alternate, program, table
from benchmarks.panel import QUICK, SESSIONS
from benchmarks.prices import write_panel

HERE = "this checkout"
RUN = 'PYTHONPATH="$1" exec "$2" -P -m stockcast "${@:3}"'


def main() -> None:
    """Each command of both revisions in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, metavar="REVISION")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, other_checkout(given.base, Path(scratch) / "base") as base:
        folder = Path(scratch)
        trees = {given.base: base, HERE: ROOT}
        small, large = (write_panel(folder / f"of{n}", n, SESSIONS) for n in (120, 500))
        quick = [part for setting in QUICK for part in ("--set", setting)]
        stockcast(base, folder / "models", "train", "--csv", str(large), *quick)()
        commands: Mapping[str, tuple[str, ...]] = {
            "train --csv data/ibm.csv": ("train", "--csv", str(ROOT / "data" / "ibm.csv")),
            "train --csv, 120 series of 2,765 rows": ("train", "--csv", str(small)),
            "predict --json, 500 series of 2,765 rows": ("predict", "of500", "--json"),
        }
        for command, arguments in commands.items():
            contenders = {name: stockcast(tree, folder / "models", *arguments) for name, tree in trees.items()}
            samples = alternate(contenders, given.rounds)
            print(command, table(samples, given.base), sep="\n", end="\n\n", flush=True)
        print(f"both predict the same: {alike(samples)}")


@contextmanager
def other_checkout(revision: str, folder: Path) -> Iterator[Path]:
    """Another revision of this repository in `folder`."""
    subprocess.run(["git", "worktree", "add", "--detach", "--quiet", folder, revision], cwd=ROOT, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=ROOT, check=True)


def stockcast(tree: Path, store: Path, *arguments: str) -> Callable[[], Sample]:
    """`stockcast ARGUMENTS` of a checkout, as a whole process."""
    return program("bash", "-c", RUN, "bash", str(tree), sys.executable, "--store", str(store), "--quiet", *arguments)


def alike(samples: Mapping[str, list[Sample]]) -> bool:
    """Whether all runs printed the same."""
    return len({one.said for runs in samples.values() for one in runs}) == 1


if __name__ == "__main__":
    main()
