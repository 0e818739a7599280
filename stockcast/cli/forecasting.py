"""`stockcast train`, `predict` and `plot`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import Shared, reading_options, settings_of, shared_options
from stockcast.cli.output import on_message, print_result

if TYPE_CHECKING:
    from stockcast.reading.records import Hints

csv_option = click.option(
    "--csv", "csvs", multiple=True, metavar="PATH", help="CSV file, folder or quoted glob; may be repeated."
)
config_option = click.option(
    "--config", "preset", default="daily", show_default=True, metavar="PRESET_OR_FILE", help="Settings to start from."
)
set_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Lay one setting over them: --set data.lookback=40."
)
price_option = click.option("--price", metavar="COLUMN", help="The column to forecast. [default: the config's]")
seeds_option = click.option(
    "--seeds", type=click.IntRange(1, 100), default=1, show_default=True, help="Train with so many seeds."
)
out_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to FILE."
)
required_csv_option = click.option(
    "--csv", "csvs", multiple=True, required=True, metavar="PATH", help="CSV file, folder or quoted glob; repeatable."
)


@click.command()
@required_csv_option
@click.option("--test-csv", metavar="PATH", help="Later prices of the same series to judge on.")
@click.option("--name", help="What the model is called. [default: the file's or folder's name]")
@config_option
@set_option
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last date that training may know.")
@click.option("--seed", type=int, help="Seed of everything random. [default: the config's]")
@seeds_option
@click.option("--resume", is_flag=True, help="Go on with a training that was broken off, from its last finished epoch.")
@price_option
@reading_options
@shared_options
def train(
    shared: Shared,
    hints: Hints,
    csvs: tuple[str, ...],
    test_csv: str | None,
    name: str | None,
    preset: str,
    settings: tuple[str, ...],
    until: datetime | None,
    seed: int | None,
    seeds: int,
    resume: bool,
    price: str | None,
) -> int:
    """Fit a model to prices, judge it on the newest part, and save it.

    One file is one series; several files, a folder, or a file with a ticker column are one model over all of them.
    The model takes the place of the one that served before; `stockcast models rollback` brings that one back.
    """
    from stockcast.cli.progress import epochs
    from stockcast.jobs.train import TrainRequest, train_model
    from stockcast.view.train import train_report

    flags = {"fit.seed": seed, "split.until": until and until.date(), "data.price": price}
    changed = settings_of(settings, flags)
    request = TrainRequest(shared.store, csvs, test_csv, name, preset, changed, hints, seeds, resume)
    with epochs(shared) as on_epoch:
        result = train_model(request, on_message=on_message(shared), on_epoch=on_epoch)
    print_result(shared, result.to_dict(), lambda: train_report(result.learned.assessment, result.spread, str(result)))
    return 1 if result.failures else 0


@click.command()
@click.argument("name", required=False)
@csv_option
@click.option("--days", type=click.IntRange(1, 250), help="Sessions to forecast. [default: the model's horizon]")
@click.option("--series", "tickers", multiple=True, metavar="TICKER", help="Only this series of a panel; repeatable.")
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True, help="Form."
)
@out_option
@click.option("--max-age", type=click.IntRange(0), metavar="DAYS", help="Call the model stale after so many days.")
@click.option("--strict", is_flag=True, help="Exit with 1 if the model is stale.")
@reading_options
@shared_options
def predict(
    shared: Shared,
    hints: Hints,
    name: str | None,
    csvs: tuple[str, ...],
    days: int | None,
    tickers: tuple[str, ...],
    form: str,
    output: Path | None,
    max_age: int | None,
    strict: bool,
) -> int:
    """Forecast the next sessions with the model NAME, from the newest rows of its CSV.

    Quantiles are the prices that the session's close stays below with that probability.
    """
    from stockcast.jobs.predict import PredictRequest, predict_model

    form = "json" if shared.as_json else form
    result, text = predict_model(PredictRequest(shared.store, name, csvs, days, tickers, hints, max_age, form, output))
    for warning in result.warnings:
        on_message(shared)(f"Warning: {warning}")
    if output is None:
        click.echo(text)
    return 1 if strict and result.stale else 0


@click.command()
@click.argument("name", required=False)
@csv_option
@click.option(
    "--kind",
    type=click.Choice(["forecast", "backtest", "parts", "history", "calibration"]),
    default="forecast",
    show_default=True,
    help="What to draw.",
)
@click.option("--series", "ticker", metavar="TICKER", help="Which series of a panel. [default: the first]")
@click.option(
    "--rows",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Draw the rows that backtest -o has written.",
)
@out_option
@shared_options
def plot(
    shared: Shared,
    name: str | None,
    csvs: tuple[str, ...],
    kind: str,
    ticker: str | None,
    rows: Path | None,
    output: Path | None,
) -> None:
    """Draw the forecast of the model NAME, or how it did on the held-out part, as PNG, SVG or PDF.

    \b
    forecast     recent prices and the next sessions as a fan of bands
    backtest     the held-out part: what was forecast and what came
    parts        the whole series, with the forecasts of the training part and of the test part
    history      loss per epoch
    calibration  how often the bands held
    """
    from stockcast.jobs.plot import PlotRequest, plot_model

    written = plot_model(PlotRequest(shared.store, name, csvs, kind, ticker, output, rows))
    print_result(shared, {"plot": str(written)}, lambda: str(written))
