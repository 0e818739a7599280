"""`stockcast plot`: one picture of a saved model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.errors import DataError, NotFound, UsageError
from stockcast.evaluate.rows import read_rows
from stockcast.jobs.loaded import open_model
from stockcast.jobs.output import write_output
from stockcast.jobs.predict import PredictRequest, predict_next
from stockcast.jobs.source import read_model_prices
from stockcast.store.model_files import BACKTEST, HISTORY, backtest_from, history_from
from stockcast.store.store import Store
from stockcast.view import charts
from stockcast.view.chart_style import BLUE, INK, RED, check_suffix, render
from stockcast.view.text import some

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXTBOOK = (RED, BLUE)
"""The real price and the predicted one, as the tutorials draw them."""


@dataclass(frozen=True)
class PlotRequest:
    """What the user asked for; `kind` is forecast, backtest, parts, history, calibration or record.

    `rows` is a backtest's row file.
    """

    store: Path
    name: str | None
    csvs: tuple[str, ...]
    kind: str
    ticker: str | None
    output: Path | None
    rows: Path | None = None


def plot_model(request: PlotRequest) -> Path:
    """Draw and write the picture; its path. Raises `NotFound`, `UsageError` for a suffix that can't be drawn."""
    output = request.output or Path(f"{request.name or 'model'}-{request.kind}.png")
    suffix = check_suffix(output)
    own = {"forecast": _forecast, "history": _history, "parts": _parts, "record": _record}
    draw = own.get(request.kind, _evaluated)
    figure = draw(request)
    write_output(output, render(figure, suffix))
    return output


def _forecast(request: PlotRequest) -> Figure:
    tickers = (request.ticker,) if request.ticker else ()
    result = predict_next(PredictRequest(request.store, request.name, request.csvs, None, tickers))
    price = result.loaded.config.data.price
    return charts.fan(result.panel.series[0], result.forecast, result.dates[0], result.loaded.name, price=price)


def _parts(request: PlotRequest) -> Figure:
    """The prices that the model was trained and judged on, and its forecasts of both parts."""
    from stockcast.learn import evaluate_parts

    loaded = open_model(request.store, request.name)
    config, trained_on = loaded.config, loaded.manifest.data
    panel = read_model_prices(loaded.manifest, request.csvs, lambda _: None).panel
    panel = panel.upto(np.datetime64(max(one["last"] for one in trained_on)))
    if len(panel) > 1:
        raise UsageError(
            f"{loaded.name} is a model of {len(panel)} series.", "use --kind backtest and --series TICKER."
        )
    training, test = evaluate_parts(loaded.forecaster, panel, config)
    return charts.parts(panel.series[0], training, test, loaded.manifest.config_name, price=config.data.price)


def _record(request: PlotRequest) -> Figure:
    """The forecasts that were issued, over the prices that came."""
    from stockcast.jobs.live.plot_record import draw_record

    name = request.name or Store(request.store).only()
    return draw_record(request.store, name, request.csvs, request.ticker)


def _history(request: PlotRequest) -> Figure:
    loaded = open_model(request.store, request.name, also=(HISTORY,))
    epochs = history_from(loaded.bundle.files)
    held_back = [epoch.validation_loss for epoch in epochs if epoch.validation_loss is not None]
    losses = ([epoch.loss for epoch in epochs], held_back or None)
    return charts.history(loaded.name, loaded.manifest.config_name, *losses, measure=loaded.config.fit.loss)


def _evaluated(request: PlotRequest) -> Figure:
    """A picture of judged forecasts: those of a backtest's row file, or those that the model was judged on."""
    if request.rows is not None:
        evaluated, price = read_rows(_read(request.rows))[0], "price"
    else:
        loaded = open_model(request.store, request.name, also=(BACKTEST,))
        evaluated, price = backtest_from(loaded.bundle.files), loaded.config.data.price
    if request.kind == "calibration":
        return charts.calibration(evaluated)
    colours = TEXTBOOK if evaluated.model.startswith("tutorial-") else (INK, BLUE)
    return charts.held_out(evaluated, at=_index(evaluated, request.ticker), price=price, colours=colours)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a row file of forecasts.", "give one that backtest -o has written.") from error


def _index(evaluated: EvaluatedForecast, ticker: str | None) -> int:
    """Which series to draw."""
    if ticker is None:
        return 0
    if ticker not in evaluated.names:
        raise NotFound(f"there is no series {ticker!r}.", f"use --series with one of {some(evaluated.names)}.")
    return evaluated.names.index(ticker)
