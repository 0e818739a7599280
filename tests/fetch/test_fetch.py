"""`stockcast fetch` against a server on this machine that answers in the providers' documented forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import schemas

from stockcast.cli import run
from stockcast.fetch import pace, tiingo, transport, yahoo
from stockcast.reading.reader import read_file

pytestmark = pytest.mark.trial

Capture = pytest.CaptureFixture[str]
SOURCES = ("yahoo", "tiingo")


def fetch(capsys: Capture, *arguments: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """Run `fetch ARGUMENTS --json`; what it prints, which its schema is held to, and what it says."""
    capsys.readouterr()
    ended = run(["fetch", *arguments, "--json"])
    out, err = capsys.readouterr()
    assert ended == code, out + err
    assert "Traceback" not in err
    found: dict[str, Any] = json.loads(out)
    assert schemas.faults("error" if "error" in found else "fetch", found) == []
    return found, err


def rows_of(folder: Path, symbol: str = "ACME") -> list[str]:
    return (folder / f"{symbol}.csv").read_text().splitlines()


def facts_of(folder: Path, symbol: str = "ACME") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{symbol}.json").read_text())
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_the_whole_history_is_what_the_reader_takes_without_a_question(
    source: str, world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    acme = world.server.stocks["ACME"] = stock(292)
    fetch(capsys, "ACME", "--to", str(tmp_path / "prices"), "--from", source)
    read = read_file(tmp_path / "prices" / "ACME.csv")
    assert read.findings == ()
    (series,) = read.series
    assert series.name == "acme"
    assert series.dates.tolist() == acme.days
    assert np.allclose(
        np.stack([series.columns[key] for key in ("open", "high", "low", "close")], axis=1), acme.bars[:, :4]
    )
    assert np.array_equal(series.columns["volume"], acme.bars[:, 4])
    facts = facts_of(tmp_path / "prices")
    assert (facts["source"], facts["symbol"], facts["calendar"]) == (source, "ACME", "XNYS")
    assert (facts["rows"], facts["last"], facts["actions"]) == (292, "2024-03-01", [])


def test_splits_and_dividends_are_adjusted_here_by_the_method_of_crsp(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    """Closed form, from what was traded; and both providers, who tell it differently, give the same file."""
    acme = world.server.stocks["ACME"] = stock(292)
    paid, divided, both = acme.days[50], acme.days[100], acme.days[200]
    acme.split(divided, 4)
    acme.split(both, 2)
    acme.dividends |= {paid: 1.5, both: 0.25}
    for source in SOURCES:
        fetch(capsys, "ACME", "--to", str(tmp_path / source), "--from", source)
    (series,) = read_file(tmp_path / "yahoo" / "ACME.csv").series
    close, shares = acme.bars[:, 3], np.ones(292)
    shares[:100] *= 4
    shares[:200] *= 2
    wanted = close / shares
    wanted[:50] *= 1 - 1.5 / close[49]
    wanted[:200] *= 1 - 0.25 / (close[199] / 2)
    assert np.allclose(series.columns["close"], wanted, rtol=1e-6)
    assert np.allclose(series.columns["volume"], acme.bars[:, 4] * shares, rtol=1e-6, atol=1)
    assert not [one for one in read_file(tmp_path / "yahoo" / "ACME.csv").findings if one.verdict != "repaired"]
    assert rows_of(tmp_path / "yahoo") == rows_of(tmp_path / "tiingo")
    kinds = [set(one) - {"date"} for one in facts_of(tmp_path / "yahoo")["actions"]]
    assert kinds == [{"dividend"}, {"split"}, {"dividend"}, {"split"}]


def test_a_funds_capital_gains_count_once(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    """Yahoo has them in the dividend as well, or beside a smaller one."""
    fund = world.server.stocks["FUND"] = stock(292)
    inside, beside = fund.days[50], fund.days[100]
    fund.dividends |= {inside: 3.0, beside: 0.5}
    fund.gains |= {inside: 2.0, beside: 2.0}
    fetch(capsys, "FUND", "--to", str(tmp_path))
    paid = {one["date"]: one["dividend"] for one in facts_of(tmp_path, "FUND")["actions"]}
    assert paid == {str(inside): 3.0, str(beside): 2.5}


@pytest.mark.parametrize("source", SOURCES)
def test_night_by_night_gives_byte_for_byte_what_the_whole_gives_at_once(
    source: str, world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    acme = world.server.stocks["ACME"] = stock(40, first="2024-01-02")
    acme.split(acme.days[31], 3)
    acme.dividends |= {acme.days[34]: 0.4}
    nightly = tmp_path / "nightly"
    outcomes = []
    for day in acme.days[28:]:
        world.set(f"{day}T23:00")
        found, _ = fetch(capsys, "ACME", "--to", str(nightly), "--from", source)
        outcomes.append(found["symbols"][0]["outcome"])
        assert rows_of(nightly)[-1].startswith(str(day))
    fetch(capsys, "ACME", "--to", str(tmp_path / "once"), "--from", source)
    assert rows_of(nightly) == rows_of(tmp_path / "once")
    assert outcomes == ["whole", "updated", "updated", "whole", "updated", "updated", "whole", *["updated"] * 5]


def test_a_dividend_changes_nothing_but_the_adjusted_closes_before_it(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    acme = world.server.stocks["ACME"] = stock(40, first="2024-01-02")
    acme.dividends |= {acme.days[30]: 0.4}
    world.set(f"{acme.days[29]}T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path))
    before = rows_of(tmp_path)
    world.set(f"{acme.days[30]}T23:00")
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path))
    after = rows_of(tmp_path)
    assert found["symbols"][0]["revised_rows"] == 0
    for old, new in zip(before[1:], after[1:], strict=False):
        *raw, adjusted, volume = old.split(",")
        *raw_now, adjusted_now, volume_now = new.split(",")
        assert (raw, volume) == (raw_now, volume_now)
        factor = 1 - 0.4 / acme.bars[29, 3]
        assert float(adjusted_now) == pytest.approx(float(adjusted) * factor, rel=1e-8)
    assert facts_of(tmp_path)["factors"] == {str(acme.days[30]): pytest.approx(1 - 0.4 / acme.bars[29, 3])}


def test_a_session_that_is_not_over_is_left_out_until_it_is(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(40, first="2024-01-02")
    world.set("2024-02-07T20:59")  # New York closes at 21:00 UTC
    fetch(capsys, "ACME", "--to", str(tmp_path))
    assert rows_of(tmp_path)[-1].startswith("2024-02-06")
    world.set("2024-02-07T21:10")  # over, but not settled: providers lag
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path))
    assert found["symbols"][0]["outcome"] == "current"
    world.set("2024-02-07T21:25")
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path))
    assert found["symbols"][0]["new_rows"] == 1
    assert rows_of(tmp_path)[-1].startswith("2024-02-07")


def test_a_split_this_morning_does_not_touch_the_rows_of_yesterday_before_its_session_is_over(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    """The provider has divided the whole past already, and today's row is still running."""
    acme = world.server.stocks["ACME"] = stock(40, first="2024-01-02")
    world.set("2024-02-06T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path))
    before = rows_of(tmp_path)
    acme.split(date(2024, 2, 7), 4)
    world.set("2024-02-07T16:00")
    fetch(capsys, "ACME", "--to", str(tmp_path / "anew"))
    assert rows_of(tmp_path / "anew") == before
    world.set("2024-02-07T23:00")
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path))
    assert found["symbols"][0]["outcome"] == "whole"
    (series,) = read_file(tmp_path / "ACME.csv").series
    assert np.abs(np.diff(np.log(series.columns["close"]))).max() < 0.1
    assert not [one for one in read_file(tmp_path / "ACME.csv").findings if one.verdict != "repaired"]


@pytest.mark.parametrize("moment", ["2024-02-10T12:00", "2024-02-11T23:00", "2024-02-19T23:00", "2024-02-12T15:00"])
def test_nothing_is_asked_for_at_weekends_and_on_holidays(
    moment: str, world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(60, first="2024-01-02")
    world.set("2024-02-16T23:00" if moment > "2024-02-16" else "2024-02-09T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path))
    asked = len(world.server.asked)
    world.set(moment)
    found, said = fetch(capsys, "ACME", "--to", str(tmp_path))
    assert found["symbols"] == [{"symbol": "ACME", "outcome": "current"}]
    assert "it was not asked for" in said
    assert len(world.server.asked) == asked


@pytest.mark.parametrize("source", SOURCES)
def test_what_the_provider_revised_is_counted_and_said(
    source: str, world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    acme = world.server.stocks["ACME"] = stock(40, first="2024-01-02")
    world.set("2024-02-06T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path), "--from", source)
    acme.bars[3, 3] += 0.01  # long ago, and found as everything is asked for again
    acme.bars[24, 1] += 1
    acme.bars[23, 4] *= 2
    world.set("2024-02-07T23:00")
    found, said = fetch(capsys, "ACME", "--to", str(tmp_path))
    (acme_found,) = found["symbols"]
    assert (acme_found["outcome"], acme_found["revised_rows"], acme_found["new_rows"]) == ("whole", 3, 1)
    revised = [str(acme.days[row]) for row in (3, 23, 24)]
    assert facts_of(tmp_path)["revised"] == revised
    assert "3 revised by the provider" in said
    fetch(capsys, "ACME", "--to", str(tmp_path / "once"), "--from", source)
    assert rows_of(tmp_path) == rows_of(tmp_path / "once")


def test_a_revised_volume_alone_is_taken_without_asking_for_everything(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    acme = world.server.stocks["ACME"] = stock(40, first="2024-01-02")
    world.set("2024-02-06T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path))
    acme.bars[24, 4] *= 2
    world.set("2024-02-07T23:00")
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path))
    assert (found["symbols"][0]["outcome"], found["symbols"][0]["revised_rows"]) == ("updated", 1)


def shrunken(kind: str, loopback: ModuleType, world: Any, stock: Callable[..., Any]) -> None:
    """Make the server answer with less than it had."""
    server = world.server
    if kind == "delisted":
        del server.stocks["ACME"]
    elif kind == "nothing":
        server.stocks["ACME"] = loopback.Stock([], np.empty((0, 5)))
    elif kind == "another company":
        server.stocks["ACME"] = stock(60, seed=9, first="2024-01-02")
    else:
        acme = server.stocks["ACME"]
        chosen = slice(30, None) if kind == "later beginning" else slice(0, 20)
        server.stocks["ACME"] = loopback.Stock(acme.days[chosen], acme.bars[chosen])
        acme.bars[22, 3] += 1  # so that the whole is asked for


KINDS = ("delisted", "nothing", "another company", "later beginning", "earlier end")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_shrunken_or_empty_answer_replaces_nothing(
    kind: str, source: str, loopback: ModuleType, world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(60, first="2024-01-02")
    world.server.stocks["OTHER"] = stock(60, first="2024-01-02", seed=1)
    world.set("2024-02-21T23:00")
    fetch(capsys, "ACME", "OTHER", "--to", str(tmp_path), "--from", source)
    before = (tmp_path / "ACME.csv").read_bytes(), (tmp_path / "ACME.json").read_bytes()
    shrunken(kind, loopback, world, stock)
    world.set("2024-02-22T23:00")
    found, _ = fetch(capsys, "--all", "--to", str(tmp_path), code=1)
    acme, other = found["symbols"]
    assert acme["outcome"] == "failed"
    assert acme["error"]["message"]
    assert other["outcome"] == "updated"
    assert before == ((tmp_path / "ACME.csv").read_bytes(), (tmp_path / "ACME.json").read_bytes())


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("wait", [None, "7"])
def test_429_is_waited_for_and_then_said_with_what_is_left(
    source: str, wait: str | None, world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    server = world.server
    for at, name in enumerate(("AAA", "BBB", "CCC", "DDD")):
        server.stocks[name] = stock(40, seed=at, first="2024-01-02")
    answer = (429, {"Retry-After": wait} if wait else {}, b"Too Many Requests")
    server.faults = {"AAA": [answer], "CCC": [answer] * 3}
    found, _ = fetch(capsys, "AAA", "BBB", "CCC", "DDD", "--to", str(tmp_path), "--from", source, code=75)
    assert [one["outcome"] for one in found["symbols"]] == ["whole", "whole"]
    assert found["left"] == ["CCC", "DDD"]
    waits = [seconds for seconds in world.slept if seconds > 1.01]
    assert waits == ([7, 7, 7] if wait else [15, 15, 30])
    asked = len(server.charts("AAA"))
    found, _ = fetch(capsys, "AAA", "BBB", "CCC", "DDD", "--to", str(tmp_path), "--from", source)
    assert [one["outcome"] for one in found["symbols"]] == ["current", "current", "whole", "whole"]
    assert len(server.charts("AAA")) == asked


def test_a_provider_that_asks_for_an_hour_is_not_waited_for(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["AAA"] = stock(40)
    world.server.faults = {"AAA": [(429, {"Retry-After": "3600"}, b"")]}
    found, _ = fetch(capsys, "AAA", "--to", str(tmp_path), code=75)
    assert found["left"] == ["AAA"]
    assert max(world.slept, default=0) <= 1


def broken(kind: str, loopback: ModuleType) -> Any:
    body = json.dumps(loopback.NOT_FOUND).encode()
    return {
        "503": (503, {}, b"<html>down</html>"),
        "slow": loopback.dripping(body * 50, 0.01),
        "redirect": (302, {"Location": "/nowhere"}, b""),
        "truncated": loopback.truncated(body),
        "html": (200, {"Content-Type": "text/html"}, b"<html>please log in</html>"),
        "other json": (200, {"Content-Type": "application/json"}, b'{"what": "ever"}'),
        "not json": (200, {"Content-Type": "application/json"}, b'{"chart": {'),
    }[kind]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ["503", "truncated"])
def test_what_passes_is_tried_again(
    kind: str, source: str, loopback: ModuleType, world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(40)
    world.server.faults = {"ACME": [broken(kind, loopback)] * 2}
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path), "--from", source)
    assert found["symbols"][0]["outcome"] == "whole"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ["503", "truncated", "slow", "redirect", "html", "other json", "not json"])
def test_an_answer_that_is_none_leaves_the_file_and_the_others_alone(
    kind: str,
    source: str,
    loopback: ModuleType,
    world: Any,
    stock: Callable[..., Any],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yahoo, "TIMEOUT", 0.3)
    monkeypatch.setattr(tiingo, "LIMITS", transport.Limits(total=0.3))
    world.server.stocks |= {"ACME": stock(60, first="2024-01-02"), "OTHER": stock(60, seed=1, first="2024-01-02")}
    world.set("2024-02-21T23:00")
    fetch(capsys, "ACME", "OTHER", "--to", str(tmp_path), "--from", source)
    before = (tmp_path / "ACME.csv").read_bytes()
    world.server.faults = {"ACME": [broken(kind, loopback)] * 6}
    world.set("2024-02-22T23:00")
    found, said = fetch(capsys, "ACME", "OTHER", "--to", str(tmp_path), code=1)
    assert [one["outcome"] for one in found["symbols"]] == ["failed", "updated"]
    assert (tmp_path / "ACME.csv").read_bytes() == before
    assert "Fix: " in said


def test_a_provider_that_is_down_is_not_asked_five_hundred_times(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    names = [f"S{at}" for at in range(12)]
    world.server.stocks |= {name: stock(30, seed=at) for at, name in enumerate(names)}
    world.server.faults = {name: [(503, {}, b"")] * 9 for name in names}
    found, _ = fetch(capsys, *names, "--to", str(tmp_path), code=75)
    assert found["left"] == names[3:]
    assert sum(len(world.server.charts(name)) for name in names) == 3 * pace.TRIES


def test_no_request_follows_another_within_a_second(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that only sleeping moves."""
    clock = [0.0]
    asked: list[float] = []
    monkeypatch.setattr(pace, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pace, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    wait = pace.Pace.wait

    def noted(self: pace.Pace) -> None:
        wait(self)
        asked.append(clock[0])

    monkeypatch.setattr(pace.Pace, "wait", noted)
    world.server.stocks |= {"AAA": stock(30), "BBB": stock(30)}
    fetch(capsys, "AAA", "BBB", "NONE", "--to", str(tmp_path), code=1)
    assert len(asked) == len(world.server.asked) > 5
    assert min(np.diff(asked)) >= 1


def test_a_file_that_is_not_fetchs_own_is_never_written_over(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks["ACME"] = stock(60, first="2024-01-02")
    mine = tmp_path / "ACME.csv"
    mine.write_text("Date,Close\n2024-01-02,1\n")
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path), code=65)
    assert "is not what fetch wrote" in found["symbols"][0]["error"]["message"]
    assert mine.read_text() == "Date,Close\n2024-01-02,1\n"
    mine.rename(tmp_path / "ACME.csv.old")  # as the fix says
    fetch(capsys, "ACME", "--to", str(tmp_path))
    with mine.open("a") as file:
        file.write("2099-01-01,1,1,1,1,1,1\n")
    edited = mine.read_bytes()
    world.set("2024-03-04T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path), code=65)
    assert mine.read_bytes() == edited


def test_the_terms_are_told_on_the_first_run_of_each_provider(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    world.server.stocks |= {"AAA": stock(30), "BBB": stock(30)}
    _, said = fetch(capsys, "AAA", "--to", str(tmp_path))
    assert "personal use" in said
    _, said = fetch(capsys, "BBB", "--to", str(tmp_path))
    assert "personal use" not in said
    _, said = fetch(capsys, "BBB", "--to", str(tmp_path), "--from", "tiingo")
    assert "Tiingo's, under the terms of your account" in said
    assert "personal use" in facts_of(tmp_path, "AAA")["terms"]


def test_since_is_kept_and_an_earlier_one_asks_for_everything(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    acme = world.server.stocks["ACME"] = stock(292)
    fetch(capsys, "ACME", "--to", str(tmp_path), "--since", "2023-06-01")
    assert rows_of(tmp_path)[1].startswith("2023-06-01")
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path), "--since", "2023-03-01")
    assert found["symbols"][0]["outcome"] == "whole"
    assert rows_of(tmp_path)[1].startswith("2023-03-01")
    assert len(rows_of(tmp_path)) - 1 == sum(day >= date(2023, 3, 1) for day in acme.days)
    world.set("2024-03-04T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path))
    assert rows_of(tmp_path)[1].startswith("2023-03-01")


def test_a_dividend_larger_than_the_price_is_refused_not_adjusted_for(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    acme = world.server.stocks["ACME"] = stock(100)
    acme.dividends[acme.days[50]] = 1000.0
    found, _ = fetch(capsys, "ACME", "--to", str(tmp_path), code=65)
    assert "does not fit the close before it" in found["symbols"][0]["error"]["message"]
    assert not (tmp_path / "ACME.csv").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "A/B", "", ".hidden", "-x", "a b", "X" * 40])
def test_what_is_no_symbol_never_becomes_a_path(name: str, world: Any, tmp_path: Path, capsys: Capture) -> None:
    fetch(capsys, "--to", str(tmp_path / "prices"), "--", name, code=2)
    assert world.server.asked == []


def test_without_yfinance_the_fix_says_how_to_get_it(
    world: Any, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "yfinance", None)
    found, said = fetch(capsys, "ACME", "--to", str(tmp_path), code=2)
    assert "pip install 'stockcast-cli[yahoo]'" in found["error"]["fix"]
    assert world.server.asked == []
    assert "yfinance, which is not installed" in said


def test_without_a_token_tiingo_is_not_asked(
    world: Any, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIINGO_API_KEY")
    found, _ = fetch(capsys, "ACME", "--from", "tiingo", "--to", str(tmp_path), code=2)
    assert "export TIINGO_API_KEY" in found["error"]["fix"]
    assert world.server.asked == []


def test_the_token_stands_in_no_file_and_no_message(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = world.server
    server.stocks |= {"ACME": stock(60), "OTHER": stock(60)}
    server.faults = {"OTHER": [(401, {}, b"a-secret-token is wrong")], "THIRD": [(500, {}, b"a-secret-token")] * 3}
    said = ""
    for arguments, code in ((("ACME",), 0), (("OTHER",), 2), (("THIRD",), 74), (("NONE",), 66)):
        found, told = fetch(capsys, *arguments, "--from", "tiingo", "--to", str(tmp_path / "prices"), code=code)
        said += told + json.dumps(found)
    assert any(headers.get("authorization") == "Token a-secret-token" for _, headers in server.asked)
    assert not any("a-secret-token" in path for path, _ in server.asked)
    assert "a-secret-token" not in said
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"a-secret-token" not in path.read_bytes(), path


def test_probe_shows_what_the_provider_answers_and_writes_nothing(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = world.server.stocks["ACME"] = stock(292)
    acme.dividends[acme.days[285]] = 0.5
    world.set("2024-03-01T20:00")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    found, _ = fetch(capsys, "--probe", "acme")
    assert found["unfinished"] == ["2024-03-01"]
    assert found["actions"] == [{"date": str(acme.days[285]), "kind": "dividend", "value": 0.5}]
    assert found["newest"][-1]["close"] == pytest.approx(acme.bars[291, 3])
    assert {path for path in set(tmp_path.rglob("*")) - before if "of yfinance" not in str(path)} == set()
    capsys.readouterr()
    assert run(["fetch", "--probe", "acme"]) == 0
    assert "exchange NMS, calendar XNYS" in capsys.readouterr().out


def test_two_runs_into_one_folder_take_turns(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    from stockcast.store.lock import hold

    world.server.stocks["ACME"] = stock(60)
    with hold(tmp_path / ".lock", "x"):
        import threading

        codes: list[int] = []
        other = threading.Thread(target=lambda: codes.append(run(["fetch", "ACME", "--to", str(tmp_path), "--json"])))
        other.start()
        other.join()
    assert codes == [75]
    assert "is fetching into" in capsys.readouterr().err


def test_prices_that_were_fetched_follow_the_symbols_of_other_markets(
    world: Any, stock: Callable[..., Any], tmp_path: Path, capsys: Capture
) -> None:
    """A market that is not known is one of weekdays, whose day is over at its midnight."""
    acme = world.server.stocks["ACME"] = stock(60, first="2024-01-02")
    acme.exchange = "XXX"
    world.set("2024-02-07T23:00")
    fetch(capsys, "ACME", "--to", str(tmp_path))
    assert facts_of(tmp_path)["calendar"] == "weekdays"
    assert rows_of(tmp_path)[-1].startswith("2024-02-06")
    world.now += timedelta(hours=6, minutes=30)
    fetch(capsys, "ACME", "--to", str(tmp_path))
    assert rows_of(tmp_path)[-1].startswith("2024-02-07")
