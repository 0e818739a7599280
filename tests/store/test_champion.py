"""The pointer to the version that serves, and how old a champion may become."""

from __future__ import annotations

import runpy
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest

from stockcast.errors import ModelDamaged, NotFound
from stockcast.store.champion import Champion, parse_champion
from stockcast.store.records import dump, sha256
from stockcast.store.store import Store

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle, NOW = sample["make_bundle"], sample["NOW"]


def test_what_is_said_of_a_model_changes_nothing_else_and_outlives_the_champion(tmp_path: Path) -> None:
    store = Store(tmp_path / "models")
    first, second = (store.save("ibm", make_bundle(seed), NOW) for seed in (1, 2))
    champion = store.promote("ibm", first, "trained", NOW)
    assert champion.max_age is None
    store.amend("ibm", max_age=7)
    assert store.champion("ibm") == replace(champion, max_age=7)
    store.amend("ibm", accepted=["splits:2020-08-31"])
    store.amend("ibm", accepted=["future:2028-01-03"])
    assert store.champion("ibm") == replace(champion, max_age=7, accepted=("future:2028-01-03", "splits:2020-08-31"))
    store.promote("ibm", second, "better", NOW + timedelta(days=1))
    assert store.champion("ibm").accepted == ("future:2028-01-03", "splits:2020-08-31")
    assert store.rollback("ibm", None, "worse", NOW + timedelta(days=2)).max_age == 7
    store.amend("ibm", max_age=0)
    assert (store.champion("ibm").version, store.champion("ibm").max_age) == (first, 0)
    with pytest.raises(NotFound):
        store.amend("acme", max_age=7)
    assert not (tmp_path / "models" / "acme").exists()


def test_a_rejected_challenger_is_remembered_until_another_champion_serves(tmp_path: Path) -> None:
    store = Store(tmp_path / "models")
    first, second = (store.save("ibm", make_bundle(seed), NOW) for seed in (1, 2))
    champion = store.promote("ibm", first, "trained", NOW)
    store.reject("ibm", "a" * 64, {"event": "retrain"})
    assert store.champion("ibm") == replace(champion, rejected="a" * 64)
    assert store.log("ibm") == ({"event": "retrain"},)
    assert store.promote("ibm", second, "better", NOW + timedelta(days=1)).rejected is None
    with pytest.raises(NotFound):
        store.reject("acme", "a" * 64, {})


@pytest.mark.parametrize(
    "changed",
    [
        {"max_age": -1},
        {"max_age": "7"},
        {"max_age": True},
        {"max_age": 7.0},
        {"x": 1},
        {"rejected": 7},
        {"rejected": "a"},
        {"accepted": "splits"},
        {"accepted": [1]},
    ],
)
def test_a_pointer_of_another_kind_is_damage(changed: dict[str, object]) -> None:
    sound = Champion("20261121T021500Z-3f9c2a1b", "0" * 64, "2026-11-21T02:15:00Z", "trained", None, 7)
    assert parse_champion(sound.encode(), "here") == sound
    table = asdict(sound) | changed
    with pytest.raises(ModelDamaged):
        parse_champion(dump({**table, "sha256": sha256(dump(table))}), "here")
