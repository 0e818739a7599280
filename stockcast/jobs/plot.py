"""`stockcast plot`: one picture of a saved model."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stockcast.data.forecast import Judged
from stockcast.errors import NotFound
from stockcast.evaluate.rows import read_rows
from stockcast.jobs.output import write_output
from stockcast.jobs.predict import PredictRequest, predict_next, some
from stockcast.jobs.served import Served, open_model
from stockcast.view import charts
from stockcast.view.canvas import check_suffix, render

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class PlotRequest:
    """What the user asked for; `kind` is forecast, backtest, history or calibration."""

    store: Path
    name: str | None
    csvs: tuple[str, ...]
    kind: str
    ticker: str | None
    output: Path | None


def plot_model(request: PlotRequest) -> Path:
    """Draw and write the picture; its path. Raises `NotFound`, `UsageError` for a suffix that can't be drawn."""
    output = request.output or Path(f"{request.name or 'model'}-{request.kind}.png")
    suffix = check_suffix(output)
    figure = _forecast(request) if request.kind == "forecast" else _saved(request)
    write_output(output, render(figure, suffix))
    return output


def _forecast(request: PlotRequest) -> Figure:
    tickers = (request.ticker,) if request.ticker else ()
    result = predict_next(PredictRequest(request.store, request.name, request.csvs, None, tickers))
    price = result.served.config.data.price
    return charts.fan(result.panel.series[0], result.forecast, result.dates[0], result.served.name, price=price)


def _saved(request: PlotRequest) -> Figure:
    """A picture of what was kept at training: the held-out forecasts or the losses."""
    served = open_model(request.store, request.name, also=("history.csv", "backtest.csv"))
    if request.kind == "history":
        return charts.history(
            served.name, served.manifest.config_name, *_losses(served), measure=served.config.fit.loss
        )
    judged = _held_out(served)
    if request.kind == "calibration":
        return charts.calibration(judged)
    return charts.backtest(judged, at=_index(judged, request.ticker), price=served.config.data.price)


def _losses(served: Served) -> tuple[list[float], list[float] | None]:
    """The training and, where there is one, the validation loss of each epoch."""
    rows = list(csv.DictReader(io.StringIO(served.bundle.files["history.csv"].decode())))
    validation = [float(row["validation_loss"]) for row in rows if row["validation_loss"]]
    return [float(row["loss"]) for row in rows], validation or None


def _held_out(served: Served) -> Judged:
    """The held-out forecasts that the model was judged on."""
    return read_rows(served.bundle.files["backtest.csv"].decode())[0]


def _index(judged: Judged, ticker: str | None) -> int:
    """Which series to draw."""
    if ticker is None:
        return 0
    if ticker not in judged.names:
        raise NotFound(f"there is no series {ticker!r}.", f"use --series with one of {some(judged.names)}.")
    return judged.names.index(ticker)
