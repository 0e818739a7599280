"""The morning: one page, the pages of a fleet with their index, and a night in which nothing is new.

The prices are made up; every model is a copy of one network, on a file of its own.

    python -m benchmarks.report --models 500
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.common import ROOT, Sample, alternate, process, table
from benchmarks.ledger import SESSIONS, make_fleet
from benchmarks.prices import write_panel
from stockcast.reading.reader import read_panel
from stockcast.store.importance_cache import kept_importance
from stockcast.store.store import Store

CACHE = "importance.json"


def main() -> None:
    """A page of IBM with and without what is kept of it, then the fleet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        one_page(Path(folder) / "one", given.rounds)
        fleet(Path(folder) / "fleet", given.models)


def one_page(folder: Path, rounds: int) -> None:
    """The page of the README's model."""
    store, page = folder / "models", folder / "ibm.html"
    process("-m", "stockcast", "--store", str(store), "-q", "train", "--csv", str(ROOT / "data" / "ibm.csv"))()
    written = process("-m", "stockcast", "--store", str(store), "-q", "report", "ibm", "-o", str(page))

    def anew() -> Sample:
        (store / "ibm" / CACHE).unlink(missing_ok=True)
        return written()

    samples = alternate({"report ibm": written, "report ibm, nothing kept": anew}, rounds)
    print(table(samples, "report ibm"))
    print(f"\nthe page has {page.stat().st_size / 1000:.0f} kB\n")


def fleet(folder: Path, models: int) -> None:
    """The pages of so many models and their index, once; then a night."""
    prices = write_panel(folder / "prices", models, SESSIONS)
    root, site = folder / "models", folder / "site"
    make_fleet(root, prices, read_panel([str(prices)]).panel.series)
    stockcast = ("-m", "stockcast", "--store", str(root), "-q")
    pages = process(*stockcast, "report", "--all", "-o", str(site), "--jobs", "2")
    night = process(*stockcast, "nightly", "--all", "--jobs", "2")
    samples = {
        f"report --all, {models} models, nothing kept": [pages()],
        "report --all once more": [pages()],
        f"nightly --all, {models} models, nothing new": [night()],
    }
    print(table(samples, next(iter(samples))))
    names = Store(root).names()
    measured = sum(
        bool((kept_importance(Store(root), name, Store(root).champion(name).version) or ((), 0))[0]) for name in names
    )
    sizes = [path.stat().st_size / 1000 for path in (site / "models").iterdir()]
    index = (site / "index.html").stat().st_size / 1000
    print(
        f"\nthe index has {index:.0f} kB, a page {sum(sizes) / len(sizes):.0f} kB; "
        f"what the model looks at was measured for {measured} of {len(names)}"
    )


if __name__ == "__main__":
    main()
