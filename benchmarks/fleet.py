"""A fleet beside another revision: models that each get 25 new rows; many with nothing new; and a cluster's efficiency.

    python -m benchmarks.fleet --base b2138fe --models 30 --jobs 2

The prices are made up; every model is a copy of one network, which the other revision has trained, on a file of its
own. The cluster's tasks are simulated: its workers sleep four seconds over each, as where there are cores enough.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.beside import HERE, other_checkout, stockcast
from benchmarks.common import ROOT, Sample, alternate, process, table
from benchmarks.prices import write_panel

SESSIONS, NEW = 2765, 25
NOTHING_NEW = 500
TASK_SECONDS, TASKS = 4.0, 6

CLIENT = """
import json, resource, sys
from stockcast.cli import run
sys.stdout = sys.stderr
code = run(sys.argv[1:])
own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
figures = [number for one in (own, workers) for number in (one.ru_utime + one.ru_stime, one.ru_maxrss / 1024)]
print(json.dumps(figures), file=sys.__stdout__)
sys.exit(code)
"""

SIMULATED = f"""
import time
import stockcast.fleet.work as work
def simulated(task):
    time.sleep({TASK_SECONDS})
    return task
work.work = simulated
"""


def main() -> None:
    """Retrain a fleet by both revisions, then look at this one alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, metavar="REVISION")
    parser.add_argument("--models", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, other_checkout(given.base, Path(scratch) / "base") as base:
        folder = Path(scratch)
        prices = write_panel(folder / "prices", NOTHING_NEW, SESSIONS)
        template = make_fleet(folder, base, prices, given.models)
        trees = {given.base: base, HERE: ROOT}
        jobs = ("retrain", "--all", "--jobs", str(given.jobs))
        contenders = {name: lambda tree=tree: retrained(tree, template, folder, jobs) for name, tree in trees.items()}
        print(f"retrain --all --jobs {given.jobs}, {given.models} models with {NEW} new rows")
        print(table(alternate(contenders, given.rounds), given.base), end="\n\n", flush=True)
        tell_of_one_model(template, folder, given.models)
        tell_of_nothing_new(template, folder, prices)
    for workers in (1, 2, 4):
        print(f"a cluster of {workers}: {share_of_linear(workers):.3f} of linear, {TASKS} tasks a worker", flush=True)


def make_fleet(folder: Path, base: Path, prices: Path, models: int) -> Path:
    """A store of so many models that know all but the newest rows of their prices."""
    from stockcast.reading.reader import read_panel
    from stockcast.store.manifest import fingerprint
    from stockcast.store.store import Store

    first, store = prices / "s000.csv", Store(folder / "template")
    whole = first.read_text(encoding="utf-8")
    first.write_text("\n".join(whole.splitlines()[:-NEW]) + "\n", encoding="utf-8")
    stockcast(base, store.root, "train", "--csv", str(first))()
    first.write_text(whole, encoding="utf-8")
    trained = store.load("s000")
    for number in range(1, models):
        name = f"s{number:03}"
        series = read_panel([str(prices / f"{name}.csv")]).panel.series[0]
        known = series.upto(series.dates[-1 - NEW])
        if known is None:
            raise ValueError(f"{name} is too short")
        manifest = replace(trained.manifest, csv=(str(prices / f"{name}.csv"),), data=(fingerprint(known),))
        now = datetime.now(UTC)
        store.promote(name, store.save(name, replace(trained, manifest=manifest), now), "copied", now)
    return store.root


def fresh(template: Path, folder: Path) -> Path:
    """A new copy of the fleet."""
    shutil.rmtree(folder / "models", ignore_errors=True)
    return Path(shutil.copytree(template, folder / "models"))


def retrained(tree: Path, template: Path, folder: Path, arguments: tuple[str, ...]) -> Sample:
    """One run of a checkout over a fresh copy of the fleet."""
    return stockcast(tree, fresh(template, folder), *arguments)()


def figures(store: Path, *arguments: str) -> tuple[float, float, float, float]:
    """The client's processor seconds and most MB, then those of its workers."""
    said = process("-c", CLIENT, "--store", str(store), "--quiet", *arguments)().said
    client, megabytes, workers, most = json.loads(said)
    return client, megabytes, workers, most


def tell_of_one_model(template: Path, folder: Path, models: int) -> None:
    """What another model costs in a fleet that has begun, and what memory it takes."""
    names = [f"s{number:03}" for number in range(models)]
    begun = models // 3  # of which some are promoted: what the first promotion imports is not another model's cost

    def another(*arguments: str) -> tuple[float, float, float, float]:
        some, every = (
            figures(fresh(template, folder), "retrain", *arguments, *which) for which in (names[:begun], names)
        )
        return ((every[0] - some[0]) / (models - begun), every[1], (every[2] - some[2]) / (models - begun), every[3])

    client, megabytes, workers, most = another("--jobs", "1")
    with a_cluster(folder / "cluster", 1) as address:
        over_a_cluster = another("--on", address)[0]
    print(f"another model: {workers:.2f} processor s of its worker, {client:.3f} of the client", end="")
    print(f" ({over_a_cluster:.3f} over a cluster)")
    print(f"memory: {megabytes:.0f} MB the client, {most:.0f} MB the largest worker", end="\n\n", flush=True)


def tell_of_nothing_new(template: Path, folder: Path, prices: Path) -> None:
    """How long a run takes that finds nothing to do."""
    from stockcast.reading.reader import read_panel
    from stockcast.store.manifest import fingerprint
    from stockcast.store.store import Store

    trained, store = Store(template).load("s000"), Store(folder / "still")
    for one in read_panel([str(prices)]).panel.series:
        manifest = replace(trained.manifest, csv=(str(prices / f"{one.name}.csv"),), data=(fingerprint(one),))
        now = datetime.now(UTC)
        store.promote(one.name, store.save(one.name, replace(trained, manifest=manifest), now), "copied", now)
    sample = stockcast(ROOT, store.root, "retrain", "--all")()
    print(
        f"{NOTHING_NEW} models, nothing new: {sample.seconds:.1f} s, {sample.processor:.1f} processor s, "
        f"{sample.megabytes:.0f} MB",
        end="\n\n",
        flush=True,
    )


def share_of_linear(workers: int) -> float:
    """How much of the speed of so many workers by themselves a cluster of them reaches."""
    from stockcast.fleet.cluster import connected

    with (
        tempfile.TemporaryDirectory() as scratch,
        a_cluster(Path(scratch) / "cluster", workers, SIMULATED) as address,
        connected(address) as cluster,
    ):
        while cluster.workers < workers:
            time.sleep(0.1)
        tasks = [bytes([number]) * 200_000 for number in range(TASKS * workers)]
        with ThreadPoolExecutor(cluster.window) as pool:
            begin = time.perf_counter()
            done = list(pool.map(lambda task: cluster.run(task, 60), tasks))
            seconds = time.perf_counter() - begin
    if done != tasks:
        raise RuntimeError("a task came back as another")
    return TASKS * TASK_SECONDS / seconds


@contextmanager
def a_cluster(folder: Path, workers: int, before: str = "") -> Iterator[str]:
    """The address of a scheduler with so many workers, each of which runs the Python of `before` first."""
    folder.mkdir()
    place, preload = folder / "scheduler.json", folder / "preload.py"
    preload.write_text(before, encoding="utf-8")
    dask, shared = (sys.executable, "-m", "dask"), ("--no-dashboard", "--scheduler-file", str(place))
    own = ("--nthreads", "1", "--no-nanny", "--resources", "training=1", "--preload", str(preload))
    commands: list[tuple[str, ...]] = [(*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show", *shared)]
    commands += [(*dask, "worker", *own, *shared)] * workers
    started = []
    try:
        for command in commands:
            started.append(subprocess.Popen(command, cwd=folder, stdout=-3, stderr=-3))
            while not (place.exists() and place.read_text(encoding="utf-8").strip().endswith("}")):
                time.sleep(0.05)
        yield json.loads(place.read_text(encoding="utf-8"))["address"]
    finally:
        for one in reversed(started):
            one.kill()
            one.wait()


if __name__ == "__main__":
    main()
