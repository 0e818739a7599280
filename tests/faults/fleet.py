"""A fleet on a real scheduler and real workers, with everything going wrong: no bad champion, no model done twice.

Killed are a worker in mid-training, the scheduler, and the client, which is started again; a worker is stopped and
never answers, another is of another version, results are changed on their way, the connection is cut or falls silent,
the cable between two hosts is pulled, and two clients are at work on one store. Of 30 models three have broken prices,
one is locked, and the folder of one is a link.

python tests/faults/fleet.py [--models 6] [--only WORD ...]
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sample import NOW
from two_hosts import ADDRESSES, two_hosts
from whole import ROOT, make_model

from stockcast.store.store import Store

PATIENCE = 20
"""Seconds that a worker has here to answer in."""

SHORT_PATIENCE = f"import stockcast.fleet.engines as engines; engines._LEAST_PATIENCE = {PATIENCE}"
OTHER_VERSION = "import stockcast.version\nstockcast.version.__version__ = '0.0.1'\n"
CHANGED_RESULT = """
import stockcast.fleet.work as work
honest = work.__dict__.setdefault("honest", work.work)  # Dask runs this twice
def changed(task):
    result = bytearray(honest(task))
    result[len(result) // 2] ^= 1
    return bytes(result)
work.work = changed
"""
CRASHING = """
import stockcast.fleet.work as work
work.work = lambda task: work.work(task)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--only", nargs="*", default=[], help="words of the trials to run")
    given = parser.parse_args()
    chosen = {name: trial for name, trial in TRIALS.items() if not given.only or any(w in name for w in given.only)}
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        template = make_fleet(Path(folder) / "template", given.models)
        for number, (name, trial) in enumerate(chosen.items()):
            place = Place(Path(folder) / str(number), template)
            begin = time.monotonic()
            faults = [*trial(place), *place.faults()]
            print(f"{name}: {'; '.join(faults) or 'well'} ({time.monotonic() - begin:.0f} s)", flush=True)
            bad += [name] if faults else []
    print(f"{len(chosen)} trials of a fleet with {given.models} models: {len(bad)} bad")
    return int(bool(bad) or not chosen)


def make_fleet(folder: Path, models: int) -> Path:
    """A store of so many models, all of one training, each with prices of its own that have new rows."""
    one = make_model(folder)
    store = Store(one.store)
    trained = store.load("acme")
    for number in range(1, models):
        name = f"m{number}"
        store.promote(name, store.save(name, trained, NOW), "copied", NOW)
    one.grow()
    return folder


@dataclass(frozen=True)
class Place:
    """A copy of the fleet, and what runs on it."""

    folder: Path
    template: Path

    def __post_init__(self) -> None:
        shutil.copytree(self.template / "models", self.folder / "models")

    @property
    def store(self) -> Store:
        return Store(self.folder / "models")

    def start(self, *arguments: str, before: str = "", on: Sequence[str] = ()) -> subprocess.Popen[str]:
        """`stockcast retrain --json ARGUMENTS`, with some Python `before` it, by a command that runs it `on` a host."""
        program = f"{before}\nimport sys\nfrom stockcast.cli import run\nsys.exit(run(sys.argv[1:]))"
        command = [sys.executable, "-c", program, "--store", str(self.store.root), "--json", "retrain", *arguments]
        command = [*on, *command]
        return subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1, text=True)

    def promoted(self) -> dict[str, int]:
        """How often each model's challenger was promoted."""
        events = {name: [line for line in self.store.log(name) if line.get("promoted")] for name in self.store.names()}
        return {name: len(lines) for name, lines in events.items()}

    def faults(self) -> list[str]:
        """What is wrong with any champion, and which model was done twice."""
        damaged = [
            f"{name}: {what}: {fault}"
            for name in self.store.names()
            for what, fault in self.store.verify(name).items()
            if fault
        ]
        return [*damaged, *(f"{name} was done {count} times" for name, count in self.promoted().items() if count > 1)]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


@contextmanager
def cluster(
    folder: Path, workers: int = 2, preload: str = "", address: str = "127.0.0.1", on: Sequence[str] = ()
) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler's address, and its process and its workers' after it; each worker runs `preload` first.

    All run by a command `on` a host that has the `address`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place, script = folder / "scheduler.json", folder / "preload.py"
    place.unlink(missing_ok=True)
    script.write_text(preload)
    shared = ["--no-dashboard", "--scheduler-file", str(place)]
    dask = partial(dask_process, folder, on)
    started = [dask("scheduler", "--host", address, "--port", "0", "--no-show", *shared)]
    try:
        while not (place.exists() and place.read_text().strip().endswith("}")):
            time.sleep(0.05)
        own = ["--nthreads", "1", "--no-nanny", "--resources", "training=1", "--preload", str(script)]
        started += [dask("worker", *own, *shared) for _ in range(workers)]
        yield json.loads(place.read_text())["address"], started
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def dask_process(folder: Path, on: Sequence[str], *arguments: str) -> subprocess.Popen[bytes]:
    command = [*on, sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=-3, stderr=-3)


def until_training(place: Place, client: subprocess.Popen[str]) -> None:
    """Wait until a model is being trained: its lock is held. The first training takes some seconds more."""
    deadline = time.monotonic() + 120
    while client.poll() is None and time.monotonic() < deadline:
        if sum(map(held, place.store.root.glob("*/lock"))) > 1:
            time.sleep(3)
            return
        time.sleep(0.05)


def held(lock: Path) -> bool:
    with lock.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def ended(client: subprocess.Popen[str], code: int) -> tuple[dict[str, Any], list[str]]:
    """What a client has told, and what is wrong with how it ended."""
    out, err = client.communicate(timeout=600)
    faults = [] if client.returncode == code else [f"exit {client.returncode}: {err[-300:]}"]
    return (json.loads(out) if out.strip() else {}), faults + (
        [f"a traceback: {err[-1500:]}"] if "Traceback" in err else []
    )


def all_promoted(place: Place) -> list[str]:
    return [] if set(place.promoted().values()) == {1} else [f"promoted: {place.promoted()}"]


def failures(told: Mapping[str, Any]) -> dict[str, str]:
    """The message of each model that failed."""
    return {one["name"]: one["error"]["message"] for one in told.get("models", []) if "error" in one}


def worker_killed(place: Place) -> list[str]:
    with cluster(place.folder) as (address, processes):
        client = place.start("--all", "--on", address)
        until_training(place, client)
        processes[1].kill()
        _, faults = ended(client, 0)
    return [*faults, *all_promoted(place)]


def local_worker_killed(place: Place) -> list[str]:
    client = place.start("--all", "--jobs", "2")
    until_training(place, client)
    for worker in children(client.pid)[:1]:
        os.kill(worker, signal.SIGKILL)
    _, faults = ended(client, 0)
    return [*faults, *all_promoted(place)]


def children(process: int) -> list[int]:
    listing = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(line) for line in listing.stdout.split()]


def scheduler_killed(place: Place) -> list[str]:
    with cluster(place.folder) as (address, processes):
        client = place.start("--all", "--on", address)
        until_training(place, client)
        processes[0].kill()
        told, faults = ended(client, 1)
    named = failures(told)
    wrong = [f"{name}: {message}" for name, message in named.items() if "scheduler" not in message]
    missing = set(place.store.names()) - set(named) - {name for name, count in place.promoted().items() if count}
    faults += wrong + ([f"not named: {missing}"] if missing or not named else [])
    with cluster(place.folder) as (address, _):
        _, more = ended(place.start("--all", "--on", address), 0)
    return [*faults, *more, *all_promoted(place)]


def client_killed(place: Place) -> list[str]:
    with cluster(place.folder) as (address, _):
        client = place.start("--all", "--on", address)
        until_training(place, client)
        client.kill()
        client.communicate()
        _, faults = ended(place.start("--all", "--on", address), 0)
    return [*faults, *all_promoted(place)]


def worker_never_answers(place: Place) -> list[str]:
    with cluster(place.folder, workers=1) as (address, processes):
        client = place.start("--all", "--on", address, before=SHORT_PATIENCE)
        until_training(place, client)
        processes[1].send_signal(signal.SIGSTOP)
        told, faults = ended(client, 1)
    named = failures(told)
    right = named and all("answered within" in message for message in named.values())
    return faults if right else [*faults, f"{named}"]


def connection_lost(place: Place, by: signal.Signals) -> list[str]:
    """What client and scheduler say to each other goes through a process that is killed, or says nothing any more."""
    with cluster(place.folder) as (address, _):
        port = address.rpartition(":")[2]
        relay = subprocess.Popen([sys.executable, "-c", RELAY, port], stdout=subprocess.PIPE, text=True)
        assert relay.stdout is not None
        through = f"tcp://127.0.0.1:{relay.stdout.readline().strip()}"
        client = place.start("--all", "--on", through, before=SHORT_PATIENCE)
        until_training(place, client)
        relay.send_signal(by)
        told, faults = ended(client, 1)
        relay.kill()
        relay.wait()
        faults += [] if failures(told) else ["nobody is named"]
        _, more = ended(place.start("--all", "--on", address), 0)
    return [*faults, *more, *all_promoted(place)]


def cable_pulled(place: Place) -> list[str]:
    """Client and cluster are two hosts; the cable between them is pulled in mid-training, and put back afterwards."""
    with two_hosts() as (here, there, cable), cluster(place.folder, address=ADDRESSES[1], on=there) as (address, _):
        client = place.start("--all", "--on", address, on=here)
        until_training(place, client)
        cable("down")
        told, faults = ended(client, 1)
        faults += [] if failures(told) else ["nobody is named"]
        cable("up")
        _, more = ended(place.start("--all", "--on", address, on=here), 0)
    return [*faults, *more, *all_promoted(place)]


RELAY = """
import socket, sys, threading
def pump(a, b):
    while data := a.recv(65536):
        b.sendall(data)
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    here, _ = server.accept()
    there = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for pair in ((here, there), (there, here)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


def result_changed(place: Place) -> list[str]:
    with cluster(place.folder, preload=CHANGED_RESULT) as (address, _):
        told, faults = ended(place.start("--all", "--on", address), 1)
    named = failures(told)
    faults += [] if set(named) == set(place.store.names()) else [f"named: {named}"]
    wrong = [message for message in named.values() if "did not arrive as it was sent" not in message]
    return faults + wrong + (["one was promoted"] if any(place.promoted().values()) else [])


def worker_crashes(place: Place) -> list[str]:
    """By an exception that can't even be pickled."""
    with cluster(place.folder, preload=CRASHING) as (address, _):
        told, faults = ended(place.start("--all", "--on", address), 1)
    named = failures(told)
    wrong = [message for message in named.values() if "RecursionError" not in message]
    return faults + wrong + ([] if len(named) == len(place.store.names()) else [f"named: {named}"])


def worker_of_another_version(place: Place) -> list[str]:
    with cluster(place.folder, preload=OTHER_VERSION) as (address, _):
        client = place.start("--all", "--on", address)
        told, faults = ended(client, 2)
    message = told.get("error", {}).get("message", "")
    return faults + ([] if "stockcast 0.0.1 there" in message and address.split(":")[0] in message else [message])


def two_clients(place: Place) -> list[str]:
    with cluster(place.folder) as (address, _):
        names = place.store.names()
        clients = [place.start("--all", "--on", address), place.start("--on", address, "--", *reversed(names))]
        told = [ended(client, client.wait() and 1)[0] for client in clients]
        _, faults = ended(place.start("--all", "--on", address), 0)
    wrong = [message for one in told for message in failures(one).values() if "another run" not in message]
    return [*faults, *wrong, *all_promoted(place)]


def some_broken(place: Place) -> list[str]:
    """Thirty models whose prices have nothing new, but for those that can't be done at all."""
    shutil.rmtree(place.store.root)
    trained = Store(place.template / "models").load("acme")
    prices = place.folder / "acme.csv"
    shutil.copy(place.template / "acme.csv", prices)
    prices.write_text("\n".join(prices.read_text().splitlines()[:201]) + "\n")
    for number in range(30):
        broken = place.folder / f"broken{number}" / "acme.csv"
        broken.parent.mkdir()
        broken.write_text("nothing,that,is\na,price,file\n")
        csv = str(broken if number < 3 else prices)
        bundle = replace(trained, manifest=replace(trained.manifest, csv=(csv,)))
        name = f"m{number:02}"
        place.store.promote(name, place.store.save(name, bundle, NOW), "copied", NOW)
    (place.store.root / "m04").rename(place.folder / "elsewhere")
    (place.store.root / "m04").symlink_to(place.folder / "elsewhere")
    with (place.store.root / "m03" / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told, faults = ended(place.start("--all", "--jobs", "2"), 1)
    named = set(failures(told))
    (place.store.root / "m04").unlink()
    wanted = {"m00", "m01", "m02", "m03", "m04"}
    faults += [] if named == wanted else [f"named: {sorted(named)}"]
    return faults + ([] if told["summary"]["nothing new"] == 25 else [f"{told['summary']}"])


TRIALS: Mapping[str, Callable[[Place], Sequence[str]]] = {
    "3 of 30 broken, one locked, one folder a link": some_broken,
    "a local worker killed in mid-training": local_worker_killed,
    "a worker killed in mid-training": worker_killed,
    "the client killed, and started again": client_killed,
    "the scheduler killed": scheduler_killed,
    "a worker that never answers": worker_never_answers,
    "the connection cut": partial(connection_lost, by=signal.SIGKILL),
    "a network that falls silent": partial(connection_lost, by=signal.SIGSTOP),
    "the cable pulled between two hosts": cable_pulled,
    "results changed on their way": result_changed,
    "workers with a fault of their own": worker_crashes,
    "workers of another version": worker_of_another_version,
    "two clients on one store": two_clients,
}


if __name__ == "__main__":
    sys.exit(main())
