"""The ledger as a file: damaged, newer, older, foreign, read-only, and told apart by `--verify`."""

from __future__ import annotations

import os
import runpy
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.errors import Busy, CannotCreate, DataError, LedgerDamaged, NotFound
from stockcast.ledger import connection
from stockcast.ledger.connection import appending, consult
from stockcast.ledger.live_record import read_record, recorded_models
from stockcast.ledger.schema import MIGRATIONS, SCALE

sample = runpy.run_path(str(Path(__file__).parents[1] / "faults" / "issues.py"))
make_model, issued, faults, issue_count = (sample[key] for key in ("make_model", "issued", "faults", "issue_count"))

pytestmark = pytest.mark.usefixtures("clock_put_right")

EVENING = "2026-03-02T22:30"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of two issues."""
    ledger = tmp_path / "models" / "ledger.sqlite"
    issued(ledger, EVENING, make_model(), make_model("zinc"))
    issued(ledger, "2026-03-03T22:30", make_model(origin=sample["MONDAY"] + 1))
    return ledger


def test_a_sound_ledger_has_no_faults_and_leaves_nothing_beside_it(path: Path) -> None:
    assert faults(path) == []
    assert sorted(one.name for one in path.parent.iterdir()) == ["ledger.lock", "ledger.sqlite"]
    assert not path.stat().st_mode & stat.S_IXUSR


def test_where_there_is_none_it_is_said_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as error:
        consult(tmp_path / "ledger.sqlite", recorded_models)
    assert "predict" in str(error.value.fix)
    assert "--record" in str(error.value.fix)
    assert not list(tmp_path.iterdir())


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cookies (name TEXT)")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a text": lambda path: path.write_text("Date,Close\n2020-01-01,1\n" * 1000),
    "half of it": lambda path: os.truncate(path, path.stat().st_size // 2),
    "another program's": another_database,
    "a folder": lambda path: path.mkdir(),
    "a link": lambda path: path.symlink_to(path.with_name("elsewhere")),
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_ledger_is_named_refused_and_left_alone(path: Path, what: str) -> None:
    copy = path.read_bytes()
    if what == "half of it":
        os.truncate(path, path.stat().st_size // 2)
    else:
        path.unlink()
        path.with_name("elsewhere").write_bytes(copy)
        DAMAGES[what](path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(LedgerDamaged, match="is damaged"):
        issued(path, "2026-03-04T22:30", make_model())
    with pytest.raises(LedgerDamaged, match="is damaged"):
        consult(path, lambda found: found.execute("SELECT count(*) FROM forecast, live_rows").fetchall())
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("issue", "UPDATE issue SET issued_at = issued_at - 86400 WHERE id = 1"),
        ("issue", "UPDATE issue SET in_time = 0"),
        ("issue", "DELETE FROM issue WHERE id = 1"),
        ("issue", "DELETE FROM issue WHERE id = 2"),
        ("prediction", "UPDATE prediction SET last = last + 1 WHERE id = 2"),
        ("prediction", "UPDATE prediction SET origin = origin + 1 WHERE id = 3"),
        ("prediction", "DELETE FROM prediction WHERE id = 1"),
        ("forecast", "UPDATE forecast SET status = 0"),
        ("forecast", "UPDATE forecast SET q975 = q975 + 1 WHERE id = 257"),
        ("forecast", "UPDATE forecast SET naive_q500 = NULL WHERE id = 514"),
        ("forecast", "UPDATE forecast SET target = target + 1 WHERE id = 257"),
        ("forecast", "DELETE FROM forecast WHERE id = 257"),
        ("version", "UPDATE version SET manifest_sha256 = 'ffff'"),
        ("version", "UPDATE version SET cutoff = 0"),
        ("series", "UPDATE series SET name = 'other'"),
    ],
)
def test_whatever_is_changed_by_force_breaks_the_chain(path: Path, table: str, change: str) -> None:
    issued(path, "2026-03-03T23:30", make_model(origin=sample["MONDAY"] + 1))
    with closing(sqlite3.connect(path)) as forced:
        triggers = forced.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", (table,)
        )
        kept = triggers.fetchall()
        for name, _ in kept:
            forced.execute(f"DROP TRIGGER {name}")
        forced.execute(change)
        for _, sql in kept:
            forced.execute(sql)
        forced.commit()
    assert faults(path)


def test_an_issue_vouches_for_all_before_it(tmp_path: Path) -> None:
    """The same second issue after another first one has another hash: history can't be swapped behind it."""
    hashes = []
    for width in (0.01, 0.02):
        ledger = tmp_path / f"{width}.sqlite"
        issued(ledger, EVENING, make_model(width=width))
        issued(ledger, "2026-03-02T22:45", make_model("zinc"))
        hashes.append(consult(ledger, lambda found: found.execute("SELECT hash FROM issue ORDER BY id").fetchall()))
    assert hashes[0][1] != hashes[1][1]


def test_a_trigger_that_was_dropped_and_a_table_that_was_added_are_found(path: Path) -> None:
    with closing(sqlite3.connect(path)) as forced:
        forced.execute("DROP TRIGGER issue_no_delete")
        forced.execute("CREATE TABLE notes (text TEXT)")
    assert faults(path) == ["trigger issue_no_delete is missing", "table notes was added"]


def test_a_newer_ledger_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    for use in (lambda: consult(path, recorded_models), lambda: issued(path, EVENING, make_model())):
        with pytest.raises(DataError, match=f"schema {len(MIGRATIONS) + 1}") as error:
            use()
        assert "newer" in str(error.value.fix)
    assert path.read_bytes() == before


def test_an_older_ledger_is_brought_up_to_date_or_left_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = (
        "CREATE TABLE note (id INTEGER PRIMARY KEY) STRICT",
        "CREATE TABLE note (id INTEGER PRIMARY KEY, id INTEGER)",
    )
    monkeypatch.setattr(connection, "MIGRATIONS", (*MIGRATIONS, (good, bad)))
    with pytest.raises(LedgerDamaged):
        issued(path, "2026-03-04T22:30", make_model())
    monkeypatch.setattr(connection, "MIGRATIONS", MIGRATIONS)
    assert faults(path) == []
    monkeypatch.setattr(connection, "MIGRATIONS", (*MIGRATIONS, (good,)))
    with pytest.raises(DataError, match=f"reads schema {len(MIGRATIONS) + 1}"):
        consult(path, recorded_models)
    issued(path, "2026-03-04T22:30", make_model())
    assert consult(path, recorded_models) == ("acme", "zinc")
    assert issue_count(path) == 3


def test_a_ledger_without_tails_goes_on_with_them(tmp_path: Path) -> None:
    """`golden/schema_1.sqlite` was written by the stockcast before the tails came: two issues, as in `path`."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes((Path(__file__).parent / "golden" / "schema_1.sqlite").read_bytes())
    with pytest.raises(DataError, match="has schema 1"):
        consult(path, recorded_models)
    issued(path, "2026-03-04T22:30", make_model(origin=sample["MONDAY"] + 2))
    assert faults(path) == []
    assert issue_count(path) == 3
    (mine,) = make_model().series
    record = consult(path, lambda ledger: read_record(ledger, "acme", "close"))
    assert record is not None
    for quantiles in record.quantiles:
        np.testing.assert_allclose(quantiles, mine.quantiles[:, 1:-1], rtol=0, atol=5e-12)


def test_what_fails_in_the_middle_leaves_nothing(path: Path) -> None:
    before = path.read_bytes()

    def fail() -> None:
        with appending(path) as ledger:
            ledger.execute("INSERT INTO series VALUES (NULL, 'x', 'y', 'z')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == before


def as_nobody(work: Callable[[], Any]) -> str:
    """What `work` says in a child process that may read everything and write nothing; its failure as text."""
    receive, send = os.pipe()
    if (child := os.fork()) == 0:
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            said = repr(work())
        except BaseException as error:  # whatever it is, the parent judges it
            said = f"{type(error).__name__}: {error}"
        os.write(send, said.encode())
        os._exit(0)
    os.close(send)
    os.waitpid(child, 0)
    return os.read(receive, 65_536).decode()


@pytest.fixture
def unwritable(path: Path) -> Iterator[Path]:
    for folder in (path.parent, *path.parent.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    yield path
    path.parent.chmod(0o755)


def test_whoever_may_only_read_can_read_and_is_told_that_he_cannot_write(unwritable: Path) -> None:
    assert as_nobody(lambda: consult(unwritable, recorded_models)) == "('acme', 'zinc')"
    said = as_nobody(lambda: issued(unwritable, EVENING, make_model()))
    assert said.startswith(CannotCreate.__name__)
    assert "ledger.sqlite" in said


def test_a_reader_without_rights_reads_again_what_changed_under_his_eyes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_RETRIES", 3)
    seen = []

    def work(found: sqlite3.Connection) -> int:
        seen.append(found.execute("SELECT count(*) FROM issue").fetchone()[0])
        if len(seen) == 1:
            issued(path, "2026-03-04T22:30", make_model(origin=sample["MONDAY"] + 2))
        return len(seen)

    assert connection._read_unwritable(path, work) == 2
    assert seen == [2, 3]


def test_an_empty_file_that_a_kill_left_is_no_ledger_yet(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.touch()
    with pytest.raises(NotFound):
        consult(path, recorded_models)
    assert issued(path, EVENING, make_model()).number == 1


def test_a_reader_without_rights_misses_nothing_that_is_still_in_the_log(
    unwritable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_PAUSE", 0)
    unwritable.with_name("ledger.sqlite-wal").write_bytes(b"committed, but not yet in the file")
    with pytest.raises(Busy, match="left open by a run that died"):
        connection._read_unwritable(unwritable, recorded_models)


def test_the_documented_tables_are_those_that_are_made() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")
    documented = [" ".join(one.split()) for one in page.split("```sql\n")[1].split("```")[0].split(";") if one.strip()]
    kept = ("CREATE TABLE", "CREATE INDEX", "ALTER TABLE")
    made = [" ".join(one.split()) for step in MIGRATIONS for one in step if one.startswith(kept)]
    assert documented == made


def test_numbers_fit_four_bytes_where_they_are_small() -> None:
    """Which is what keeps a forecast below 250 bytes."""
    assert 0.0214 * SCALE < 2**31 < 0.0216 * SCALE
