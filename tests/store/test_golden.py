"""Stores of every schema there ever was, each written by the version that made it: they load for ever.

A new one is made by `make_store` in tests/faults/victim.py, with the lock and the empty folder left out. The one called
max-age has a limit of seven days besides.
"""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

from stockcast.store.store import Store

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
seeds_of, NOW = sample["seeds_of"], sample["NOW"]
GOLDEN = sorted((Path(__file__).parent / "golden").iterdir())


@pytest.mark.parametrize("root", GOLDEN, ids=lambda root: root.name)
def test_a_store_of_old_is_read(root: Path) -> None:
    store = Store(root)
    assert store.names() == ("acme",)
    assert [seeds_of(store.load("acme", version)) for version in store.versions("acme")] == [{1}, {2}, {3}]
    assert seeds_of(store.load("acme")) == {3}
    assert set(store.verify("acme").values()) == {None}
    assert [line["event"] for line in store.log("acme")] == ["train"] * 3
    assert store.champion("acme").max_age == (7 if root.name.endswith("max-age") else None)


@pytest.mark.parametrize("root", GOLDEN, ids=lambda root: root.name)
def test_a_store_of_old_can_be_changed(root: Path, tmp_path: Path) -> None:
    store = Store(Path(shutil.copytree(root, tmp_path / "models")))
    store.rollback("acme", None, "by hand", NOW)
    assert seeds_of(store.load("acme")) == {2}
