"""What the tests of commands share: a store of two models that were saved long ago, and their prices."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from stockcast.data.series import PriceSeries
from stockcast.ledger import clock
from stockcast.store.store import Store

GOLDEN = Path(__file__).parent / "golden" / "schema-1"
ROWS = 220
"""The golden models were trained on so many sessions, of which the last is 2020-11-03."""

Prices = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]


@pytest.fixture(autouse=True)
def clock_put_right() -> Iterator[None]:
    """The clock of the ledger is the real one again after each test."""
    real = clock.utc_now
    yield
    clock.utc_now = real


@pytest.fixture
def folder(tmp_path: Path, prices: Prices, write_csv: WriteCsv, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of acme and pair, whose prices are acme.csv and the folder pair."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN, tmp_path / "golden")
    golden, store = Store(tmp_path / "golden"), Store(tmp_path / "models")
    (tmp_path / "pair").mkdir()
    write_csv(prices(rows=ROWS), tmp_path / "acme.csv")
    for seed, name in enumerate(("aa", "bb")):
        write_csv(prices(rows=ROWS, seed=seed), tmp_path / "pair" / f"{name}.csv")
    for name in ("acme", "pair"):
        bundle = golden.load(name)
        csvs = (str(tmp_path / ("acme.csv" if name == "acme" else "pair")),)
        manifest = replace(bundle.manifest, csv=csvs)
        now = datetime.fromisoformat("2020-11-03T22:00:00+00:00")
        store.promote(name, store.save(name, replace(bundle, manifest=manifest), now), "saved", now)
    return tmp_path
