"""What `-o` may write to, and what it leaves as it was: inputs, the store, links, modes, pipes and devices."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import CannotCreate, DataError, IOFailure
from stockcast.jobs import output
from stockcast.jobs.output import check_output, write_output

GOLDEN = Path(__file__).parent / "golden" / "schema-1"

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
) -> Path:
    """A folder with the store `models` and the prices `in.csv` of its model acme."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(GOLDEN, "models")
    write_csv(prices(rows=220), tmp_path / "in.csv")
    (tmp_path / "in.csv").rename(tmp_path / "acme.csv")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def predict(*arguments: str) -> int:
    return run(["predict", "acme", "--csv", "acme.csv", "--format", "csv", *arguments])


REFUSED = {
    "its own input": "acme.csv",
    "its own input by another path": "models/../acme.csv",
    "a link to its input": "link.csv",
    "another name of its input": "hard.csv",
    "a file of the store": "models/acme/champion.json",
    "a new file in the store": "models/acme.txt",
    "a link into the store": "into.csv",
    "a new file in a linked store": "other-models/acme.txt",
}


@pytest.mark.parametrize("named", list(REFUSED.values()), ids=list(REFUSED))
def test_inputs_and_the_store_are_refused(place: Path, named: str, capsys: Capture) -> None:
    Path("link.csv").symlink_to("acme.csv")
    os.link("acme.csv", "hard.csv")
    Path("into.csv").symlink_to("models/acme/log.jsonl")
    Path("other-models").symlink_to("models")
    before = contents(place)
    assert predict("-o", named, "--json") == 65
    error = json.loads(capsys.readouterr().out)["error"]
    assert named in error["message"]
    assert "name another file" in error["fix"]
    assert contents(place) == before


def test_every_command_that_writes_asks_first(place: Path) -> None:
    Path("rows.png").write_text("model,series\n")
    Path("mine.toml").write_text("")
    model = next(Path("models/acme/versions").iterdir()) / "model.onnx"
    before = contents(place)
    start = ["--from", "2020-10-01"]
    commands = [
        ["plot", "acme", "--csv", "acme.csv", "-o", "models/acme.png"],
        ["plot", "--rows", "rows.png", "-o", "rows.png"],
        ["export", "acme", "-o", str(model)],
        ["backtest", "--csv", "acme.csv", *start, "-o", "acme.csv"],
        ["backtest", "--csv", "acme.csv", *start, "--config", "mine.toml", "-o", "mine.toml"],
        ["backtest", "--csv", "acme.csv", *start, "--against", "naive,mine.toml", "-o", "mine.toml"],
    ]
    for command in commands:
        assert run(command) == 65, command
    assert contents(place) == before


def test_prices_that_a_model_has_recorded_are_inputs_too(tmp_path: Path) -> None:
    prices = tmp_path / "prices"
    prices.mkdir()
    (prices / "a.csv").write_text("x")
    for inputs in ([prices], [prices / "*.csv"], [prices / "a.csv", prices / "gone.csv", prices / "b.csv"]):
        for name in ("a.csv", "b.csv"):
            with pytest.raises(DataError, match=f"{name} is an input"):
                check_output(prices / name, tmp_path / "models", inputs)
        check_output(prices / "a.png", tmp_path / "models", inputs)
        check_output(tmp_path / "a.csv", tmp_path / "models", inputs)
        check_output(tmp_path / "models-2" / "a.csv", tmp_path / "models", inputs)


def test_a_link_is_followed_and_the_mode_stays(place: Path) -> None:
    target, link = place / "deep" / "target.csv", place / "link.csv"
    target.parent.mkdir()
    target.write_text("old")
    target.chmod(0o604)
    link.symlink_to(target)
    assert predict("-o", str(link)) == 0
    assert link.is_symlink()
    assert target.read_text().startswith("series,date")
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert sorted(one.name for one in target.parent.iterdir()) == ["target.csv"]


def test_a_link_to_nowhere_gets_its_target(place: Path) -> None:
    Path("link.csv").symlink_to(place / "new.csv")
    assert predict("-o", "link.csv") == 0
    assert Path("link.csv").is_symlink()
    assert Path("new.csv").read_text().startswith("series,date")


def test_a_link_to_itself_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path / "loop", tmp_path):
        with pytest.raises(CannotCreate):
            write_output(path, b"new")


def test_a_failure_leaves_the_old_content_and_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    path.chmod(0o600)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stockcast.store.atomic._flush_folder", full)
    with pytest.raises(IOFailure, match="no space left"):
        write_output(path, b"new")
    assert path.read_bytes() == b"old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_output(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[list[bytes]]:
    """What somebody reads from the pipe `fifo`."""
    read: list[bytes] = []
    os.mkfifo(tmp_path / "fifo")
    thread = threading.Thread(target=lambda: read.append((tmp_path / "fifo").read_bytes()), daemon=True)
    thread.start()
    yield read
    thread.join(10)


@pytest.mark.usefixtures("place")
def test_a_pipe_is_written_to_and_stays(reader: list[bytes]) -> None:
    assert predict("-o", "fifo") == 0
    assert stat.S_ISFIFO(Path("fifo").stat().st_mode)
    while not reader:
        pass
    assert reader[0].startswith(b"series,date")


def test_a_pipe_that_nobody_reads_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "PATIENCE", 0.1)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(CannotCreate, match="nobody reads"):
        write_output(tmp_path / "fifo", b"new")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full here")
@pytest.mark.usefixtures("place")
def test_a_device_is_written_to_and_stays(capsys: Capture) -> None:
    assert predict("-o", "/dev/null") == 0
    capsys.readouterr()
    assert predict("-o", "/dev/full", "--json") == 74
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["exit_code"] == 74
    assert "Traceback" not in told.err
    assert Path("/dev/null").is_char_device()
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["--json"], [], ["--csv", "gone.csv", "--json"]], ids=["json", "table", "error"])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.usefixtures("place")
def test_a_full_stream_is_an_exit_code_and_no_traceback(arguments: list[str], stream: str) -> None:
    command = [sys.executable, "-m", "stockcast", "predict", "acme", "--csv", "acme.csv", *arguments]
    with Path("/dev/full").open("w") as full:
        out, err = (full, subprocess.PIPE) if stream == "stdout" else (subprocess.PIPE, full)
        done = subprocess.run(command, stdout=out, stderr=err, text=True, check=False)
    missing = "gone.csv" in arguments
    assert done.returncode == (66 if missing else 74 if stream == "stdout" else 0)
    assert "Traceback" not in str(done.stderr)
    assert "Exception" not in str(done.stderr)


@pytest.mark.usefixtures("place")
def test_with_json_stdout_holds_the_object_and_the_file_its_own_format(capsys: Capture) -> None:
    assert predict("-o", "out.csv", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    header, first, *_ = Path("out.csv").read_text().splitlines()
    assert header.startswith("series,date,step,forecast,")
    assert first.split(",")[1] == told["forecasts"][0]["date"]


@pytest.mark.usefixtures("place")
def test_what_stands_in_a_redirected_file_already_stays() -> None:
    command = [sys.executable, "-m", "stockcast", "predict", "acme", "--csv", "acme.csv", "--format", "csv"]
    Path("all.txt").write_text("earlier\n")
    with Path("all.txt").open("a") as file:
        subprocess.run([*command, "-o", "/dev/stdout"], stdout=file, check=True)
    first, second, *_ = Path("all.txt").read_text().splitlines()
    assert (first, second[:12]) == ("earlier", "series,date,")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_may_not_be_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(CannotCreate, match="may not be written"):
        write_output(path, b"new")
    assert path.read_bytes() == b"old"
