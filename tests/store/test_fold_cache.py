"""Finished folds of a backtest outlive a kill, and other backtests of the same prices at the same time."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from stockcast.data.forecast import QUANTILES, Forecast
from stockcast.data.series import Panel, PriceSeries
from stockcast.evaluate.walk_forward import Fold
from stockcast.store.fold_cache import FoldCache, kept_folds

DAYS = np.arange(30).astype("datetime64[D]")
FOLDS = [Fold(DAYS[0], DAYS[last], (np.array([last]),)) for last in (9, 19)]

KILLED = """
import os, runpy, signal, sys
from pathlib import Path
mine = runpy.run_path(sys.argv[1])
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with mine["kept_folds"](Path(sys.argv[2]), mine["panel"]()) as cache:
    cache.save("settings", mine["FOLDS"][0], mine["forecast"](0.0))
"""

Meanwhile = Callable[[Callable[[], object]], None]


def panel() -> Panel:
    return Panel((PriceSeries("acme", DAYS, {"close": np.arange(1.0, 31.0)}),))


def forecast(number: float) -> Forecast:
    ones = np.ones((1, 2))
    quantiles = np.full((1, 2, len(QUANTILES)), number)
    return Forecast(np.zeros(1, dtype=np.int64), np.array([9]), ones[:, 0], number * ones, quantiles)


def files(root: Path) -> list[str]:
    return sorted(path.suffix for path in root.rglob("*") if path.is_file())


@contextmanager
def broken_off(root: Path) -> Iterator[FoldCache]:
    """A backtest that is interrupted in the end."""
    with suppress(KeyboardInterrupt), kept_folds(root, panel()) as cache:
        yield cache
        raise KeyboardInterrupt


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Has something done once, at the moment when a file is written and not yet renamed."""

    def set_up(act: Callable[[], object]) -> None:
        renamed = Path.replace

        def replace(self: Path, target: Path) -> Path:
            monkeypatch.setattr(Path, "replace", renamed)
            act()
            return renamed(self, target)

        monkeypatch.setattr(Path, "replace", replace)

    return set_up


def test_a_fold_is_kept_until_the_backtest_is_whole(tmp_path: Path) -> None:
    with broken_off(tmp_path) as cache:
        cache.save("settings", FOLDS[0], forecast(1.0))
    with kept_folds(tmp_path, panel()) as cache:
        kept = cache.load("settings", FOLDS[0])
        assert kept is not None
        assert kept.point.tolist() == [[1.0, 1.0]]
        assert cache.load("settings", FOLDS[1]) is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_killed_before_it_renamed_a_fold_is_gone_on_with(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, __file__, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert files(tmp_path) == [".aside"]
    with broken_off(tmp_path) as cache:
        assert cache.load("settings", FOLDS[0]) is None
        cache.save("settings", FOLDS[0], forecast(2.0))
    assert files(tmp_path) == [".npz"]


def test_a_run_that_ends_before_its_first_fold_leaves_nothing(tmp_path: Path) -> None:
    with broken_off(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_write_the_same_fold(tmp_path: Path, meanwhile: Meanwhile) -> None:
    with kept_folds(tmp_path, panel()) as first, kept_folds(tmp_path, panel()) as second:
        meanwhile(lambda: second.save("settings", FOLDS[0], forecast(1.0)))
        first.save("settings", FOLDS[0], forecast(1.0))
        for cache in (first, second):
            assert cache.load("settings", FOLDS[0]) is not None
        assert files(tmp_path) == [".npz"]


@pytest.mark.parametrize("event", ["ends", "begins"])
def test_one_that_ends_or_begins_leaves_the_files_of_another_at_work(
    tmp_path: Path, meanwhile: Meanwhile, event: str
) -> None:
    other = kept_folds(tmp_path, panel())

    def act() -> None:
        if event == "begins":
            other.__enter__()
        other.__exit__(None, None, None)

    if event == "ends":
        other.__enter__()
    with kept_folds(tmp_path, panel()) as mine:
        meanwhile(act)
        mine.save("settings", FOLDS[0], forecast(1.0))
        assert mine.load("settings", FOLDS[0]) is not None
        mine.save("settings", FOLDS[1], forecast(1.0))
    assert list(tmp_path.iterdir()) == []
