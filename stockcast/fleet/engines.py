"""Where tasks run: the one promise that all engines keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Protocol, TypeVar

from stockcast.config.run import RunConfig
from stockcast.data.series import Panel

_LEAST_PATIENCE = 600.0
_PRODUCTS_A_SECOND = 5e8
"""Of the slowest machine that anybody trains on."""


class Engine(Protocol):
    """Runs tasks as `work.work` does, and gives the same results.

    `own` says whether they run in processes of this program on this machine alone. `workers` train at once, and
    `window` tasks keep all of them busy. `run` is called from as many threads, and returns when the result is there:
    bytes as a worker sent them, which nobody has looked at. It raises `WorkerLost` for a task whose worker was killed
    again and again or did not answer in `patience` seconds, and `KeyboardInterrupt` once the engine was stopped.
    """

    @property
    def own(self) -> bool: ...

    @property
    def workers(self) -> int: ...

    @property
    def window(self) -> int: ...

    def run(self, task: bytes, patience: float) -> bytes: ...

    def stop(self) -> None:
        """Break off all tasks at once: workers hold nothing that could be torn."""


class Here:
    """This process, a task after the other."""

    own = True
    workers = window = 1

    def run(self, task: bytes, patience: float) -> bytes:  # noqa: ARG002 -- who waits here is the user
        """The result of a task, which is run before this returns."""
        from stockcast.fleet.work import work

        return work(task)

    def stop(self) -> None:
        """A task that runs in this process is broken off with it."""


Item = TypeVar("Item")
Done = TypeVar("Done")


def each(engine: Engine, work: Callable[[Item], Done], items: Iterable[Item]) -> Iterator[tuple[Item, Done]]:
    """Each of the items with what `work` makes of it by this engine, as it ends; what goes wrong breaks off the others.

    In this process they are worked on in their order, by whoever asks for the next.
    """
    if isinstance(engine, Here):
        yield from ((item, work(item)) for item in items)
        return
    with ThreadPoolExecutor(max_workers=engine.window) as pool:
        under_way = {pool.submit(work, item): item for item in items}
        try:
            for one in as_completed(under_way):
                yield under_way[one], one.result()
        except BaseException:
            for one in under_way:
                one.cancel()
            engine.stop()
            raise


@contextmanager
def engine_for(jobs: int, on: str | None) -> Iterator[Engine]:
    """The cluster whose scheduler is at the address `on`, or else `jobs` workers beside this process.

    Local ones end with the context. Raises as `cluster.Cluster` does.
    """
    if on is None:
        from stockcast.fleet.local import LocalWorkers

        local = LocalWorkers(jobs)
        try:
            yield local
        finally:
            local.stop()
            local.close()
        return
    from stockcast.fleet.cluster import connected

    with connected(on) as cluster:
        yield cluster


@contextmanager
def engine_or_here(jobs: int, on: str | None) -> Iterator[Engine]:
    """The same, but for this process in the place of a single worker: for work that nothing else depends on."""
    if on is None and jobs == 1:
        yield Here()
        return
    with engine_for(jobs, on) as engine:
        yield engine


def patience_for(panel: Panel, config: RunConfig) -> float:
    """Seconds after which a training on these prices must have ended on the slowest of machines."""
    model, data, fit = config.model, config.data, config.fit
    gates = 4 * (1 + model.bidirectional)
    inputs = [32, *model.units[:-1]]  # no more features than that
    weights = sum(gates * units * (below + units) for below, units in zip(inputs, model.units, strict=True))
    windows = min(panel.rows, fit.windows or panel.rows) * 2 * fit.epochs  # a second time where it is refitted
    products = 6 * weights * data.lookback * windows  # forward once, backward twice, each a product and a sum
    return _LEAST_PATIENCE + products / _PRODUCTS_A_SECOND
