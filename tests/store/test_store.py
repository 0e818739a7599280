"""What the store promises to those who save, promote, load and tidy up."""

from __future__ import annotations

import runpy
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from stockcast.data.forecast import Forecast
from stockcast.data.series import Panel, PriceSeries
from stockcast.errors import Busy, CannotCreate, ModelDamaged, NotFound, UsageError
from stockcast.evaluate.walk_forward import Fold
from stockcast.store.arrays import encode_arrays
from stockcast.store.champion import Champion
from stockcast.store.fold_cache import FoldCache
from stockcast.store.lock import in_use
from stockcast.store.read_version import Bundle
from stockcast.store.store import Store

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle, seeds_of, NOW = sample["make_bundle"], sample["seeds_of"], sample["NOW"]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def add(store: Store, seed: int, name: str = "ibm") -> str:
    version = store.save(name, make_bundle(seed), NOW + timedelta(days=seed))
    store.promote(name, version, f"seed {seed}", NOW + timedelta(days=seed))
    return version


def strays(store: Store, name: str = "ibm") -> list[str]:
    return [path.name for path in (store.root / name / ".aside").iterdir()]


def test_a_saved_model_is_loaded_as_it_was(store: Store) -> None:
    bundle = make_bundle(3)
    version = store.save("ibm", bundle, NOW)
    assert version.startswith("20261121T021500Z-")
    assert store.names() == ()  # nothing serves before it is promoted
    champion = store.promote("ibm", version, "first", NOW)
    loaded = store.load("ibm")
    assert loaded.files == bundle.files
    assert (loaded.manifest.name, loaded.manifest.version, loaded.manifest.created) == (
        "ibm",
        version,
        "2026-11-21T02:15:00Z",
    )
    assert (loaded.manifest.scores, loaded.manifest.next_sessions) == (
        bundle.manifest.scores,
        bundle.manifest.next_sessions,
    )
    assert store.champion("ibm") == champion
    assert (champion.version, champion.why, champion.replaced) == (version, "first", None)
    assert (store.names(), store.only()) == (("ibm",), "ibm")


def test_only_the_wanted_files_are_loaded(store: Store) -> None:
    version = add(store, 1)
    (store.root / "ibm" / "versions" / version / "weights.npz").write_bytes(b"damaged")
    assert set(store.load("ibm", wanted=("scaler.json",)).files) == {"scaler.json"}
    with pytest.raises(ModelDamaged, match=r"weights\.npz"):
        store.load("ibm")


def test_versions_stay_in_order_when_the_clock_goes_back(store: Store) -> None:
    made = [store.save("ibm", make_bundle(0), NOW + timedelta(days=days)) for days in (0, 0, -1, -400, 3)]
    assert made == sorted(set(made))
    assert store.versions("ibm") == tuple(made)
    assert store.load("ibm", made[3]).manifest.created == "2025-10-17T02:15:00Z"


def test_a_missing_model_is_answered_with_those_there_are(store: Store) -> None:
    with pytest.raises(NotFound, match="none"):
        store.only()
    for name in ("ibm", "msft"):
        add(store, 1, name)
    with pytest.raises(NotFound, match=r"'aapl'.*ibm, msft"):
        store.load("aapl")
    with pytest.raises(UsageError, match="2 models: ibm, msft"):
        store.only()
    for missing in ("20261121T021500Z-00000000", "../../ibm", ""):
        with pytest.raises(NotFound):
            store.load("ibm", missing)
    for change in (
        lambda: store.rollback("aapl", None, "", NOW),
        lambda: store.prune("aapl"),
        lambda: store.remove("aapl"),
    ):
        with pytest.raises(NotFound, match="ibm, msft"):
            change()
    assert sorted(path.name for path in store.root.iterdir()) == ["ibm", "msft"]


def test_rollback_goes_back_and_forth_and_is_logged(store: Store) -> None:
    first, second = add(store, 1), add(store, 2)
    assert store.rollback("ibm", None, "bad", NOW).version == first
    assert seeds_of(store.load("ibm")) == {1}
    assert store.rollback("ibm", None, "good after all", NOW).version == second
    third = add(store, 3)
    assert store.rollback("ibm", first, "bad", NOW).replaced == third
    assert [(line["event"], line["to"]) for line in store.log("ibm")] == [
        ("rollback", first),
        ("rollback", second),
        ("rollback", first),
    ]


def test_the_first_champion_cannot_be_rolled_back(store: Store) -> None:
    add(store, 1)
    with pytest.raises(NotFound, match="replaced no other"):
        store.rollback("ibm", None, "", NOW)


def test_promoting_the_champion_again_keeps_the_way_back(store: Store) -> None:
    first, second = add(store, 1), add(store, 2)
    store.promote("ibm", second, "again", NOW)
    assert store.champion("ibm").replaced == first


def test_a_damaged_version_is_never_promoted(store: Store) -> None:
    first, second = add(store, 1), add(store, 2)
    before = (store.root / "ibm" / "champion.json").read_bytes()
    (store.root / "ibm" / "versions" / first / "history.csv").write_bytes(b"damaged")
    with pytest.raises(ModelDamaged, match=r"history\.csv"):
        store.rollback("ibm", None, "", NOW)
    assert (store.root / "ibm" / "champion.json").read_bytes() == before
    assert store.log("ibm") == ()
    assert store.verify("ibm") == {"champion.json": None, second: None} | {first: store.verify("ibm")[first]}
    assert "history.csv" in str(store.verify("ibm")[first])


def test_a_damaged_pointer_is_refused_and_mended_by_a_rollback(store: Store) -> None:
    version = add(store, 1)
    pointer = store.root / "ibm" / "champion.json"
    pointer.write_bytes(pointer.read_bytes().replace(b"seed 1", b"seed 2"))
    for refused in (
        lambda: store.load("ibm"),
        lambda: store.prune("ibm"),
        lambda: store.rollback("ibm", None, "", NOW),
    ):
        with pytest.raises(ModelDamaged, match=r"champion\.json"):
            refused()
    store.rollback("ibm", version, "mended", NOW)
    assert seeds_of(store.load("ibm")) == {1}


def test_a_pointer_to_nowhere_is_damage(store: Store) -> None:
    version = add(store, 1)
    (store.root / "ibm" / "versions" / version).rename(store.root / "elsewhere")
    with pytest.raises(ModelDamaged, match=rf"champion\.json is damaged: {version} is not there"):
        store.load("ibm")


def test_a_version_under_the_name_of_another_is_damage(store: Store) -> None:
    first, _ = add(store, 1), add(store, 2)
    versions = store.root / "ibm" / "versions"
    other = "20261121T021500Z-00000000"
    (versions / first).rename(versions / other)
    with pytest.raises(ModelDamaged, match=f"belongs to version {first}"):
        store.rollback("ibm", other, "", NOW)


def test_prune_keeps_the_newest_the_champion_and_the_one_before(store: Store) -> None:
    versions = [add(store, seed) for seed in range(8)]
    store.rollback("ibm", versions[1], "", NOW)  # now 1 serves, and 7 served before
    assert store.prune("ibm", keep=2) == (versions[0], *versions[2:6])
    assert store.versions("ibm") == (versions[1], *versions[6:])
    assert store.prune("ibm", keep=0) == (versions[6],)
    assert store.prune("ibm", keep=0) == ()
    assert strays(store) == []
    with pytest.raises(UsageError):
        store.prune("ibm", keep=-1)


def test_a_reader_that_was_overtaken_gets_the_new_champion(store: Store) -> None:
    add(store, 1)

    class Slow(Store):
        def champion(self, name: str) -> Champion:
            """Between this reader's look at the pointer and its opening the version, that version is pruned."""
            found = super().champion(name)
            if len(store.versions(name)) == 1:
                add(store, 2)
                add(store, 3)
                store.prune(name, keep=0)
            return found

    assert seeds_of(Slow(store.root).load("ibm")) == {3}


def test_prune_leaves_a_version_that_is_being_read(store: Store) -> None:
    versions = [add(store, seed) for seed in range(4)]
    with in_use(store.root / "ibm" / "versions" / versions[0]):
        assert store.prune("ibm", keep=0) == (versions[1],)
    assert store.prune("ibm", keep=0) == (versions[0],)


def test_remove_takes_everything_but_the_lock(store: Store) -> None:
    add(store, 1)
    store.append_log("ibm", {"event": "train"})
    store.remove("ibm")
    left = [path.name for path in (store.root / "ibm").rglob("*") if path.is_file()]
    assert (left, store.names(), store.versions("ibm"), store.log("ibm")) == (["lock"], (), (), ())
    with pytest.raises(NotFound):
        store.remove("ibm")
    add(store, 2)
    assert seeds_of(store.load("ibm")) == {2}


def test_what_a_dead_writer_left_is_swept(store: Store) -> None:
    add(store, 1)
    aside = store.root / "ibm" / ".aside"
    (aside / "torn").mkdir()
    (aside / "torn" / "model.onnx").write_bytes(b"half")
    (aside / "champion.json").write_bytes(b"half")
    add(store, 2)
    assert strays(store) == []


def test_a_sweep_never_follows_a_link(store: Store, tmp_path: Path) -> None:
    add(store, 1)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "precious").write_bytes(b"x")
    aside = store.root / "ibm" / ".aside"
    aside.rmdir()
    aside.symlink_to(mine)
    add(store, 2)
    assert (mine / "precious").exists()


@pytest.mark.parametrize("part", ["lock", "log.jsonl", "versions"])
def test_a_link_in_the_store_is_never_written_through(store: Store, tmp_path: Path, part: str) -> None:
    add(store, 1)
    target = tmp_path / "target"
    place = store.root / "ibm" / part
    if place.exists():
        place.rename(target)
    else:
        target.write_bytes(b"no line feed")
    before = sorted(target.rglob("*")) or target.read_bytes()
    place.symlink_to(target)
    with pytest.raises((CannotCreate, ModelDamaged)):
        store.promote("ibm", store.champion("ibm").version, "again", NOW, {"event": "train"})
    assert (sorted(target.rglob("*")) or target.read_bytes()) == before


CHANGES: dict[str, Callable[[Store, str], object]] = {
    "save": lambda store, _: store.save("ibm", make_bundle(2), NOW),
    "promote": lambda store, version: store.promote("ibm", version, "again", NOW),
    "amend": lambda store, _: store.amend("ibm", max_age=7),
    "rollback": lambda store, version: store.rollback("ibm", version, "by hand", NOW),
    "prune": lambda store, _: store.prune("ibm", keep=0),
    "remove": lambda store, _: store.remove("ibm"),
    "append_log": lambda store, _: store.append_log("ibm", {"event": "train"}),
    "progress": lambda store, _: store.progress("ibm", "run"),
}


@pytest.mark.parametrize("change", list(CHANGES.values()), ids=list(CHANGES))
@pytest.mark.parametrize("part", ["", "versions"])
def test_no_change_follows_a_link_in_a_models_place(
    store: Store, tmp_path: Path, part: str, change: Callable[[Store, str], object]
) -> None:
    add(store, 0)
    version = add(store, 1)
    place = store.root / "ibm" / part
    place.rename(tmp_path / "mine")
    place.symlink_to(tmp_path / "mine")
    before = contents(tmp_path / "mine")
    with pytest.raises(ModelDamaged, match=f"{place} is a link") as raised:
        change(store, version)
    assert raised.value.fix == f"take the link away, which leaves what it points to: rm {place}"
    assert contents(tmp_path / "mine") == before
    assert place.is_symlink()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_dangling_link_in_a_models_place_is_refused_too(store: Store, tmp_path: Path) -> None:
    store.root.mkdir()
    (store.root / "ibm").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ModelDamaged, match="is a link"):
        store.save("ibm", make_bundle(2), NOW)
    assert not (tmp_path / "nowhere").exists()


def test_a_store_that_is_itself_a_link_is_fine(store: Store, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    store.root.symlink_to(tmp_path / "elsewhere")
    add(store, 1)
    assert seeds_of(store.load("ibm")) == {1}
    store.remove("ibm")
    assert store.names() == ()


def test_a_backtests_folds_are_kept_and_forgotten_within_the_store(
    store: Store, tmp_path: Path, prices: Callable[..., PriceSeries]
) -> None:
    panel, mine = Panel((prices(rows=5),)), tmp_path / "mine"
    fold = Fold(panel.dates[0], panel.dates[2], [np.array([3])])
    forecast = Forecast(np.zeros(1, int), np.array([3]), np.ones(1), np.ones((1, 1)), np.ones((1, 1, 9)))
    cache = FoldCache(store.root / ".backtests", panel)
    cache.save("config", fold, forecast)
    before = contents(store.root)
    changes: list[Callable[[], None]] = [partial(cache.clear, True), partial(cache.save, "other", fold, forecast)]
    for place in (next(cache.root.iterdir()), cache.root):
        place.rename(mine)
        place.symlink_to(mine)
        for change in changes:
            with pytest.raises(ModelDamaged, match=f"{place} is a link"):
                change()
        place.unlink()
        mine.rename(place)
    assert contents(store.root) == before


def test_a_line_that_a_crash_tore_is_cut_off(store: Store) -> None:
    store.append_log("ibm", {"event": "train", "loss": 0.5})
    log = store.root / "ibm" / "log.jsonl"
    with log.open("ab") as file:
        file.write(b'{"event": "tor')
    assert [line["event"] for line in store.log("ibm")] == ["train"]
    store.append_log("ibm", {"event": "retrain"})
    assert [line["event"] for line in store.log("ibm")] == ["train", "retrain"]
    log.write_bytes(b"no json\n")
    with pytest.raises(ModelDamaged, match=r"log\.jsonl, line 1"):
        store.log("ibm")


def test_a_second_writer_is_told_to_wait(store: Store) -> None:
    version = add(store, 1)
    refused: list[Busy] = []

    def contend() -> None:
        with pytest.raises(Busy) as raised:
            store.promote("ibm", version, "", NOW)
        refused.append(raised.value)

    with store.lock("ibm"):
        add(store, 2)  # the holder itself may go on
        contender = threading.Thread(target=contend)
        contender.start()
        contender.join()
        assert seeds_of(store.load("ibm")) == {2}  # reading waits for nobody
    assert "ibm" in refused[0].message
    assert (store.root / "ibm" / "lock").exists()
    add(store, 3)


def test_a_poisoned_model_is_not_saved(store: Store) -> None:
    bundle = make_bundle(0)
    poisoned = {**bundle.files, "weights.npz": encode_arrays({"kernel": np.array([1, np.nan])})}
    with pytest.raises(ModelDamaged, match="NaN"):
        store.save("ibm", Bundle(bundle.manifest, poisoned), NOW)
    assert not store.root.exists()
    with pytest.raises(ValueError, match="files"):
        store.save("ibm", Bundle(bundle.manifest, {}), NOW)


def test_a_store_that_cannot_be_made_is_one_line_with_a_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotCreate, match="file exists") as raised:
        Store(tmp_path / "file" / "models").save("ibm", make_bundle(0), NOW)
    assert "\n" not in raised.value.message
    assert "--store" in str(raised.value.fix)


def test_a_name_is_found_whatever_its_capitals(store: Store) -> None:
    for name in ("goog", "IBM", "msft", "MSFT"):
        add(store, 1, name)
    assert [store.find(name) for name in ("GOOG", "Goog", "ibm", "msft", "MSFT", "Msft", "aapl")] == [
        *("goog", "goog", "IBM", "msft", "MSFT", "Msft", "aapl")
    ]


def test_the_nearest_names_are_suggested_first(store: Store) -> None:
    for name in (*(f"a{number}" for number in range(20)), "googl"):
        add(store, 1, name)
    with pytest.raises(NotFound, match="it holds: googl, ") as raised:
        store.champion("goog")
    assert raised.value.message.endswith("and 11 more.")
