"""Which files are read, and that each is whole: paths, folders, packed files, files that change, several at once."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from stockcast import errors
from stockcast.checks.findings import acceptable
from stockcast.reading import files, reader
from stockcast.reading.column_names import parse_columns
from stockcast.reading.reader import find_files, read_file, read_panel
from stockcast.reading.records import Hints

TEXT = "Date,Close\n" + "".join(f"2020-01-{day:02},{100 + day / 4}\n" for day in range(1, 29))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Beta.csv", "alpha.csv", "notes.txt"):
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    return tmp_path


def test_a_folder_means_its_csv_files_in_order(folder: Path) -> None:
    assert [path.name for path in find_files([str(folder)])] == ["Beta.csv", "alpha.csv"]


def test_a_glob_a_file_and_a_folder_may_be_mixed_and_nothing_is_read_twice(folder: Path) -> None:
    meant = [str(folder / "alpha.csv"), str(folder / "*.csv"), str(folder)]
    assert [path.name for path in find_files(meant)] == ["alpha.csv", "Beta.csv"]


@pytest.mark.parametrize("name", ["missing.csv", "*.tsv", "https://example.org/prices.csv"])
def test_what_means_no_file_is_not_found(folder: Path, name: str) -> None:
    with pytest.raises(errors.NotFound, match="there is no file"):
        find_files([str(folder / name)])


def test_a_folder_without_csv_files_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFound, match=r"no \*\.csv file"):
        find_files([str(tmp_path)])


def test_a_series_is_called_after_its_file_in_lower_case(folder: Path) -> None:
    assert [one.name for one in read_panel([str(folder)]).panel.series] == ["beta", "alpha"]


def test_the_fingerprint_is_that_of_the_bytes_on_disk(folder: Path) -> None:
    path = folder / "alpha.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert read_file(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_file(path).series[0].name == "alpha"


def test_broken_files_stand_beside_the_good_ones(folder: Path) -> None:
    (folder / "broken.csv").write_text("{}", encoding="utf-8")
    read = read_panel([str(folder)])
    assert read.panel.names == ("beta", "alpha")
    ((path, error),) = read.failures
    assert path.name == "broken.csv"
    assert "JSON" in error.message


def test_if_no_file_can_be_read_the_first_error_is_raised(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(errors.DataError, match=r"a\.csv has no column of dates"):
        read_panel([str(tmp_path)])


def test_a_folder_in_a_file_s_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.DataError, match="is a folder, not a file"):
        read_file(tmp_path)


def test_a_pipe_in_a_file_s_place_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    os.mkfifo(path)
    with pytest.raises(errors.DataError, match="a pipe, a socket or a device"):
        read_file(path)


def test_a_device_is_refused() -> None:
    with pytest.raises(errors.DataError, match="a pipe, a socket or a device"):
        read_file(Path(os.devnull))


def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may have 100 letters only
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("prices.csv")
        with pytest.raises(errors.DataError, match="a pipe, a socket or a device"):
            read_file(Path("prices.csv"))


def test_a_link_to_a_file_is_a_file(folder: Path) -> None:
    (folder / "link.csv").symlink_to(folder / "alpha.csv")
    assert len(read_file(folder / "link.csv").series[0]) == 28


def test_a_file_that_changes_during_each_try_is_busy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "alpha.csv"
    check = files._check_regular

    def grow(where: Path, status: os.stat_result) -> None:
        check(where, status)
        with path.open("a", encoding="utf-8") as file:
            file.write("2021-01-01,1\n")

    monkeypatch.setattr(files, "_check_regular", grow)
    with pytest.raises(errors.Busy, match="was changed while it was read, 3 times"):
        read_file(path)


def test_a_file_that_is_replaced_once_is_read_in_its_new_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = folder / "alpha.csv", folder / "other.csv"
    other.write_text(TEXT + "2020-01-29,120\n", encoding="utf-8")
    check, calls = files._check_regular, []

    def replace(where: Path, status: os.stat_result) -> None:
        check(where, status)
        calls.append(where)
        if len(calls) == 2:  # the first file is open now
            other.replace(path)

    monkeypatch.setattr(files, "_check_regular", replace)
    assert len(read_file(path).series[0]) == 29


def test_large_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)
    with pytest.raises(errors.DataError, match="holds more than 120 MB"):
        read_file(path)


def test_a_smaller_limit_holds_for_files_that_are_not_plain(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LONG_WAY_BYTES", 100)
    assert len(read_file(folder / "alpha.csv").series[0]) == 28
    path = folder / "semicolons.csv"
    path.write_text(TEXT.replace(",", ";"), encoding="utf-8")
    with pytest.raises(errors.DataError, match="too much for a file that is not plain"):
        read_file(path)


@pytest.mark.parametrize("suffix", [".gz", ".zip"])
def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 100_000)
    path, zeros = tmp_path / f"bomb{suffix}", b"0" * 10_000_000
    if suffix == ".gz":
        path.write_bytes(gzip.compress(zeros))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.csv", zeros)
    assert path.stat().st_size < files.MAX_BYTES
    tracemalloc.start()
    with pytest.raises(errors.DataError, match="holds more than"):
        read_file(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("hints", "message"),
    [
        (Hints(columns={"date": "When"}), "no column 'When'"),
        (Hints(columns={"close": "Last"}), "no column 'Last'"),
        (Hints(columns={"open": "Close"}), "names no closing price"),
        (Hints(decimal=","), "can't be read with the decimal mark ','"),
        (Hints(delimiter=";"), "no column of dates"),
        (Hints(date_format="%d/%m/%Y"), "no column of dates"),
    ],
)
def test_hints_that_do_not_fit_are_refused(folder: Path, hints: Hints, message: str) -> None:
    with pytest.raises(errors.DataError, match=message):
        read_file(folder / "alpha.csv", hints)


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", "Datum;Eröffnungspreis;Kürzel"),
        ("cp1250", "Datum;Cena zamknięcia;Źródło"),
        ("cp1251", "Дата;Индекс;Остаток"),
        ("cp874", "วันที่;ดัชนีราคา;ยอดคงเหลือ"),
        ("big5", "日期;臺股指數;融資餘額"),
        ("gb18030", "日期;上证指数;融资余额"),
        ("cp932", "日時;価格帯;備考欄"),
        ("euc_jp", "日時;価格帯;備考欄"),
        ("euc_kr", "일자;지수값;잔고금액"),
    ],
)
def test_names_in_older_encodings_are_told_in_their_own_letters(tmp_path: Path, encoding: str, names: str) -> None:
    path = tmp_path / "prices.csv"
    rows = [f"2020-01-{day:02};{100 + day % 5};{200 + day % 7}" for day in range(1, 29)]
    path.write_bytes("\n".join([names, *rows, ""]).encode(encoding))
    with pytest.raises(errors.AmbiguousData) as raised:
        read_file(path)
    assert all(name in raised.value.message for name in names.split(";")[1:])


@pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n"])
def test_a_delimiter_that_is_none_is_a_wrong_setting(folder: Path, delimiter: str) -> None:
    with pytest.raises(errors.ConfigError, match="is no delimiter"):
        read_file(folder / "alpha.csv", Hints(delimiter=delimiter))


def test_one_column_can_t_have_two_roles(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(TEXT.replace("Close", "Fixing"), encoding="utf-8")
    with pytest.raises(errors.DataError, match="two roles"):
        read_file(path, Hints(columns={"close": "Fixing", "open": "1"}))


def test_a_date_format_that_is_none_is_a_wrong_setting(folder: Path) -> None:
    with pytest.raises(errors.ConfigError, match="'daily' is no date format"):
        read_file(folder / "alpha.csv", Hints(date_format="daily"))


@pytest.mark.parametrize("name", ["%m/%d/%Y", "MM/DD/YYYY", "%m/%d/%Y "])
def test_a_date_format_may_be_written_with_letters(tmp_path: Path, name: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("Date,Close\n01/02/2020,1\n01/03/2020,2\n01/06/2020,3\n", encoding="utf-8")
    assert str(read_file(path, Hints(date_format=name.strip())).series[0].dates[-1]) == "2020-01-06"


def test_columns_and_accepted_kinds_are_taken_from_the_command_line() -> None:
    assert parse_columns("date=0, close=Close/Last") == {"date": "0", "close": "Close/Last"}
    assert acceptable(["splits", "ragged"]) == {"splits", "ragged"}


@pytest.mark.parametrize("text", ["close", "price=4", "close=", ""])
def test_columns_that_are_no_roles_are_wrong_usage(text: str) -> None:
    with pytest.raises(errors.UsageError, match=r"is not ROLE=NAME_OR_NUMBER|there is no role"):
        parse_columns(text)


def test_what_is_never_refused_cannot_be_accepted() -> None:
    with pytest.raises(errors.UsageError, match="--accept weekend_rows: this is only warned of"):
        acceptable(["weekend_rows"])
