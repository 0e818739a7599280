"""`--csv https://...`: conditional requests, copies that stand in, and everything that is no file of prices."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import StockcastError
from stockcast.fetch import address, transport
from stockcast.fetch.address import check_address, download, file_name
from stockcast.jobs.fetching.addresses import ADDRESSES, local_files

Capture = pytest.CaptureFixture[str]
CSV = b"Date,Close\n2024-01-02,100\n2024-01-03,101\n2024-01-04,102\n"


def serve(world: Any, path: str, body: bytes = CSV, status: int = 200, **headers: str) -> str:
    """Have the server answer at a path; the address of it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    world.server.files[path] = lambda _: (status, named, body)
    return f"{world.server.base}{path}"


def check(capsys: Capture, store: Path, *csvs: str, code: int = 0) -> dict[str, Any]:
    """`check --json` of addresses."""
    capsys.readouterr()
    ended = run(["check", *(word for csv in csvs for word in ("--csv", csv)), "--store", str(store), "--json"])
    out, err = capsys.readouterr()
    assert ended == code, out + err
    assert "Traceback" not in err
    found: dict[str, Any] = json.loads(out)
    return found


def test_what_has_not_changed_is_not_sent_again(world: Any, tmp_path: Path, capsys: Capture) -> None:
    def answer(headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
        tags = {"ETag": '"one"', "Last-Modified": "Fri, 01 Mar 2024 21:30:00 GMT"}
        return (304, tags, b"") if headers.get("If-None-Match") == '"one"' else (200, tags, CSV)

    world.server.files["/acme.csv"] = answer
    where = f"{world.server.base}/acme.csv"
    first, second = (check(capsys, tmp_path, where)["files"][0] for _ in range(2))
    assert first == second
    assert first["series"][0]["name"] == "acme"
    assert "if-none-match" not in world.server.asked[0][1]
    assert world.server.asked[1][1]["if-none-match"] == '"one"'
    assert world.server.asked[1][1]["if-modified-since"] == "Fri, 01 Mar 2024 21:30:00 GMT"
    (copy,) = (tmp_path / ADDRESSES).glob("*/acme.csv")
    copy.write_bytes(CSV + b"2024-01-05,1\n")  # not what the tag is of
    assert check(capsys, tmp_path, where)["files"][0] == first


def test_a_new_content_takes_the_copys_place(world: Any, tmp_path: Path, capsys: Capture) -> None:
    where = serve(world, "/acme.csv", ETag='"one"')
    assert check(capsys, tmp_path, where)["files"][0]["series"][0]["rows"] == 3
    serve(world, "/acme.csv", CSV + b"2024-01-05,103\n", ETag='"two"')
    assert check(capsys, tmp_path, where)["files"][0]["series"][0]["rows"] == 4


def unreachable(kind: str, world: Any, loopback: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the address /acme.csv give nothing for now."""
    server = world.server
    if kind == "no server":
        server.close()
    elif kind == "truncated":
        server.faults["/acme.csv"] = [loopback.truncated(CSV, "text/csv")]
    elif kind == "slow":
        monkeypatch.setattr(address, "LIMITS", transport.Limits(connect=5, between=5, total=0.3))
        monkeypatch.setattr(download, "__defaults__", ("", "", address.LIMITS))
        server.faults["/acme.csv"] = [loopback.dripping(CSV * 100, 0.02)]
    elif kind == "silent":
        monkeypatch.setattr(download, "__defaults__", ("", "", transport.Limits(connect=5, between=0.2, total=5)))
        server.faults["/acme.csv"] = [lambda _: time.sleep(1)]
    elif kind == "gzip cut":
        body = gzip.compress(CSV)[:-9]
        server.faults["/acme.csv"] = [lambda handler: raw(handler, body, {"Content-Encoding": "gzip"})]
    else:
        server.faults["/acme.csv"] = [(int(kind), {}, b"<html>later</html>")]


def raw(handler: Any, body: bytes, headers: Mapping[str, str]) -> None:
    handler.send_response(200)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.mark.parametrize("kind", ["no server", "truncated", "slow", "silent", "gzip cut", "503", "429"])
def test_where_nobody_answers_the_copy_stands_in_and_its_age_is_said(
    kind: str,
    world: Any,
    loopback: ModuleType,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = serve(world, "/acme.csv", ETag='"one"')
    fresh = check(capsys, tmp_path, where)["files"][0]
    world.now += timedelta(hours=5)
    unreachable(kind, world, loopback, monkeypatch)
    begin = time.monotonic()
    old = check(capsys, tmp_path, where)["files"][0]
    assert time.monotonic() - begin < 5
    assert old["series"] == fresh["series"]
    (warning,) = (one for one in old["warnings"] if one["kind"] == "old_copy")
    assert where in warning["message"]
    assert "The copy is 5 hours old." in warning["message"]
    unreachable(kind, world, loopback, monkeypatch)
    found = check(capsys, tmp_path / "another store", where, code=74)
    assert found["error"]["kind"] == "io"


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"<!DOCTYPE html><html>log in</html>", {"Content-Type": "text/csv"}, 200, "a page"),
        (b"\xef\xbb\xbf\n<html><body>1,2,3", {}, 200, "a page"),
        (b'<?xml version="1.0"?><error/>', {}, 200, "a page"),
        (b'{"Note": "Thank you"}', {"Content-Type": "text/csv"}, 200, "JSON"),
        (b" [1, 2]", {}, 200, "JSON"),
        (b"", {}, 200, "nothing"),
        (b" \n", {}, 200, "nothing"),
        (CSV, {"Content-Encoding": "br"}, 200, "encoding"),
        (CSV, {}, 206, "HTTP 206"),
        (CSV, {}, 401, "wants credentials"),
        (CSV, {}, 403, "wants credentials"),
        (CSV, {}, 418, "HTTP 418"),
        (CSV, {"Location": "ftp://127.0.0.1/acme.csv"}, 302, "leads elsewhere"),
        (CSV, {"Location": "file:///etc/passwd"}, 301, "leads elsewhere"),
        (CSV, {"Location": "http://localhost/acme.csv"}, 307, "leads elsewhere"),
        (CSV, {"Location": "https://me:secret@localhost/acme.csv"}, 307, "leads elsewhere"),
        (CSV, {"Location": "https://[1"}, 307, "leads elsewhere"),
        (CSV, {"Location": "/acme.csv"}, 308, "more than 5 times"),
        (CSV, {}, 302, "leads elsewhere"),
    ],
)
def test_what_is_no_file_is_refused_as_such_and_leaves_the_copy(
    body: bytes, headers: dict[str, str], status: int, words: str, world: Any, tmp_path: Path, capsys: Capture
) -> None:
    where = serve(world, "/acme.csv")
    check(capsys, tmp_path, where)
    world.server.files["/acme.csv"] = lambda _: (status, headers, body)
    found = check(capsys, tmp_path, where, code=65)
    assert words in found["error"]["message"]
    assert "secret" not in json.dumps(found)
    (copy,) = (tmp_path / ADDRESSES).glob("*/acme.csv")
    assert copy.read_bytes() == CSV


@pytest.mark.parametrize("status", [404, 410])
def test_an_address_that_holds_nothing_any_more_is_said_to(
    status: int, world: Any, tmp_path: Path, capsys: Capture
) -> None:
    where = serve(world, "/acme.csv")
    check(capsys, tmp_path, where)
    serve(world, "/acme.csv", b"gone", status)
    assert check(capsys, tmp_path, where, code=66)["error"]["kind"] == "not_found"


def test_a_redirection_on_the_same_host_is_followed(world: Any, tmp_path: Path, capsys: Capture) -> None:
    serve(world, "/new/acme.csv")
    where = serve(world, "/acme.csv", b"", 301, Location="/new/acme.csv")
    assert check(capsys, tmp_path, where)["files"][0]["series"][0]["name"] == "acme"


def test_gzip_is_unpacked_on_the_way_and_in_a_file(world: Any, tmp_path: Path, capsys: Capture) -> None:
    on_the_way = serve(world, "/acme.csv", Content_Encoding="gzip")
    packed = serve(world, "/acme.csv.gz", gzip.compress(CSV))
    for where in (on_the_way, packed):
        assert check(capsys, tmp_path, where)["files"][0]["series"][0]["rows"] == 3


@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "gzip"}])
def test_an_answer_is_as_large_as_a_file_may_be(
    encoding: dict[str, str], world: Any, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_BYTES", 1000)
    world.server.files["/acme.csv"] = lambda _: (200, encoding, CSV * 100)
    assert "sends more than" in check(capsys, tmp_path, f"{world.server.base}/acme.csv", code=65)["error"]["message"]


@pytest.mark.parametrize(
    "text",
    [
        "ftp://example.com/acme.csv",
        "file:///etc/passwd",
        "gopher://example.com",
        "javascript://x",
        "https://",
        "https:///acme.csv",
        "https://exa mple.com/acme.csv",
        "https://example.com:99999/acme.csv",
        "https://example.com/acme\n.csv",
        "https://m\u00fcller.example/acme.csv",
    ],
)
def test_what_is_no_address_of_a_file_is_wrong_usage(text: str, tmp_path: Path, capsys: Capture) -> None:
    check(capsys, tmp_path, text, code=2)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter2@example.com/acme.csv",
        "https://hunter2@example.com/acme.csv",
        "https://example.com/acme.csv?apikey=hunter2",
        "https://example.com/acme.csv?a=1&api_token=hunter2",
        "https://example.com/acme.csv?X-Amz-Signature=hunter2",
        "https://example.com/acme.csv?key=hunter2",
    ],
)
def test_an_address_with_a_secret_in_it_is_refused_without_repeating_it(
    text: str, tmp_path: Path, capsys: Capture
) -> None:
    assert run(["check", "--csv", text, "--store", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert "hunter2" not in out + err
    assert "would be written down" in err
    assert list(tmp_path.rglob("*")) == []


def test_an_ordinary_query_is_no_secret() -> None:
    check_address("https://example.com/q/d/l/?s=acme.us&i=d&monkey=1")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://example.com/prices/IBM.csv", "IBM.csv"),
        ("https://example.com/prices/IBM.csv.gz?x=1", "IBM.csv.gz"),
        ("https://example.com/export?s=ibm", "export.csv"),
        ("https://example.com", "prices.csv"),
        ("https://example.com/a/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "passwd.csv"),
        ("https://example.com/..", "prices.csv"),
        ("https://example.com/%00%0a.csv", "__.csv"),
        ("https://example.com/" + "x" * 300 + ".csv", "x" * 76 + ".csv"),
    ],
)
def test_a_copy_is_called_after_the_last_part_and_never_leads_elsewhere(text: str, name: str) -> None:
    assert file_name(text) == name


def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> str:
    """Set credentials for the loopback in one of the ways; what the server is to see of them."""
    if kind == "netrc":
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
        monkeypatch.setenv("NETRC", str(netrc))
        return "Basic bWU6aHVudGVyMg=="
    monkeypatch.setenv(f"STOCKCAST_{kind}_127_0_0_1", "hunter2" if kind == "TOKEN" else "apikey=hunter2")
    return "Bearer hunter2" if kind == "TOKEN" else "/acme.csv?apikey=hunter2"


@pytest.mark.parametrize("kind", ["netrc", "TOKEN", "QUERY"])
@pytest.mark.parametrize("answer", [200, 403, 500, "gone", "redirect"])
def test_credentials_reach_their_host_alone_and_stand_nowhere(
    kind: str,
    answer: int | str,
    world: Any,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = secrets(monkeypatch, tmp_path, kind)
    where = serve(world, "/acme.csv", status=answer if isinstance(answer, int) else 200)
    if answer == "redirect":
        where = serve(world, "/acme.csv", b"", 302, Location="https://localhost:1/acme.csv")
    if answer == "gone":
        world.server.close()
    store = tmp_path / "store"
    said = ""
    for command in (["check", "--csv", where], ["check", "--csv", where, "--json"], ["train", "--csv", where]):
        run([*command, "--store", str(store)])
        out, err = capsys.readouterr()
        said += out + err
    if answer != "gone":
        path, headers = world.server.asked[0]
        assert wanted in (path, headers.get("authorization"))
    assert "hunter2" not in said
    assert "bWU6aHVudGVyMg" not in said
    for path in store.rglob("*"):
        assert path.is_dir() or b"hunter2" not in path.read_bytes(), path


def test_a_netrc_that_cant_be_read_does_not_show_what_is_in_it(
    world: Any, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me pasword hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    found = check(capsys, tmp_path, serve(world, "/acme.csv"), code=2)
    assert "line 1" in found["error"]["message"]
    assert "hunter2" not in json.dumps(found)


def test_credentials_do_not_travel_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKCAST_TOKEN_EXAMPLE_INVALID", "hunter2")
    with pytest.raises(StockcastError, match="unencrypted") as caught:
        download("http://example.invalid/acme.csv")
    assert caught.value.exit_code == 2


def test_the_proxy_of_the_environment_is_gone_through_and_its_password_told_to_nobody_else(
    world: Any, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", world.server.base.replace("://", "://me:hunter2@"))
    where = "http://example.invalid/acme.csv"
    world.server.files["/acme.csv"] = lambda _: (200, {}, CSV)
    assert check(capsys, tmp_path, where)["files"][0]["series"][0]["rows"] == 3
    path, headers = world.server.asked[0]
    assert (path, headers["proxy-authorization"]) == (where, "Basic bWU6aHVudGVyMg==")
    world.server.close()
    assert run(["check", "--csv", where, "--store", str(tmp_path)]) == 0
    assert run(["check", "--csv", where, "--store", str(tmp_path / "other")]) == 74
    out, err = capsys.readouterr()
    assert "hunter2" not in out + err
    assert "example.invalid/acme.csv can't be reached" in out + err


def test_no_two_hosts_share_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model from elsewhere names its own address: it must not get at the credentials of another host."""
    asked: list[Mapping[str, str]] = []

    def note(url: str, headers: Mapping[str, str], where: str, limits: object) -> transport.Response:  # noqa: ARG001
        asked.append(headers)
        return transport.Response(200, {}, CSV)

    monkeypatch.setattr(address, "get", note)
    monkeypatch.setenv("STOCKCAST_TOKEN_DATA_EXAMPLE_COM", "hunter2")
    for host in ("data.example.com", "data-example.com", "data.example.com.evil.org", "evil.org"):
        download(f"https://{host}/acme.csv")
    assert ["Authorization" in headers for headers in asked] == [True, False, False, False]


def test_an_address_among_paths_that_gives_nothing_is_left_out_and_said(
    world: Any, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(CSV)
    where = serve(world, "/acme.csv", b"<html></html>")
    found = check(capsys, tmp_path / "store", str(path), where, code=1)
    assert [one["verdict"] for one in found["files"]] == ["ok", "refuse"]
    local = local_files([str(path), where], tmp_path / "store")
    assert local.paths == (str(path),)
    assert len(local.failures) == 1


def test_a_copy_that_a_killed_run_left_unfinished_is_swept(world: Any, tmp_path: Path, capsys: Capture) -> None:
    import os

    where = serve(world, "/acme.csv")
    check(capsys, tmp_path, where)
    (folder,) = (tmp_path / ADDRESSES).iterdir()
    (folder / ".aside-1").write_bytes(b"half")
    os.utime(folder / ".aside-1", (1, 1))
    check(capsys, tmp_path, where)
    assert sorted(path.name for path in folder.iterdir()) == ["acme.csv", "answer.json"]


@pytest.mark.tensorflow
def test_a_model_goes_on_from_its_address(
    world: Any,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    series = prices(rows=240, columns=("close",))
    source = write_csv(series, tmp_path / "acme.csv")
    where = serve(world, "/acme.csv", source.read_bytes())
    monkeypatch.setenv("STOCKCAST_TOKEN_127_0_0_1", "hunter2")
    store = str(tmp_path / "models")
    quick = [word for setting in ("fit.epochs=1",) for word in ("--set", setting)]
    assert run(["train", "--csv", where, *quick, "--store", store, "--quiet"]) == 0
    (manifest,) = (tmp_path / "models" / "acme").glob("versions/*/manifest.json")
    assert json.loads(manifest.read_text())["csv"] == [where]
    capsys.readouterr()
    assert run(["predict", "acme", "--store", store, "--json"]) == 0
    fresh = json.loads(capsys.readouterr().out)
    world.server.close()
    world.now += timedelta(days=3)
    assert run(["predict", "acme", "--store", store, "--json"]) == 0
    old = json.loads(capsys.readouterr().out)
    assert old["forecasts"] == fresh["forecasts"]
    assert any("The copy is 3 days old." in one for one in old["warnings"])
    assert run(["retrain", "acme", "--store", store, "--json"]) == 0
    retrained = json.loads(capsys.readouterr().out)
    assert world.server.asked[0][1]["authorization"] == "Bearer hunter2"
    assert not [path for path in (tmp_path / "models").rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert retrained["reason"] == "nothing new"
    assert any("The copy is 3 days old." in one for one in retrained["warnings"])
