"""What `stockcast models` does to a store and tells of it."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.errors import ModelDamaged, NotFound, UsageError
from stockcast.jobs.fleet import retrain_fleet
from stockcast.jobs.models import list_models, prune_model, remove_model, roll_back, show_model, verify_models
from stockcast.jobs.retraining.records import RetrainRequest
from stockcast.store.store import Store
from stockcast.view.models import deleted_text, list_text, rollback_text, show_text, verify_text

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "sample.py"))
make_bundle, NOW = sample["make_bundle"], sample["NOW"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store of two models; `acme` has three versions."""
    store = Store(tmp_path / "models")
    for name, seeds in (("acme", (1, 2, 3)), ("zinc", (4,))):
        for seed in seeds:
            version = store.save(name, make_bundle(seed), NOW)
            store.promote(name, version, f"seed {seed}", NOW, {"event": "train", "seed": seed})
    return store.root


def damage(root: Path, name: str) -> str:
    """Damage the champion of a model; returns its version."""
    version = Store(root).champion(name).version
    (root / name / "versions" / version / "manifest.json").write_bytes(b"{}")
    return version


def test_the_list_has_every_model(root: Path) -> None:
    result = list_models(root).to_dict()
    acme, zinc = result["models"]
    assert (acme["name"], acme["versions"], acme["config"], acme["series"]) == ("acme", 3, "daily", 1)
    assert (acme["version"], acme["since"], acme["last"]) == (
        Store(root).champion("acme").version,
        "2026-11-21T02:15:00Z",
        "1970-01-30",
    )
    assert (zinc["name"], zinc["versions"], zinc["fault"]) == ("zinc", 1, None)
    lines = list_text(result).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["acme", "zinc"]


def test_a_damaged_model_is_listed_with_its_fault(root: Path) -> None:
    damage(root, "acme")
    result = list_models(root).to_dict()
    assert [row["name"] for row in result["models"]] == ["acme", "zinc"]
    assert "manifest.json" in result["models"][0]["fault"]
    assert "manifest.json" in list_text(result).splitlines()[-1]


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "a link": lambda folder: folder.symlink_to(folder.parent / "acme"),
    "versions is a link": lambda folder: make_link(folder / "versions"),
    "a loop of links": lambda folder: make_link(folder / "champion.json"),
}


def make_link(path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "champion.json").write_bytes(b"{}")
    path.unlink(missing_ok=True)
    path.symlink_to(path)


@pytest.mark.parametrize("make", list(UNREADABLE.values()), ids=list(UNREADABLE))
def test_one_model_that_cannot_be_read_is_named_and_hides_no_other(root: Path, make: Callable[[Path], object]) -> None:
    make(root / "bad")
    (root / b"\xff.csv".decode(errors="surrogateescape")).mkdir()
    (root / "retrain.log").symlink_to(root / "nowhere")
    rows = list_models(root).to_dict()["models"]
    assert [(row["name"], row["fault"] is None) for row in rows] == [("acme", True), ("bad", False), ("zinc", True)]
    assert str(root / "bad") in rows[1]["fault"]
    assert "bad: " in list_text({"models": rows}).splitlines()[-1]
    verification = verify_models(root, None)
    assert verification.exit_code == 1
    assert [name for name, found in verification.findings.items() if any(found.values())] == ["bad"]
    fleet = retrain_fleet(root, (), RetrainRequest(root, ""), jobs=2)
    assert [(one.name, one.exit_code) for one in fleet.outcomes] == [("acme", 66), ("bad", 65), ("zinc", 66)]
    assert "bad: failed: " in str(fleet.outcomes[1])


def test_an_empty_store_has_no_models(tmp_path: Path) -> None:
    result = list_models(tmp_path / "models").to_dict()
    assert (result, list_text(result)) == ({"models": []}, "There is no model yet.")
    with pytest.raises(NotFound):
        verify_models(tmp_path / "models", None)


def test_a_model_shows_its_history_with_reasons(root: Path) -> None:
    newest = Store(root).champion("acme").version
    roll_back(root, "acme", None)
    result = show_model(root, "acme").to_dict()
    versions = Store(root).versions("acme")
    assert result["champion"]["version"] == versions[1]
    assert result["champion"]["replaced"] == newest
    assert result["versions"] == list(versions)
    assert [line["event"] for line in result["log"]] == ["train", "train", "train", "rollback"]
    text = show_text(json.loads(json.dumps(result)))
    assert f"{versions[1]}  serves" in text
    assert f"{versions[2]}  served before" in text
    assert "why       rolled back by hand" in text
    assert f"rollback  to={versions[1]}  why=rolled back by hand" in text


def test_only_one_model_needs_no_name(root: Path) -> None:
    with pytest.raises(UsageError, match="acme, zinc"):
        show_model(root, None)
    assert remove_model(root, "acme").to_dict()["name"] == "acme"
    assert show_model(root, None).to_dict()["name"] == "zinc"
    assert prune_model(root, None, keep=0).name == "zinc"
    with pytest.raises(NotFound, match="replaced no other"):
        roll_back(root, None, None)


def test_verify_finds_the_damaged_version(root: Path) -> None:
    sound = verify_models(root, None)
    assert (sound.exit_code, sound.to_dict()["sound"]) == (0, True)
    assert verify_text(sound.to_dict()).count("sound") == 6
    version = damage(root, "zinc")
    found = verify_models(root, None)
    assert (found.exit_code, found.to_dict()["sound"]) == (1, False)
    assert set(found.findings["acme"].values()) == {None}
    assert "manifest.json" in str(found.findings["zinc"][version])
    assert "manifest.json" in verify_text(found.to_dict()).splitlines()[-1]
    assert verify_models(root, "acme").exit_code == 0
    with pytest.raises(NotFound, match="acme, zinc"):
        verify_models(root, "other")
    with pytest.raises(ModelDamaged):
        show_model(root, "zinc")


def test_rollback_and_prune_tell_what_they_did(root: Path) -> None:
    versions = Store(root).versions("acme")
    back = roll_back(root, "acme", versions[0]).to_dict()
    assert (back["name"], back["champion"]["version"]) == ("acme", versions[0])
    assert rollback_text(back) == f"acme is served by {versions[0]} again; it replaced {versions[2]}."
    gone = prune_model(root, "acme", keep=1).to_dict()
    assert gone == {"name": "acme", "deleted": [versions[1]]}
    assert deleted_text(gone) == f"acme: 1 version deleted.\n{versions[1]}"
    assert remove_model(root, "acme").to_dict() == {"name": "acme", "deleted": [versions[0], versions[2]]}
    assert [row.name for row in list_models(root).models] == ["zinc"]


def test_nothing_in_a_file_can_steer_the_terminal(root: Path) -> None:
    version = Store(root).champion("zinc").version
    Store(root).promote("zinc", version, "why\x1b[2J\nnot", NOW, {"event": "\x1b]0;title\x07"})
    text = show_text(show_model(root, "zinc").to_dict())
    assert "why?[2J?not" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)
