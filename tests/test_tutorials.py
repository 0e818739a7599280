"""The presets of the teaching texts, small: what they are trained on, what they print and what they draw."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.cli import run
from stockcast.data.series import PriceSeries
from stockcast.view.chart_style import RED

pytestmark = pytest.mark.tensorflow

Capture = pytest.CaptureFixture[str]


def asked(capsys: Capture, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def pairs_of_the_text(values: list[float]) -> list[tuple[float, float]]:
    """How the text's loop pairs each value of a part with the next: its last index is one too small."""
    return [(values[index], values[index + 1]) for index in range(len(values) - 1 - 1)]


def rmse_of_the_first(pairs: list[tuple[float, float]]) -> float:
    return float(np.sqrt(np.mean([(second - first) ** 2 for first, second in pairs])))


def test_airline_pairs_months_as_the_text_does_and_goes_on_with_months(capsys: Capture, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = np.round(100 * np.exp(np.cumsum(random.normal(0.01, 0.05, 144))), 2).tolist()
    months = [f"{np.datetime64('1949-01') + row}" for row in range(144)]
    csv = tmp_path / "air.csv"
    csv.write_text(
        "Month,Close\n" + "".join(f"{month}-01,{value}\n" for month, value in zip(months, values, strict=True))
    )
    store = ("--store", str(tmp_path / "models"))
    quick = ("--set", "fit.epochs=2", "--set", "fit.batch_size=32")
    answer = asked(capsys, "train", "--csv", str(csv), "--config", "tutorial-airline", *quick, *store)

    text = values[:-1]  # its reader takes the last month for a line of the footer
    size = int(len(text) * 0.67)
    training, test = pairs_of_the_text(text[:size]), pairs_of_the_text(text[size:])
    naive = answer["scores"]["models"]["naive"][0]
    assert (answer["training"]["windows"], naive["n"]) == (len(training), len(test)) == (93, 46)
    assert answer["training"]["last_price"] == pytest.approx(rmse_of_the_first(training))
    assert naive["rmse"] == pytest.approx(rmse_of_the_first(test))

    ahead = asked(capsys, "predict", "air", "--days", "3", *store)
    assert [one["date"] for one in ahead["forecasts"]] == ["1961-01-01", "1961-02-01", "1961-03-01"]
    assert any("the model forecasts 1 session; " in warning for warning in ahead["warnings"])
    assert any("lies above all that the model was trained on" in warning for warning in ahead["warnings"])
    picture = tmp_path / "parts.svg"
    assert run(["plot", "air", "--kind", "parts", "-o", str(picture), *store]) == 0
    assert picture.read_text().startswith("<?xml")
    assert run(["plot", "air", "--kind", "backtest", "-o", str(picture), *store]) == 0
    assert f"stroke: {RED}" in picture.read_text()  # the real price, as the texts draw it


def test_the_ladder_puts_every_cell_on_the_same_cutoffs(
    capsys: Capture, tmp_path: Path, prices: Callable[..., PriceSeries], write_csv: Callable[[PriceSeries, Path], Path]
) -> None:
    tiny = ["model.units=[3]", "model.hidden=[4]", "fit.epochs=1", "data.lookback=8", "fit.warmup=2", "data.horizon=1"]
    rows = tmp_path / "rows.csv"
    answer = asked(
        capsys,
        *("backtest", "--csv", str(write_csv(prices(rows=200), tmp_path / "acme.csv")), "--from", "2020-09-01"),
        *("--against", "naive,linear,mlp,rnn,gru,lstm", "-o", str(rows), "--store", str(tmp_path / "models")),
        *(part for one in tiny for part in ("--set", one)),
    )
    assert list(answer["models"]) == ["model", "naive", "linear", "mlp", "rnn", "gru", "lstm"]
    assert answer["models"]["lstm"] == answer["models"]["model"]  # daily is an LSTM itself
    losses = {json.dumps(one) for one in answer["models"].values()}
    assert len(losses) == 6
    assert len({one[0]["n"] for one in answer["models"].values()}) == 1


@pytest.mark.parametrize("thresholds", ["[-0.43,0.43]", "[0.0]"])
def test_direction_gives_probabilities_and_its_own_verdict(
    capsys: Capture,
    tmp_path: Path,
    prices: Callable[..., PriceSeries],
    write_csv: Callable[[PriceSeries, Path], Path],
    thresholds: str,
) -> None:
    store = ("--store", str(tmp_path / "models"))
    csv = str(write_csv(prices(rows=260), tmp_path / "acme.csv"))
    tiny = ["model.units=[3]", "fit.epochs=1", "data.lookback=8", "fit.warmup=2", "data.horizon=2"]
    settings = [part for one in (*tiny, f"data.thresholds={thresholds}") for part in ("--set", one)]
    answer = asked(capsys, "train", "--csv", csv, "--config", "direction", *settings, *store)
    labels = ["down", "up"] if thresholds == "[0.0]" else ["down", "flat", "up"]
    assert answer["training"] is None  # its point is the last price itself, which fits nothing
    found = answer["scores"]["directions"]
    assert [one["step"] for one in found["steps"]] == [1, 2]
    assert found["steps"][0]["majority"] in labels

    forecasts = asked(capsys, "predict", "acme", "--days", "3", *store)["forecasts"]
    for one in forecasts[:2]:
        assert list(one["probabilities"]) == labels
        assert sum(one["probabilities"].values()) == pytest.approx(1, abs=2e-4)
    assert "probabilities" not in forecasts[2]
    assert run(["predict", "acme", "--days", "3", *store]) == 0
    assert " ".join(labels) in " ".join(capsys.readouterr().out.split())
    arguments = ["backtest", "--csv", csv, "--config", "direction", *settings, "--from", "2020-11-02", *store]
    assert run(arguments) == 0
    assert "The likeliest class was right" in capsys.readouterr().out


def test_stateful_serves_its_twin_and_names_a_batch_size_that_divides(
    capsys: Capture, tmp_path: Path, prices: Callable[..., PriceSeries], write_csv: Callable[[PriceSeries, Path], Path]
) -> None:
    csv = str(write_csv(prices(rows=240), tmp_path / "acme.csv"))
    tiny = ["model.units=[3]", "fit.epochs=2", "data.lookback=8", "fit.stride=8", "fit.tbptt=4"]
    settings = [part for one in tiny for part in ("--set", one)]
    command = ["train", "--csv", csv, "--config", "stateful", *settings, "--store", str(tmp_path / "models")]
    assert run([*command, "--set", "fit.batch_size=64"]) == 2
    told = capsys.readouterr().err
    assert "fit.batch_size 64 must divide" in told
    (fix,) = (line.rpartition(" ")[2] for line in told.splitlines() if line.startswith("Fix: "))
    (windows,) = re.findall(r"must divide the (\d+) training windows", told)
    assert run([*command, "--set", fix]) == 0
    assert f": {windows} windows, 2 epochs" in capsys.readouterr().out
    forecasts = asked(capsys, "predict", "acme", "--store", str(tmp_path / "models"))["forecasts"]
    assert len(forecasts) == 1
