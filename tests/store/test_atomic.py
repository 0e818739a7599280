"""Writing aside and replacing, as commands use it for a user's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from stockcast.errors import CannotCreate, IOFailure
from stockcast.store.atomic import appended, replace_file


def test_a_file_is_replaced_at_one_stroke(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    for data in (b"one", b"another"):
        replace_file(tmp_path / ".aside", path, data)
        assert path.read_bytes() == data
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]


def test_what_cannot_be_replaced_stays_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "out.csv"
    folder.mkdir()
    with pytest.raises(IOFailure, match="directory"):
        replace_file(tmp_path / ".aside", folder, b"data")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]
    assert folder.is_dir()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotCreate, match=r"nowhere/out\.csv can't be written: no such file"):
        replace_file(tmp_path / "nowhere" / ".aside", tmp_path / "nowhere" / "out.csv", b"data")


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    aside = tmp_path / ".aside"
    aside.symlink_to(target)
    with pytest.raises(CannotCreate):
        replace_file(aside, tmp_path / "out.csv", b"data")
    assert target.read_bytes() == b"mine"


def test_a_line_is_taken_back_when_what_follows_fails(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with appended(path, b"first\n"):
        pass
    seen = []

    def add_and_fail() -> None:
        with appended(path, b"second\n"):
            seen.append(path.read_bytes())
            raise KeyError

    with pytest.raises(KeyError):
        add_and_fail()
    assert (seen, path.read_bytes()) == ([b"first\nsecond\n"], b"first\n")
