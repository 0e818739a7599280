"""Names on disk: nothing leaves the store, nothing collides, and versions sort by age."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath, PureWindowsPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from stockcast.errors import UsageError
from stockcast.store.names import LONGEST, folder_name, is_version, model_name, next_version

names = st.text(min_size=1, max_size=300) | st.text(
    string.ascii_letters + r"./\:~%-$*? " + "\n\0", min_size=1, max_size=40
)


@pytest.mark.parametrize("name", ["ibm", "brk.b", "s-p_500", "0700.hk", "a" * LONGEST])
def test_a_plain_name_is_its_own_folder(name: str) -> None:
    assert folder_name(name) == name


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("..", "%2e%2e"),
        (".", "%2e"),
        ("../x", "%2e.%2fx"),
        (".hidden", "%2ehidden"),
        ("-rf", "%2drf"),
        ("x.", "x%2e"),
        ("IBM", "%49%42%4d"),
        ("con", "%63on"),
        ("aux.h", "%61ux.h"),
        ("com1", "%63om1"),
        ("a b", "a%20b"),
        ("~", "%7e"),
        ("100%", "100%25"),
        ("é", "%c3%a9"),
    ],
)
def test_every_other_name_is_written_out(name: str, folder: str) -> None:
    assert (folder_name(name), model_name(folder)) == (folder, name)


@pytest.mark.parametrize("name", ["", "\udcff", "a\nb", "\x1b[2J", "a" * (LONGEST + 1), "株" * 30])
def test_a_name_that_cannot_be_kept_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="model") as raised:
        folder_name(name)
    assert "--name" in str(raised.value.fix)


@given(names)
@example("\n")
@example("nul")
def test_no_name_escapes(name: str) -> None:
    try:
        folder = folder_name(name)
    except UsageError:
        assume(False)
    for path in (PurePosixPath("store") / folder, PureWindowsPath("store") / folder):
        assert (path.name, path.parent.name) == (folder, "store")
    assert set(folder) <= set(string.ascii_lowercase + string.digits + "._-%")
    assert folder[0] not in ".-"
    assert folder[-1] not in ". "
    assert len(folder) <= LONGEST
    assert model_name(folder) == name


@given(names, names)
def test_no_two_names_share_a_folder(one: str, other: str) -> None:
    try:
        same = folder_name(one).casefold() == folder_name(other).casefold()
    except UsageError:
        assume(False)
    assert same == (one == other)


@pytest.mark.parametrize("folder", ["IBM", "%69bm", "%49BM", "a b", ".git", "%zz", "%ff", "", "con"])
def test_a_folder_that_no_name_has_is_no_model(folder: str) -> None:
    assert model_name(folder) is None


times = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1), timezones=st.timezones())  # noqa: DTZ001, zones are added


@given(st.lists(times, min_size=1, max_size=12))
@example([datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)])
@example([datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=ZoneInfo("Europe/Berlin")) for fold in (1, 0)])
def test_versions_stay_in_order_whatever_the_clock_says(moments: list[datetime]) -> None:
    versions: list[str] = []
    for moment in moments:
        version = next_version(moment, versions, "0123456789abcdef")
        assert is_version(version)
        assert all(version > earlier for earlier in versions)
        versions.append(version)


def test_a_version_tells_the_time_in_utc() -> None:
    moment = datetime(2026, 11, 20, 21, 15, tzinfo=timezone(-timedelta(hours=5)))
    assert next_version(moment, [], "3f9c2a1bffff") == "20261121T021500Z-3f9c2a1b"
    assert next_version(moment, ["20261121T021500Z-ffffffff"], "3f9c2a1b") == "20261121T021501Z-3f9c2a1b"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "20261121T021500Z",
        "20261121T021500Z-3F9C2A1B",
        "20261321T021500Z-3f9c2a1b",
        "20261121T021500Z-3f9c2a1b\n",
    ],
)
def test_what_is_no_version(text: str) -> None:
    assert not is_version(text)
