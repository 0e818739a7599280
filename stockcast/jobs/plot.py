"""`stockcast plot`: one picture of a saved model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stockcast.data.forecast import EvaluatedForecast
from stockcast.errors import DataError, NotFound, UsageError
from stockcast.evaluate.row_file.prices import priced
from stockcast.evaluate.rows import evaluated_models, read_table, with_outcome
from stockcast.jobs.loaded import LoadedModel, open_model
from stockcast.jobs.output import check_output, write_output
from stockcast.jobs.predict import Prediction, PredictRequest, predict_next
from stockcast.jobs.source import model_hints, read_model_prices, read_prices
from stockcast.reading.records import Hints
from stockcast.reading.row_file import row_text
from stockcast.store.model_files import BACKTEST, HISTORY, backtest_from, history_from
from stockcast.store.settled import settled
from stockcast.store.store import Store
from stockcast.view import charts
from stockcast.view.calibration_chart import calibration
from stockcast.view.chart_style import BLUE, INK, RED, check_suffix, render
from stockcast.view.text import some

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEXTBOOK = (RED, BLUE)
"""The real price and the predicted one, as the tutorials draw them."""


@dataclass(frozen=True)
class PlotRequest:
    """What the user asked for; `kind` is forecast, backtest, parts, history, calibration or record.

    `rows` is a row file, of which `name` is a model and `csvs` have the prices that it lacks. `accept` are faults of
    the prices to take.
    """

    store: Path
    name: str | None
    csvs: tuple[str, ...]
    kind: str
    ticker: str | None
    output: Path | None
    rows: Path | None = None
    accept: frozenset[str] = frozenset()


def plot_model(request: PlotRequest) -> Path:
    """Draw and write the picture; its path. Raises `NotFound`, `UsageError` for a suffix that can't be drawn."""
    output = request.output or Path(f"{request.name or 'model'}-{request.kind}.png")
    suffix = check_suffix(output)
    check_output(output, request.store, (*request.csvs, *([request.rows] if request.rows else [])))
    own = {"forecast": _forecast, "history": _history, "parts": _parts, "record": _record}
    draw = own.get(request.kind, _evaluated)
    figure = draw(request)
    write_output(output, render(figure, suffix))
    return output


def _forecast(request: PlotRequest) -> Figure:
    tickers = (request.ticker,) if request.ticker else ()
    hints = Hints(accept=request.accept)
    return draw_forecast(predict_next(PredictRequest(request.store, request.name, request.csvs, None, tickers, hints)))


def draw_forecast(result: Prediction) -> Figure:
    """The last sessions of the first series, and its forecast as a fan of bands."""
    price = result.loaded.config.data.price
    return charts.fan(result.panel.series[0], result.forecast, result.dates[0], result.loaded.name, price=price)


def _parts(request: PlotRequest) -> Figure:
    """The prices that the model was trained and judged on, and its forecasts of both parts."""
    from stockcast.learn import evaluate_parts

    loaded = open_model(request.store, request.name)
    if not loaded.judged:
        raise _not_judged(loaded)
    config, trained_on = loaded.config, loaded.manifest.data
    hints = model_hints(loaded.manifest, loaded.accepted, Hints(accept=request.accept))
    manifest = settled(request.store, loaded.manifest)
    panel = read_model_prices(manifest, request.csvs, lambda _: None, hints, store=request.store).panel
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
    return draw_history(open_model(request.store, request.name, also=(HISTORY,)))


def draw_history(loaded: LoadedModel) -> Figure:
    """The loss of each epoch of the model's training."""
    epochs = history_from(loaded.bundle.files)
    held_back = [epoch.validation_loss for epoch in epochs if epoch.validation_loss is not None]
    losses = ([epoch.loss for epoch in epochs], held_back or None)
    return charts.history(loaded.name, loaded.manifest.config_name, *losses, measure=loaded.config.fit.loss)


def _evaluated(request: PlotRequest) -> Figure:
    """A picture of judged forecasts: those of a backtest's row file, or those that the model was judged on."""
    if request.rows is not None:
        return draw_judged(_of_rows(request, request.rows), "price", request.kind, request.ticker)
    return draw_held_out(open_model(request.store, request.name, also=(BACKTEST,)), request.kind, request.ticker)


def draw_held_out(loaded: LoadedModel, kind: str, ticker: str | None) -> Figure:
    """The forecasts that a model was judged on, as `draw_judged`. Raises `DataError` if it was not."""
    if not loaded.judged:
        raise _not_judged(loaded)
    return draw_judged(backtest_from(loaded.bundle.files), loaded.config.data.price, kind, ticker)


def draw_judged(evaluated: EvaluatedForecast, price: str, kind: str, ticker: str | None) -> Figure:
    """Judged forecasts: with the `kind` calibration how their bands held, else one series beside what happened.

    Raises `NotFound` for a series that doesn't exist.
    """
    if kind == "calibration":
        return calibration(evaluated)
    colours = TEXTBOOK if evaluated.model.startswith("tutorial-") else (INK, BLUE)
    return charts.held_out(evaluated, at=_index(evaluated, ticker), price=price, colours=colours)


def _not_judged(loaded: LoadedModel) -> DataError:
    return DataError(
        f"{loaded.name} was never judged: no price was held back to judge it by.",
        "train one with a test part, --set split.test=0.15, or draw a backtest's rows with --rows FILE.",
    )


def _of_rows(request: PlotRequest, path: Path) -> EvaluatedForecast:
    """One model of a row file, the first if no name is given, with the outcome that the file or the prices have."""
    table = read_table(row_text(path), str(path))
    if request.csvs:
        table = priced(table, read_prices(request.csvs, lambda _: None, store=request.store).panel, "close").table
    every = evaluated_models(with_outcome(table))
    if request.name is not None and request.name not in every:
        raise NotFound(
            f"{path} has no model {request.name!r}.", f"name one of {some(list(every))}, or none: the first."
        )
    return every[request.name or next(iter(every))]


def _index(evaluated: EvaluatedForecast, ticker: str | None) -> int:
    """Which series to draw."""
    if ticker is None:
        return 0
    if ticker not in evaluated.names:
        raise NotFound(f"there is no series {ticker!r}.", f"use --series with one of {some(evaluated.names)}.")
    return evaluated.names.index(ticker)
