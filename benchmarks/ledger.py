"""The ledger at the size of a fleet: 500 single models that forecast and record in one command, and 500,000 to score.

The prices are made up; every model is a copy of one network, on a file of its own. The record is that of 200 sessions.

    python -m benchmarks.ledger --rounds 3
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import alternate, inside, process, rounds_wanted, table
from benchmarks.prices import write_panel
from stockcast.data.series import PriceSeries
from stockcast.jobs.live.opponents import AVAILABLE
from stockcast.ledger import clock
from stockcast.ledger.connection import ledger_path
from stockcast.ledger.record import append_issue
from stockcast.ledger.records import ModelForecast, SeriesForecast
from stockcast.reading.reader import read_panel
from stockcast.store.manifest import fingerprint
from stockcast.store.model_files import BACKTEST
from stockcast.store.store import Store

MODELS, SESSIONS, RECORDED, STEPS = 500, 2765, 200, 5
QUICK = ("fit.epochs=1", "fit.stride=500", "fit.refit=false", "model.units=[16,16]")
DEVIATES = np.array([-2.326, -1.96, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 1.96, 2.326])
"""The quantiles of a normal distribution at the levels of a forecast."""


def main() -> None:
    """Make the fleet and its record, then take turns."""
    rounds = rounds_wanted(__doc__, 3)
    with tempfile.TemporaryDirectory() as folder:
        prices = write_panel(Path(folder) / "prices", MODELS, SESSIONS)
        root = Path(folder) / "models"
        series = read_panel([str(prices)]).panel.series
        make_fleet(root, prices, series)
        aloud = ("-m", "stockcast", "--store", str(root))
        stockcast = (*aloud, "--quiet")
        contenders = {
            "predict s000": process(*stockcast, "predict", "s000"),
            "predict s000 --record": process(*stockcast, "predict", "s000", "--record"),
            f"predict --all, {MODELS} models": process(*stockcast, "predict", "--all"),
            f"predict --all --record, {MODELS} models": process(*stockcast, "predict", "--all", "--record"),
        }
        print(table(alternate(contenders, rounds), "predict s000"), end="\n\n")
        issue = [forecast(one, len(one) - 1 - STEPS) for one in series]
        kept = {f"the ledger's part of {MODELS} models": inside(lambda: append_issue(ledger_path(root), issue))}
        print(table(alternate(kept, rounds), next(iter(kept))), end="\n\n")
        make_record(Path(folder) / "scored" / "ledger.sqlite", series)
        (Path(folder) / "scored" / "ledger.sqlite").replace(ledger_path(root))
        size_before = ledger_path(root).stat().st_size
        run, as_json = (process(*aloud, "score", "--all", *words) for words in ((), ("--json",)))
        samples = {"score --all, the first time": [run()], "score --all": [run()], "score --all --json": [as_json()]}
        print(table(samples, "score --all, the first time"), end="\n\n")
        forecasts = MODELS * RECORDED * STEPS
        after = ledger_path(root).stat().st_size
        print(
            f"{forecasts:,} forecasts beside {', '.join(AVAILABLE)}: {size_before / forecasts:.0f} bytes each, "
            f"{after / forecasts:.0f} with their outcomes"
        )


def make_fleet(root: Path, prices: Path, series: Sequence[PriceSeries]) -> None:
    """Train on the first file, and save the network under every file's name."""
    settings = [part for setting in QUICK for part in ("--set", setting)]
    process("-m", "stockcast", "--store", str(root), "-q", "train", "--csv", str(prices / "s000.csv"), *settings)()
    store = Store(root)
    trained = store.load("s000")
    for one in series[1:]:
        csv = (str(prices / f"{one.name}.csv"),)
        manifest = replace(trained.manifest, csv=csv, data=(fingerprint(one),))
        judged = {BACKTEST: trained.files[BACKTEST].replace(b",s000,", f",{one.name},".encode())}
        bundle = replace(trained, manifest=manifest, files={**trained.files, **judged})
        now = datetime.now(UTC)
        store.promote(one.name, store.save(one.name, bundle, now), "copied", now)


def make_record(path: Path, series: Sequence[PriceSeries]) -> None:
    """The record of `RECORDED` sessions, of every series as a model of its own."""
    for back in range(RECORDED, 0, -1):
        row = SESSIONS - STEPS - back
        clock.utc_now = partial(datetime.fromisoformat, f"{series[0].dates[row]}T22:30:00+00:00")
        append_issue(path, [forecast(one, row) for one in series])


def forecast(one: PriceSeries, row: int) -> ModelForecast:
    """What a random walk of 1.5 % a day says from that row, and opponents that are a little wider."""
    close = one.columns["close"]
    sigma = 0.015 * np.sqrt(np.arange(1, STEPS + 1))[:, None] * (1 + 0.1 * np.sin(row + len(one.name)))
    quantiles = sigma * DEVIATES
    others = {name: quantiles * (1.05 + 0.07 * number) for number, name in enumerate(AVAILABLE)}
    part = SeriesForecast(
        one.name,
        one.dates[row],
        float(close[row]),
        float(np.log(close[row] / close[row - 1])),
        bytes(16),
        one.dates[row + 1 : row + 1 + STEPS],
        np.zeros(STEPS),
        quantiles,
        others,
    )
    version = "20261121T021500Z-3f9c2a1b"
    return ModelForecast(one.name, version, "0" * 64, "daily", "0" * 12, one.dates[2000], "weekdays", "close", (part,))


if __name__ == "__main__":
    main()
