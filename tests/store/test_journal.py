"""A run that was broken off is gone on with; one that ended is forgotten."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from stockcast.errors import Busy, ModelDamaged
from stockcast.store import journal
from stockcast.store.journal import FOLDER, Journal, kept_journal

RUN = {"retrain": ["acme", "bolt"], "force": False}


def broken_off(root: Path, *names: str) -> None:
    with suppress(KeyboardInterrupt), kept_journal(root, RUN) as kept:
        for name in names:
            kept.add(name, {"exit_code": 0})
        raise KeyboardInterrupt


def done(root: Path, run: dict[str, object] = RUN) -> set[str]:
    """What a run finds done by an earlier one, and is itself broken off."""
    found: set[str] = set()
    with suppress(KeyboardInterrupt), kept_journal(root, run) as kept:
        found = set(kept.done)
        assert (kept.begun is None) == (not found)
        raise KeyboardInterrupt
    return found


def test_a_run_that_was_broken_off_is_gone_on_with(tmp_path: Path) -> None:
    broken_off(tmp_path, "acme")
    broken_off(tmp_path, "bolt")
    assert done(tmp_path) == {"acme", "bolt"}
    assert done(tmp_path, {**RUN, "force": True}) == set()
    with kept_journal(tmp_path, RUN):
        pass
    assert done(tmp_path) == set()


def test_a_line_that_a_kill_left_torn_is_no_models(tmp_path: Path) -> None:
    broken_off(tmp_path, "acme")
    (path,) = (tmp_path / FOLDER).iterdir()
    path.write_bytes(path.read_bytes() + b'{"name": "bo')
    assert done(tmp_path) == {"acme"}
    broken_off(tmp_path, "zinc")
    assert done(tmp_path) == {"acme", "zinc"}
    path.write_bytes(b"nonsense\n")
    assert done(tmp_path) == set()


def test_a_run_of_another_night_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(tmp_path, "acme")
    monkeypatch.setattr(journal, "LONGEST", -1)
    assert done(tmp_path) == set()


def test_the_same_run_is_not_begun_twice_at_once(tmp_path: Path) -> None:
    with kept_journal(tmp_path, RUN):
        with pytest.raises(Busy, match="under way already"), kept_journal(tmp_path, RUN):
            pass
        with kept_journal(tmp_path, {**RUN, "force": True}):
            pass


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelDamaged), kept_journal(tmp_path, RUN):
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_without_a_file_nothing_is_kept() -> None:
    kept = Journal()
    kept.add("acme", {"exit_code": 0})
    assert kept.done == {}
