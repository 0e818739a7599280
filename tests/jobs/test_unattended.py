"""What surrounds an unattended training, without one: the lock, the log, the fleet, and the hooks."""

from __future__ import annotations

import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import NotFound
from stockcast.jobs import hooks
from stockcast.store.manifest import Manifest, fingerprint
from stockcast.store.store import Store

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle, NOW = sample["make_bundle"], sample["NOW"]

Capture = pytest.CaptureFixture[str]
WriteCsv = Callable[[PriceSeries, Path], Path]

HEAVY = ("numpy", "pydantic", "pandas", "onnxruntime", "tensorflow", "urllib.request", "rich")
SILENT = "http://127.0.0.1:9"
"""Nobody listens there."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of two models whose prices are gone, so that retraining fails before it is expensive."""
    store = Store(tmp_path / "models")
    for name in ("acme", "zinc"):
        version = store.save(name, make_bundle(1), NOW)
        store.promote(name, version, "trained", NOW)
    return store.root


def told(capsys: Capture, root: Path, *arguments: str, code: int) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["retrain", *arguments, "--store", str(root), "--json"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_run_that_is_turned_away_has_imported_nothing_heavy(root: Path) -> None:
    program = (
        "import sys; from stockcast.cli import run; code = run(sys.argv[1:]); "
        f"print(*sorted({set(HEAVY)!r} & sys.modules.keys())); sys.exit(code)"
    )
    command = [sys.executable, "-c", program, "retrain", "acme", "--store", str(root)]
    with Store(root).lock("acme"):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (75, "\n")
    assert f"process {os.getpid()}" in done.stderr


def test_a_run_without_new_rows_says_so_and_logs_one_line(
    root: Path, tmp_path: Path, prices: Callable[..., PriceSeries], write_csv: WriteCsv, capsys: Capture
) -> None:
    series = prices(rows=60)
    csv = write_csv(series, tmp_path / "acme.csv")
    bundle = make_bundle(2)
    manifest = replace(bundle.manifest, csv=(str(csv),), hints={}, data=(fingerprint(series),))
    store = Store(root)
    store.promote("acme", store.save("acme", replace(bundle, manifest=manifest), NOW), "trained", NOW)
    answer = told(capsys, root, "acme", code=0)
    assert (answer["promoted"], answer["reason"]) == (False, "nothing new")
    told(capsys, root, "acme", "--dry-run", code=0)
    (line,) = store.log("acme")
    assert (line["event"], line["reason"]) == ("retrain", "nothing new")
    assert run(["retrain", "acme", "--store", str(root), "--quiet"]) == 0
    quiet = capsys.readouterr()
    assert quiet.out.endswith("; nothing new.\n")
    assert quiet.err == ""

    told(capsys, root, "acme", "--dry-run", "--max-age", "7", code=0)
    assert store.champion("acme").max_age is None
    told(capsys, root, "acme", "--max-age", "7", code=0)
    assert store.champion("acme").max_age == 7


def test_a_champion_is_not_judged_on_what_it_has_learned(
    root: Path, tmp_path: Path, prices: Callable[..., PriceSeries], write_csv: WriteCsv, capsys: Capture
) -> None:
    known, series = prices(rows=60), prices(rows=61)
    csv = write_csv(series, tmp_path / "acme.csv")
    bundle, store = make_bundle(2), Store(root)
    # The newest 20 sessions are forecast from row 40 on.
    scores = {"cutoffs": {"first": str(series.dates[41])}}
    manifest = replace(bundle.manifest, csv=(str(csv),), hints={}, data=(fingerprint(known),), scores=scores)
    store.promote("acme", store.save("acme", replace(bundle, manifest=manifest), NOW), "trained", NOW)
    answer = told(capsys, root, "acme", code=0)
    assert answer["promoted"] is False
    assert answer["reason"].endswith("the gate waits for 20 later sessions")


@pytest.mark.parametrize("damage", [False, True])
def test_a_run_that_fails_leaves_its_reason_in_the_log(root: Path, damage: bool, capsys: Capture) -> None:
    if damage:
        (root / "acme" / "champion.json").write_text("{}")
    error = told(capsys, root, "acme", code=65 if damage else 66)["error"]
    (line,) = Store(root).log("acme")
    assert line["event"] == "retrain failed"
    assert line["error"] == error["message"]


def test_a_fault_of_stockcast_itself_is_logged_and_handed_to_the_hook(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("stockcast.jobs.retraining.new_rows.read_new_rows", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    note = tmp_path / "note.txt"
    command = f'printf %s "$STOCKCAST_ERROR" > {note}'
    assert run(["retrain", "acme", "--store", str(root), "--quiet", "--on-failure", command]) == 70
    assert "boom" in note.read_text()
    assert "boom" in Store(root).log("acme")[-1]["error"]


def test_a_champion_promoted_just_before_the_lock_was_had_is_the_one_to_beat(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    read: list[str] = []
    locked: list[str] = []
    lock = Store.lock

    def overtaken(store: Store, name: str) -> AbstractContextManager[None]:
        locked.append(name)
        if locked == ["acme"]:
            store.promote(name, store.save(name, make_bundle(2), NOW), "by another run", NOW)
        return lock(store, name)

    def reads(manifest: Manifest, *_: object, **__: object) -> None:
        read.append(manifest.version)
        raise NotFound("no prices.")

    monkeypatch.setattr("stockcast.jobs.retraining.new_rows.read_model_prices", reads)
    monkeypatch.setattr(Store, "lock", overtaken)
    told(capsys, root, "acme", code=66)
    assert read == [Store(root).champion("acme").version]
    assert len(Store(root).versions("acme")) == 2


def test_retraining_all_of_an_empty_store_is_a_failure(tmp_path: Path, capsys: Capture) -> None:
    error = told(capsys, tmp_path / "nowhere", "--all", code=66)["error"]
    assert "nowhere" in error["message"]


def test_every_failing_model_of_a_fleet_is_named(root: Path, capsys: Capture) -> None:
    models = told(capsys, root, "--all", code=1)["models"]
    assert [(one["name"], one["exit_code"]) for one in models] == [("acme", 66), ("zinc", 66)]


def test_a_fleet_runs_from_a_folder_with_modules_of_other_names(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """An operator's own click.py or numpy.py must not be taken for the library."""
    for module in ("click", "numpy", "stockcast"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    models = told(capsys, root, "--all", code=1)["models"]
    assert [one["exit_code"] for one in models] == [66, 66]


def test_a_fleets_hook_from_the_environment_is_not_run_for_each_model(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("STOCKCAST_RETRAIN_ON_FAILURE", f'echo "$STOCKCAST_ERROR" >> {tmp_path}/note')
    told(capsys, root, "--all", code=1)
    (line,) = (tmp_path / "note").read_text().splitlines()
    assert "acme: failed" in line
    assert "zinc: failed" in line


def test_a_hook_hears_of_a_thousand_failures(tmp_path: Path) -> None:
    said: list[str] = []
    hooks.run_on_failure(f'printf %s "$STOCKCAST_ERROR" > {tmp_path}/note', "x failed; " * 100_000, said.append)
    assert said == []
    assert (tmp_path / "note").read_text().startswith("x failed; x failed; ")


def test_a_hooks_output_is_talk(root: Path) -> None:
    command = [sys.executable, "-m", "stockcast", "--store", str(root), "--json", "retrain", "acme"]
    done = subprocess.run([*command, "--on-failure", "echo hello"], capture_output=True, text=True, check=False)
    assert done.returncode == json.loads(done.stdout)["error"]["exit_code"] == 66
    assert "hello" in done.stderr


def test_a_hook_that_hangs_is_ended_with_all_that_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "LIMIT", 0.5)
    said: list[str] = []
    hooks.run_on_failure(f"sleep 1000 & echo $! > {tmp_path}/pid; wait", "failed", said.append)
    (line,) = said
    assert "0.5 s" in line
    child = int((tmp_path / "pid").read_text())
    while is_running(child):
        time.sleep(0.01)


def is_running(process: int) -> bool:
    """Whether there is such a process, and not merely its entry that nobody has collected yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_ping_tells_what_happened() -> None:
    said: list[str] = []
    with answering(lambda link: link.sendall(b"HTTP/1.0 200 OK\r\n\r\n")) as (url, asked):
        for event in ("start", "success", "fail"):
            hooks.notify(f"{url}/id/", event, said.append)
    assert said == []
    assert [request.split()[1] for request in asked] == [b"/id/start", b"/id", b"/id/fail"]


def drip(link: socket.socket) -> None:
    """Answer so slowly that no single wait is long."""
    for letter in b"HTTP/1.0 200 OK\r\n" + b"X-Slow: yes\r\n" * 1000:
        link.sendall(bytes([letter]))
        time.sleep(0.05)


ODD_SERVERS: dict[str, Callable[[socket.socket], None]] = {
    "no http": lambda link: link.sendall(b"go away\n"),
    "hangs up": lambda link: link.close(),
    "an error": lambda link: link.sendall(b"HTTP/1.0 500 Oops\r\n\r\n"),
    "to a file": lambda link: link.sendall(b"HTTP/1.0 302 Found\r\nLocation: file:///etc/hostname\r\n\r\n"),
    "drips": drip,
}


@pytest.mark.parametrize("behave", list(ODD_SERVERS.values()), ids=list(ODD_SERVERS))
def test_a_ping_that_fails_or_hangs_is_said_and_forgotten(
    behave: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "LIMIT", 0.5)
    said: list[str] = []
    with answering(behave) as (url, asked):
        hooks.notify(f"{url}/a-secret", "success", said.append)
    assert len(asked) == 1
    (line,) = said
    assert line.startswith(f"The success ping to {url.removeprefix('http://').partition('/')[0]} failed: ")
    assert "a-secret" not in line  # whoever knows the whole address can ping it


@pytest.mark.parametrize("url", [f"{SILENT}/with blank", f"{SILENT}/\x7f", "http://[", "https://-", f"{SILENT}:x/"])
def test_an_address_that_is_none_is_said_and_forgotten(url: str) -> None:
    said: list[str] = []
    hooks.notify(url, "success", said.append)
    assert len(said) == 1


@contextmanager
def answering(behave: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server on this machine that does `behave` on every connection: its address, and what it was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with link:
                asked.append(link.recv(4096))
                try:
                    behave(link)
                except OSError:
                    continue  # the caller has hung up

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
