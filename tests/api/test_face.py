"""`import stockcast` without TensorFlow: what it costs and names, and the same numbers as the command line's."""

from __future__ import annotations

import inspect
import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stockcast
from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.errors import NotFound, UsageError

Made = Callable[..., PriceSeries]
WriteCsv = Callable[[PriceSeries, Path], Path]
Capture = pytest.CaptureFixture[str]

GOLDEN = Path(__file__).parent.parent / "jobs" / "golden"


def test_to_import_stockcast_loads_nothing_and_names_everything() -> None:
    program = (
        "import sys; before = set(sys.modules); import stockcast; new = set(sys.modules) - before; "
        "print(*sorted(one for one in new if one.startswith('stockcast'))); print(*dir(stockcast))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded, names = done.stdout.splitlines()
    assert loaded == "stockcast stockcast.version"
    assert names.split() == sorted(stockcast.__all__)


def test_every_name_is_there_typed_and_explained() -> None:
    for name in stockcast.__all__:
        one = getattr(stockcast, name)
        assert name == "__version__" or inspect.getdoc(one), name
        for part, member in vars(one).items() if inspect.isclass(one) else ():
            if not part.startswith("_") and callable(member):
                assert inspect.getdoc(member), f"{name}.{part}"
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = stockcast.fit


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a model that another version saved, and its prices."""
    shutil.copytree(GOLDEN / "schema-1", tmp_path / "models")
    return tmp_path / "models"


def test_an_opened_model_forecasts_what_the_command_line_prints(
    store: Path, tmp_path: Path, prices: Made, write_csv: WriteCsv, capsys: Capture
) -> None:
    path = write_csv(prices(rows=260), tmp_path / "acme.csv")
    newer = stockcast.read(path)
    model = stockcast.open("acme", store=store)
    made = model.predict(days=7, prices=newer)
    assert run(["--store", str(store), "predict", "acme", "--csv", str(path), "--days", "7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["forecasts"]
    assert made.step.tolist() == [one["step"] for one in told]
    assert made.date.tolist() == [pd.Timestamp(one["date"]) for one in told]
    assert made.forecast.tolist() == [one["forecast"] for one in told]
    for level, values in told[0]["quantiles"].items():
        assert made[f"q{level}"].iloc[0] == values
    pd.testing.assert_frame_equal(made, model.predict(days=7, prices=newer.frame().drop(columns="series")))


def test_levels_are_central_bands(store: Path, prices: Made) -> None:
    model = stockcast.open("acme", store=store)
    newer = stockcast.Prices.from_frame(frame_of(prices(rows=260)), name="acme")
    quantiles, bands = model.predict(prices=newer), model.predict(prices=newer, level=[80, 95])
    assert bands.columns.tolist() == ["series", "date", "step", "forecast", "lo-80", "hi-80", "lo-95", "hi-95"]
    assert (bands["lo-80"] == quantiles["q0.1"]).all()
    assert (bands["hi-95"] == quantiles["q0.975"]).all()
    with pytest.raises(UsageError, match="the model has no 70 % band") as caught:
        model.predict(prices=newer, level=[70])
    assert caught.value.fix == "use some of the levels 50, 80, 90, 95."


def frame_of(series: PriceSeries) -> pd.DataFrame:
    return pd.DataFrame(dict(series.columns), pd.DatetimeIndex(series.dates))


def test_refusals_come_as_exceptions_with_their_fix(store: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        stockcast.open("none", store=store)
    assert isinstance(caught.value, stockcast.StockcastError)
    assert caught.value.exit_code == 66
    assert caught.value.fix
    with pytest.raises(NotFound, match="there is no file"):
        stockcast.open("acme", store=store).predict()
    with pytest.raises(UsageError, match="saved already"):
        stockcast.open("acme", store=store).save("other", store=tmp_path)
    with pytest.raises(UsageError, match="no picture 'pie'"):
        stockcast.open("acme", store=store).plot("pie")


def test_a_notebook_shows_verdict_table_and_picture(store: Path, prices: Made) -> None:
    model = stockcast.open("acme", store=store)
    page = model._repr_html_()
    assert model.verdict.splitlines()[0].replace("'", "&#x27;") in page
    assert "<table" in page
    assert model.plot("history")._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]  # a NotebookFigure has it
    hostile = stockcast.Prices.from_frame(frame_of(prices(rows=60)), name="<script>alert(1)</script>")
    assert "<script>" not in hostile._repr_html_()


def test_doubts_are_said_as_warnings_and_readings_as_notes(
    store: Path, prices: Made, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="stockcast"):
        newer = stockcast.Prices.from_frame(frame_of(prices(rows=260)), name="acme")
        stockcast.open("acme", store=store).predict(days=9, prices=newer)
    told = {record.levelname: record.getMessage() for record in caplog.records}
    assert told["INFO"].startswith("Read acme: 260 sessions")
    assert "with bands that grow as the square root of time" in " ".join(
        record.getMessage() for record in caplog.records if record.levelname == "WARNING"
    )
    assert logging.getLogger("stockcast").handlers == []


CLOSES, DAYS = np.round(np.linspace(10, 12, 61), 2), pd.bdate_range("2024-01-01", periods=61)
ROWS = pd.DataFrame(
    {
        "model": "mine",
        "series": "acme",
        "cutoff": DAYS[:-1],
        "date": DAYS[1:],
        "step": 1,
        "last": CLOSES[:-1],
        "actual": CLOSES[1:],
        "forecast": CLOSES[:-1] + 0.01,
        "q0.1": 1.0,
        "q0.9": 20.0,
    }
)


def test_rows_of_anyone_are_judged_as_their_file(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "rows.csv"
    ROWS.to_csv(path, index=False)
    assert run(["judge", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    judged = stockcast.judge(ROWS)
    mine = judged.scores[judged.scores.model == "mine"].iloc[0]
    assert mine.rmse == told["models"]["model"][0]["rmse"]
    assert mine.held_80 == told["models"]["model"][0]["bands"][0]["coverage"] == 1
    assert judged.verdict.splitlines()[0] == told["verdict"]["sentences"][0]
    assert list(judged.notes) == told["notes"]
    pd.testing.assert_frame_equal(judged.scores, stockcast.judge(path).scores)
    wrong = ROWS.assign(cutoff=ROWS["date"])
    with pytest.raises(stockcast.StockcastError, match="the rows, line 2"):
        stockcast.judge(wrong)


@pytest.mark.parametrize("start", ["soon", "2011-13-01", None, 3])
def test_a_backtest_begins_on_a_date(start: object, prices: Made) -> None:
    with pytest.raises(UsageError, match="is no date") as caught:
        stockcast.backtest(frame_of(prices(rows=60)), start=start)  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.fix == 'write it as "2011-01-03".'
