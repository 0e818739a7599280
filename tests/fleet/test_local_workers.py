"""Workers that die, hang or crash: each is that task's failure, and none the engine's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stockcast.errors import StockcastError, WorkerLost
from stockcast.fleet import local
from stockcast.fleet.local import RETRIES, LocalWorkers

Patch = pytest.MonkeyPatch

ON_START = """
import os, sys, time, types
from pathlib import Path
if "stockcast.fleet.worker" in sys.orig_argv:
    log = Path({log!r})
    log.write_text((log.read_text() if log.exists() else "") + f"{{os.getpid()}} ")
    started = len(log.read_text().split())
    stub = sys.modules["stockcast.fleet.work"] = types.ModuleType("stockcast.fleet.work")
    stub.work = lambda task: task
    {what}
"""
"""A worker whose result is the task itself, and what it does besides."""


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: Patch, request: pytest.FixtureRequest) -> Iterator[LocalWorkers]:
    """One worker that does something of its own when it starts: the parameter, a line of Python."""
    log = tmp_path / "started"
    (tmp_path / "sitecustomize.py").write_text(ON_START.format(log=str(log), what=request.param))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = LocalWorkers(1)
    yield engine
    engine.stop()
    engine.close()


def started(tmp_path: Path) -> list[str]:
    return (tmp_path / "started").read_text().split()


def killed(at_most: int) -> str:
    return f"if started <= {at_most}: os.kill(os.getpid(), 9)"


@pytest.mark.parametrize("workers", ["pass"], indirect=True)
def test_a_worker_lives_on_from_task_to_task(workers: LocalWorkers, tmp_path: Path) -> None:
    for task in (b"", b"task", bytes(1 << 21)):
        assert workers.run(task, 60) == task
    assert len(started(tmp_path)) == 1


@pytest.mark.parametrize("workers", [killed(RETRIES)], indirect=True)
def test_a_task_whose_worker_is_killed_goes_to_another(workers: LocalWorkers, tmp_path: Path) -> None:
    assert workers.run(b"task", 60) == b"task"
    assert len(started(tmp_path)) == RETRIES + 1


@pytest.mark.parametrize("workers", [killed(RETRIES + 1)], indirect=True)
def test_after_its_retries_it_is_the_tasks_failure(workers: LocalWorkers) -> None:
    with pytest.raises(WorkerLost, match="ended 3 times, at last with -9"):
        workers.run(b"x" * (1 << 20), 60)
    assert workers.run(b"the next one is well", 60) == b"the next one is well"


@pytest.mark.parametrize("workers", ["time.sleep(600)"], indirect=True)
def test_a_worker_that_never_answers_is_ended(workers: LocalWorkers, tmp_path: Path) -> None:
    with pytest.raises(WorkerLost, match="did not answer within 1 s"):
        workers.run(b"x" * (1 << 20), 1)
    assert len(started(tmp_path)) == 1


@pytest.mark.parametrize("workers", ["stub.work = lambda task: 1 / 0"], indirect=True)
def test_a_fault_of_stockcast_itself_is_not_tried_again(workers: LocalWorkers, tmp_path: Path) -> None:
    with pytest.raises(StockcastError, match="ZeroDivisionError") as told:
        workers.run(b"no task", 60)
    (crash,) = tmp_path.glob("stockcast-crash-*.txt")
    assert str(crash) in told.value.message
    assert "1 / 0" in crash.read_text()
    assert len(started(tmp_path)) == 1


@pytest.mark.parametrize("workers", ["stub.work = lambda task: print(task) or task"], indirect=True)
def test_what_a_library_prints_is_no_result(workers: LocalWorkers) -> None:
    assert workers.run(b"\0 the task itself", 60) == b"\0 the task itself"


@pytest.mark.parametrize("workers", ["time.sleep(600)"], indirect=True)
def test_stopping_breaks_off_whoever_waits(workers: LocalWorkers, tmp_path: Path) -> None:
    ends: list[str] = []

    def wait() -> None:
        try:
            workers.run(b"a task", 600)
        except KeyboardInterrupt:
            ends.append("interrupted")

    threads = [threading.Thread(target=wait) for _ in range(2)]
    for thread in threads:
        thread.start()
    while not (tmp_path / "started").exists():
        time.sleep(0.01)
    begin = time.monotonic()
    workers.stop()
    for thread in threads:
        thread.join()
    assert ends == ["interrupted"] * 2
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("workers", ["pass"], indirect=True)
def test_a_worker_that_holds_too_much_is_replaced(workers: LocalWorkers, tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(local, "AT_REST", 1)
    monkeypatch.setattr(local, "GROWTH", 0.5)
    for _ in range(2):
        workers.run(b"a task", 60)
    assert len(set(started(tmp_path))) == 2


def test_a_worker_ends_with_its_client(tmp_path: Path) -> None:
    """A client that is killed says goodbye to nobody."""
    (tmp_path / "sitecustomize.py").write_text(
        ON_START.format(log=str(tmp_path / "started"), what="stub.work = lambda task: time.sleep(600)")
    )
    program = "from stockcast.fleet.local import LocalWorkers; LocalWorkers(1).run(b'a task', 600)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], env=environment) as client:
        while not (tmp_path / "started").exists() or not started(tmp_path):
            time.sleep(0.01)
        time.sleep(0.3)
        client.kill()
    (worker,) = started(tmp_path)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}/cmdline").exists() and Path(f"/proc/{worker}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the worker goes on without a client"
        time.sleep(0.02)
