"""The workers of a Dask cluster: see docs/fleet.md for how one is started.

A result is asked for as bytes that Dask may not unpickle. Its own messages are pickled all the same, as they are
between all parts of a cluster: scheduler and workers must be such as one trusts.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from stockcast.errors import StockcastError, UsageError, WorkerLost, crashed
from stockcast.fleet.parcel import not_as_sent
from stockcast.fleet.tasks import differing, installed
from stockcast.fleet.work import answer

if TYPE_CHECKING:
    from distributed import Client, Future

RESOURCE = "training"
"""What a worker must offer one of, so that it holds one training at a time: dask worker --resources training=1."""

CONNECT: float = 10
"""Seconds that the scheduler has to answer in, and then to find workers."""

POLL = 0.5
"""Seconds after which a thread that waits for a result looks whether it still should."""

A_WORKER, MOST = 2, 512
"""Tasks that are under way for each worker, and in all."""

SILENCE: float = 30
"""Seconds without a word after which the scheduler is held to be gone: a connection may stand, and carry nothing."""

_FETCHING = 600.0
REFRESH: float = 5
"""Seconds for which the list of workers is believed."""


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster of the scheduler at `address`, tcp://HOST:PORT or tls://HOST:PORT.

    Raises `UsageError` for an address that is none, where Dask is not installed, for a cluster without a sound worker
    and for tls:// without certificates; `WorkerLost` where nobody answers.
    """
    _demand_scheduler(address)
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError("--on needs Dask, which is not installed.", "pip install 'stockcast-cli[dask]'") from error
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("distributed", "tornado")):  # what they have to say is said here, once
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client = Client(
            address,
            security=_certificates() if address.startswith("tls:") else None,
            timeout=CONNECT,
            set_as_default=False,
            name="stockcast",
            serializers=["msgpack", "dask", "pickle"],
            deserializers=["msgpack", "dask"],
        )
    except (OSError, TimeoutError, ValueError) as error:
        raise _gone(address, str(error)) from error
    try:
        cluster = Cluster(client, address)
        cluster.demand_workers()
        yield cluster
    finally:
        client.close(timeout=2)


def _demand_scheduler(address: str) -> None:
    """Raise `UsageError` for what is no address, `WorkerLost` at once where nobody listens: Dask would try for long."""
    place = re.fullmatch(r"(?:tcp|tls)://(?:\[([0-9a-fA-F:]+)\]|([^\[\]:/@\s]+)):(\d{1,5})/?", address)
    if place is None:
        raise UsageError(
            f"--on {address!r} is no scheduler's address.", "write it as tcp://HOST:8786 or tls://HOST:8786."
        )
    try:
        socket.create_connection((place[1] or place[2], int(place[3])), timeout=CONNECT).close()
    except (OSError, OverflowError) as error:
        raise _gone(address, str(getattr(error, "strerror", None) or error).lower()) from error


def _certificates() -> Any:
    """What Dask's own settings say of TLS. Raises `UsageError` where they lack a file."""
    from distributed.security import Security

    security = Security(require_encryption=True)
    if not (security.tls_ca_file and security.tls_client_cert and security.tls_client_key):
        raise UsageError(
            "tls:// needs a certificate of yours, its key and that of the authority, which Dask's settings don't name.",
            "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and "
            "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY to their paths: see docs/fleet.md",
        )
    return security


def _gone(address: str, why: str) -> WorkerLost:
    return WorkerLost(
        f"the scheduler at {address} does not answer: {why}.", "see whether it runs (dask scheduler), and the address."
    )


class Cluster:
    """All workers of a scheduler: see `Engine`.

    A worker that dies in a task is the scheduler's to deal with: it gives the task to others, as often as its setting
    `distributed.scheduler.allowed-failures` says, and then gives it up.
    """

    own = False

    def __init__(self, client: Client, address: str) -> None:
        self._client, self._address = client, address
        self._lock = Lock()
        self._sound: dict[str, str | None] = {}
        self._asked = -REFRESH
        self._last = monotonic()
        self._stopped = self._silent = False

    @property
    def workers(self) -> int:
        """How many there are now."""
        return max(len(self._workers()), 1)

    @property
    def window(self) -> int:
        """A few tasks for each worker, so that none waits for the client."""
        return min(MOST, A_WORKER * self.workers)

    def run(self, task: bytes, patience: float) -> bytes:
        """The result of a task, from whichever worker the scheduler gives it to: see `Engine`."""
        begun = monotonic()
        while True:
            self._heed_stop()
            workers = self._workers()
            if workers:
                future = self._client.submit(
                    answer, task, workers=workers, resources={RESOURCE: 1}, pure=False, retries=0
                )
                if self._ended(future, workers, begun, patience):
                    return self._answer(future)
            elif monotonic() > max(begun, self._last) + patience:
                raise WorkerLost(f"no worker is left at {self._address}.", "start some: see docs/fleet.md")
            else:
                sleep(POLL)

    def stop(self) -> None:
        """Have all threads that wait for a result give up."""
        self._stopped = True

    def demand_workers(self) -> None:
        """Raise `UsageError` with what is wrong with each, unless there is a sound worker."""
        deadline = monotonic() + CONNECT
        while not self._workers():
            if self._sound or monotonic() > deadline:
                found = "; ".join(f"{where}: {fault}" for where, fault in self._sound.items()) or "it has none"
                raise UsageError(
                    f"the cluster at {self._address} has no worker that can train: {found}.",
                    f"start workers with the same stockcast: dask worker {self._address} --nthreads 1 "
                    f"--resources {RESOURCE}=1",
                )
            sleep(POLL)
            self._asked = -REFRESH

    @property
    def refused(self) -> dict[str, str]:
        """What is wrong with each worker that gets no task, by its address."""
        return {where: fault for where, fault in self._sound.items() if fault}

    def _workers(self) -> list[str]:
        """The addresses of the sound workers that are there."""
        with self._lock:
            if monotonic() > self._asked + REFRESH and self._client.status == "running":
                there = self._known()
                new = [where for where in there if where not in self._sound]
                told = self._client.run(installed, workers=new, on_error="return") if new else {}
                faults = {where: _fault(there[where], told.get(where)) for where in new}
                self._sound = {where: self._sound.get(where, faults.get(where)) for where in there}
                self._asked = monotonic()
            return [where for where, fault in self._sound.items() if fault is None]

    def _known(self) -> Mapping[str, Any]:
        """What the scheduler knows of each worker. Raises `WorkerLost` if it says nothing, and at once from then on."""
        identity = self._client.scheduler.identity
        try:
            if not self._silent:
                known: Mapping[str, Any] = self._client.sync(identity, n_workers=-1, callback_timeout=SILENCE)[
                    "workers"
                ]
                return known
        except TimeoutError:
            self._silent = True
        raise _gone(self._address, f"nothing was heard of it for {SILENCE:.0f} s")

    def _ended(self, future: Future, workers: list[str], begun: float, patience: float) -> bool:
        """Wait for a task; whether it has ended. Else all workers that it was meant for are gone.

        Nobody but the scheduler knows when a task begins: its time runs from the last end of any.
        """
        ended = Event()
        future.add_done_callback(lambda _: ended.set())
        while not ended.wait(POLL):
            self._heed_stop()
            if self._client.status not in ("running", "connecting"):
                raise _gone(self._address, "the connection was lost")
            if monotonic() > max(begun, self._last) + patience:
                raise WorkerLost(
                    f"no worker answered within {patience:.0f} s.", f"see what the workers at {self._address} do."
                )
            if not set(workers) & set(self._workers()):
                return False
        self._last = monotonic()
        return True

    def _answer(self, future: Future) -> bytes:
        """What has come of a task that ended."""
        if future.status == "cancelled" or future.status == "lost":
            raise _gone(self._address, "it has lost the task")
        if future.status == "error":
            raise _failure(future.exception(timeout=CONNECT))
        try:
            answer = future.result(timeout=_FETCHING)
        except (TypeError, OSError, TimeoutError) as error:
            raise not_as_sent("a result", str(error)[:80]) from error
        if not isinstance(answer, bytes):
            raise not_as_sent("a result", "it is something else")
        return answer

    def _heed_stop(self) -> None:
        if self._stopped:
            raise KeyboardInterrupt


def _fault(worker: Mapping[str, Any], told: object) -> str | None:
    """Why a worker gets no task, from what the scheduler knows of it and what it said of its versions; or None."""
    if not worker["resources"].get(RESOURCE):
        return f"it was started without --resources {RESOURCE}=1"
    if not isinstance(told, dict):
        return f"it has no stockcast ({str(told)[:80]})"
    return differing(told)


def _failure(error: BaseException | None) -> StockcastError:
    """The error for a task that Dask gave up."""
    kind = type(error).__name__
    if kind == "KilledWorker":
        return WorkerLost(
            "each worker that was given it died.", "see the workers' own logs; the likely cause is too little memory."
        )
    return crashed(f"{kind}: {error}\n")
