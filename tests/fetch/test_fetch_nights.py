"""Nights in which prices arrive by themselves: a split and a dividend leave the record of forecasts as it is."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import ConfigError, StockcastError
from stockcast.jobs.fetch import nightly_fetch
from stockcast.store.store import Store

pytestmark = pytest.mark.trial

Capture = pytest.CaptureFixture[str]
GOLDEN = Path(__file__).parents[1] / "jobs" / "golden" / "schema-1"
FIRST, SPLIT, PAID, ROWS = 221, 226, 231, 236


def make_store(folder: Path, prices: Path) -> Path:
    """A store with the golden model, whose prices are a file that is fetched."""
    bundle = Store(GOLDEN).load("acme")
    store = Store(folder / "models")
    now = datetime(2020, 11, 3, 22, tzinfo=UTC)
    manifest = replace(bundle.manifest, csv=(str(prices),))
    store.promote("acme", store.save("acme", replace(bundle, manifest=manifest), now), "saved", now)
    return store.root


@pytest.fixture
def acme(loopback: ModuleType, prices: Callable[..., PriceSeries]) -> Any:
    """The stock that the golden model was trained on, with the sessions that came after."""
    series = prices(rows=ROWS)
    bars = np.stack([series.columns[key] for key in ("open", "high", "low", "close", "volume")], axis=1)
    return loopback.Stock(series.dates.tolist(), bars)


@pytest.mark.parametrize("source", ["yahoo", "tiingo"])
def test_a_split_and_a_dividend_among_the_nights_leave_the_scores_unharmed(
    source: str,
    world: Any,
    acme: Any,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    stock = world.server.stocks["ACME"] = acme
    stock.split(stock.days[SPLIT], 2)
    stock.dividends[stock.days[PAID]] = 1.0
    store = make_store(tmp_path, tmp_path / "prices" / "ACME.csv")
    said = '[fetch]\nto = "../prices"\nsymbols = ["ACME"]\n' + f'source = "{source}"\n[ledger]\nrecord = true\n'
    (store / "stockcast.toml").write_text(said)
    for day in stock.days[FIRST:]:
        world.set(f"{day}T23:00")
        fetched = nightly_fetch(store, lambda _: None)
        assert fetched is not None
        assert (fetched.exit_code, fetched.symbols[0].facts["revised_rows"]) == (0, 0)
        assert run(["predict", "acme", "--store", str(store), "--json"]) == 0
        assert run(["score", "acme", "--store", str(store), "--json"]) == 0  # keeps what is seen first
    capsys.readouterr()
    rows = tmp_path / "rows.csv"
    assert run(["score", "acme", "--store", str(store), "--json", "-o", str(rows)]) == 0
    found = json.loads(capsys.readouterr().out)
    close, days = stock.bars[:, 3], [str(day) for day in stock.days]
    wealth = close.copy()  # what a share of the first day is worth, with what it has brought
    wealth[SPLIT:] *= 2
    wealth[PAID:] *= close[PAID - 1] / (close[PAID - 1] - 1.0)
    scored = [row for row in csv.DictReader(rows.read_text().splitlines()) if row["actual"]]
    assert len(scored) > 20
    for row in scored:
        origin, session = days.index(row["cutoff"]), days.index(row["date"])
        ratio = float(row["actual"]) / float(row["last"])
        assert ratio == pytest.approx(wealth[session] / wealth[origin], rel=1e-6)
    assert {one["revisions"] for one in _dicts(found) if "revisions" in one} == {0}


@pytest.mark.tensorflow
def test_a_night_fetches_first_and_goes_on_with_what_is_there_where_it_can_not(
    world: Any,
    acme: Any,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    stock = world.server.stocks["ACME"] = acme
    store = make_store(tmp_path, tmp_path / "prices" / "ACME.csv")
    (store / "stockcast.toml").write_text('[fetch]\nto = "../prices"\nsymbols = ["ACME"]\n')

    def night(day: object, code: int) -> dict[str, Any]:
        world.set(f"{day}T23:00")
        capsys.readouterr()
        assert run(["nightly", "acme", "--store", str(store), "--json"]) == code
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        return told

    first = night(stock.days[FIRST], 0)
    assert [one["outcome"] for one in first["fetch"]["symbols"]] == ["whole"]
    assert (first["not_fetched"], first["issue"]["forecasts"] > 0) == (None, True)
    del world.server.stocks["ACME"]
    second = night(stock.days[FIRST + 1], 1)
    assert second["not_fetched"] == "ACME: fetch failed: prices are as old as before"
    assert second["models"][0]["retrain"]["reason"] == "nothing new"
    assert second["issue"]["superseded"] > 0


@pytest.mark.tensorflow
def test_yahoo_is_asked_by_its_own_library_also_where_tensorflow_has_brought_another(world: Any) -> None:
    """Both bring a libcurl; TensorFlow's knows nothing of what curl_cffi wants of its own."""
    program = (
        "import sys, tensorflow; from stockcast.fetch.yahoo import new_session; "
        "print(new_session().get(sys.argv[1]).status_code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, world.server.base], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 200


def _dicts(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(inner for one in value.values() for inner in _dicts(one))]
    return [inner for one in value for inner in _dicts(one)] if isinstance(value, list) else []


def test_nothing_is_fetched_unless_the_store_says_so(world: Any, tmp_path: Path) -> None:
    assert nightly_fetch(tmp_path, lambda _: None) is None
    (tmp_path / "stockcast.toml").write_text("[ledger]\nrecord = true\n")
    assert nightly_fetch(tmp_path, lambda _: None) is None
    assert world.server.asked == []


@pytest.mark.parametrize(
    "said", ['source = "bloomberg"', "pause = 0.1", 'symbol = ["ACME"]', 'since = "some day"', "symbols = 3"]
)
@pytest.mark.usefixtures("world")
def test_a_wrong_setting_is_named(said: str, tmp_path: Path) -> None:
    (tmp_path / "stockcast.toml").write_text(f'[fetch]\nto = "prices"\n{said}\n')
    with pytest.raises(ConfigError, match=said.partition(" ")[0]):
        nightly_fetch(tmp_path, lambda _: None)


def test_a_store_without_symbols_takes_all_of_the_folder(world: Any, stock: Callable[..., Any], tmp_path: Path) -> None:
    world.server.stocks |= {"AAA": stock(292), "BBB": stock(292, seed=1)}
    world.set("2024-02-28T23:00")
    assert run(["fetch", "AAA", "BBB", "--to", str(tmp_path / "prices")]) == 0
    (tmp_path / "stockcast.toml").write_text('[fetch]\nto = "prices"\nevents = "reports.csv"\n')
    world.server.reports["AAA"] = ["May 2, 2024 at 4 PM EDT"]
    world.set("2024-02-29T23:00")
    result = nightly_fetch(tmp_path, lambda _: None)
    assert result is not None
    assert [one.outcome for one in result.symbols] == ["updated", "updated"]
    assert "2024-05-02,AAA,report,after,2024-02-29" in (tmp_path / "reports.csv").read_text()
    (tmp_path / "stockcast.toml").write_text('[fetch]\nto = "elsewhere"\n')
    with pytest.raises(StockcastError, match="no prices that were fetched"):
        nightly_fetch(tmp_path, lambda _: None)
