"""What all tests share: made-up prices, and files of them."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import numpy as np
import pytest

from stockcast.data.series import COLUMNS, PriceSeries
from stockcast.errors import StockcastError
from stockcast.reading.column_names import parse_columns
from stockcast.reading.reader import examined, read_panel
from stockcast.reading.records import Hints
from stockcast.store.store import Store

# No test is timed: on a busy machine a deadline fails without a fault in the code. All else stays as it was loaded,
# which is hypothesis' own reproducible profile where the environment says that this is CI.
hypothesis.settings.register_profile("untimed", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "not tensorflow and ..."` modules marked as a whole are not imported: that alone takes seconds."""
    unwanted = [one.removeprefix("not ") for one in config.getoption("markexpr").split(" and ") if "not " in one]
    if collection_path.suffix != ".py":
        return None
    text = collection_path.read_text(encoding="utf-8")
    return any(f"\npytestmark = pytest.mark.{mark}\n" in text for mark in unwanted) or None


@pytest.fixture(scope="session")
def prices() -> Callable[..., PriceSeries]:
    """Makes a series: `prices(rows=300, seed=0, name="acme", start="2020-01-01", columns=COLUMNS)`."""
    return made_up_prices


def made_up_prices(
    rows: int = 300,
    seed: int = 0,
    name: str = "acme",
    start: str = "2020-01-01",
    columns: tuple[str, ...] = COLUMNS,
) -> PriceSeries:
    """A random walk of cents on weekdays whose volatility comes in clusters, as GARCH(1,1) makes them."""
    random = np.random.default_rng(seed)
    shocks = random.standard_normal(rows)
    variance = np.full(rows, 1.5e-4)
    for row in range(1, rows):
        variance[row] = 6e-6 + (0.08 * shocks[row - 1] ** 2 + 0.88) * variance[row - 1]
    sigma = np.sqrt(variance)
    close = 100 * np.exp(np.cumsum(sigma * shocks))
    opening = np.append(100, close[:-1]) * np.exp(0.3 * sigma * random.standard_normal(rows))
    reach = np.abs(random.standard_normal((2, rows))) * 0.5 * sigma
    every = {
        "open": opening,
        "high": np.maximum(opening, close) * np.exp(reach[0]),
        "low": np.minimum(opening, close) * np.exp(-reach[1]),
        "close": close,
    }
    cents = {key: np.maximum(np.round(values, 2), 0.01) for key, values in every.items()}
    volume = np.round(1e6 * np.exp(0.3 * random.standard_normal(rows)))
    dates = np.busday_offset(start, np.arange(rows), roll="forward")
    return PriceSeries(name, dates, {key: (cents | {"volume": volume})[key] for key in columns})


@pytest.fixture(scope="session")
def write_csv() -> Callable[[PriceSeries, Path], Path]:
    """Writes a series as a plain CSV and hands back its path: `write_csv(series, tmp_path / "acme.csv")`."""
    return _write_csv


def _write_csv(series: PriceSeries, path: Path) -> Path:
    lines = [",".join(("Date", *(key.capitalize() for key in series.columns)))]
    for row, day in enumerate(series.dates):
        cells = (
            f"{values[row]:.0f}" if key == "volume" else f"{values[row]:.{series.decimals}f}"
            for key, values in series.columns.items()
        )
        lines.append(",".join((str(day), *cells)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


ROOT = Path(__file__).parents[1]

GOLDEN = Path(__file__).parent / "jobs" / "golden" / "schema-1"
GOLDEN_ROWS = 220
"""The golden models were trained on so many made-up sessions, of which the last is 2020-11-03."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the test runs: a store of acme and pair in models, whose prices are acme.csv and the folder pair."""
    monkeypatch.chdir(tmp_path)
    save_golden_models(tmp_path, {"acme": "acme", "pair": "pair"})
    return tmp_path


@pytest.fixture(scope="session")
def golden_models() -> Callable[[Path, Mapping[str, str]], None]:
    """Puts golden models under other names into `folder / "models"`, each with prices of its own."""
    return save_golden_models


def save_golden_models(folder: Path, golden: Mapping[str, str]) -> None:
    """Save acme and pair, each under one name or several, and write acme.csv and the folder pair."""
    (folder / "pair").mkdir()
    _write_csv(made_up_prices(rows=GOLDEN_ROWS), folder / "acme.csv")
    for seed, name in enumerate(("aa", "bb")):
        _write_csv(made_up_prices(rows=GOLDEN_ROWS, seed=seed), folder / "pair" / f"{name}.csv")
    source, store = Store(shutil.copytree(GOLDEN, folder / "golden")), Store(folder / "models")
    now = datetime.fromisoformat("2020-11-03T22:00:00+00:00")
    for name, like in golden.items():
        bundle = source.load(like)
        manifest = replace(bundle.manifest, csv=(str(folder / ("acme.csv" if like == "acme" else "pair")),))
        store.promote(name, store.save(name, replace(bundle, manifest=manifest), now), "saved", now)


TODAY = date(2026, 1, 1)
FLAG = re.compile(r"--(columns|accept|decimal|delimiter|date-format) ('[^']*'|\"[^\"]*\"|\S+)")


def flags_of(fix: str) -> list[tuple[str, str]]:
    """Every flag that a fix names, with its value as a shell hands it on; a full stop ends the sentence."""
    found = []
    for flag, value in FLAG.findall(fix):
        whole = value[:-1] if len(value) > 1 and value[-1] in ".,;" and value[0] not in "'\"" else value
        (word,) = shlex.split(whole)
        found.append((flag, "\t" if word == "\\t" else word))
    return found


def with_flag(hints: Hints, flag: str, value: str) -> Hints:
    """What the user said before, and one flag more."""
    if flag == "columns":
        return replace(hints, columns={**hints.columns, **parse_columns(value)})
    if flag == "accept":
        return replace(hints, accept=hints.accept | {value})
    if flag == "date-format":
        return replace(hints, date_format=value)
    return replace(hints, decimal=value) if flag == "decimal" else replace(hints, delimiter=value)


def refusal_of(path: Path, hints: Hints) -> tuple[str, str]:
    """What a file is refused with by the commands that use it, and the fix; empty if it is read."""
    try:
        examined(read_panel([str(path)], hints), hints, TODAY)
    except StockcastError as error:
        return error.message, error.fix or ""
    return "", ""


@pytest.fixture
def follow_the_fix() -> Callable[[Path, Hints], int]:
    """Follow each flag of a file's refusal and see that it leads elsewhere; how many flags were followed."""

    def follow(path: Path, hints: Hints) -> int:
        message, fix = refusal_of(path, hints)
        assert not re.search(r"=[A-Z_]{4,}|=\.\.\.", fix), fix
        flags = flags_of(fix)
        for flag, value in flags:
            again, _ = refusal_of(path, with_flag(hints, flag, value))
            assert again != message, f"--{flag} {value} leads back to: {message} Fix: {fix}"
        return len(flags)

    return follow


@pytest.fixture(scope="session")
def loopback() -> ModuleType:
    """The module tests/faults/loopback.py."""
    spec = importlib.util.spec_from_file_location("loopback", Path(__file__).parent / "faults" / "loopback.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["loopback"] = module
    spec.loader.exec_module(module)
    return module


class World:
    """A server, the moment that it is, and the seconds that were slept."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.now = datetime(2024, 3, 1, 22, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def set(self, moment: str) -> None:
        """Let it be this moment, in UTC."""
        self.now = datetime.fromisoformat(f"{moment}+00:00")


@pytest.fixture
def world(loopback: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A market that only exists here; no test waits."""
    from stockcast.fetch import pace, tiingo, yahoo
    from stockcast.ledger import clock

    with yahoo.own_symbols():  # some test of this process may have loaded TensorFlow before
        import yfinance

    yfinance.set_tz_cache_location(str(tmp_path / "of yfinance"))
    server = loopback.Loopback()
    made = World(server)
    server.now = lambda: made.now
    monkeypatch.setattr(clock, "utc_now", lambda: made.now)
    monkeypatch.setattr(yahoo, "new_session", loopback.pointed_at(server.base))
    monkeypatch.setattr(tiingo, "BASE", server.base)
    monkeypatch.setenv("TIINGO_API_KEY", "a-secret-token")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(pace, "sleep", made.slept.append)
    yield made
    server.close()


@pytest.fixture
def stock(loopback: ModuleType) -> Callable[..., Any]:
    """Makes a stock: `stock(300, seed=0, first="2023-01-03")`."""

    def make(rows: int = 300, seed: int = 0, first: str = "2023-01-03") -> Any:
        return loopback.made_up_stock(loopback.weekdays(datetime.fromisoformat(first).date(), rows), seed)

    return make


@pytest.fixture
def clock_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test sets the ledger's clock to, it is the real one again afterwards."""
    from stockcast.ledger import clock

    monkeypatch.setattr(clock, "utc_now", clock.utc_now)


@pytest.fixture
def fault_script() -> Callable[..., str]:
    """Runs a script of `tests/faults` that has to end well, and hands back what it prints.

    `within` is a command to run it by; `quick` puts its files where no disk is waited for.
    """

    def run_script(script: str, *options: str, within: tuple[str, ...] = (), quick: bool = True) -> str:
        command = [*within, sys.executable, str(ROOT / "tests" / "faults" / script), *options]
        memory = {"TMPDIR": "/dev/shm"} if quick and Path("/dev/shm").is_dir() else {}
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **memory}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_script


@pytest.fixture(scope="session")
def strace() -> None:
    """Skips where system calls can't be traced and made to fail."""
    if not _can("strace", "-o", os.devnull, "-e", "inject=fsync:error=EIO", "true"):
        pytest.skip("strace is missing, or may not trace here")


@pytest.fixture(scope="session")
def own_mounts() -> None:
    """Skips where no small disk can be mounted."""
    if not _can("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", str(ROOT / "tests")):
        pytest.skip("mounting a small disk needs more rights")


@pytest.fixture(scope="session")
def own_networks() -> None:
    """Skips where two hosts can't be pretended."""
    if not _can("unshare", "--net", "ip", "link", "add", "cable", "type", "veth", "peer", "name", "other"):
        pytest.skip("iproute2 is missing, or joining two networks needs more rights")


def _can(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
