"""`stockcast plot`."""

from __future__ import annotations

from pathlib import Path

import click

from stockcast.cli.options import Shared, accept_option, csv_option, faults_of, out_option, shared_options
from stockcast.cli.output import print_result


@click.command()
@click.argument("name", required=False)
@csv_option
@click.option(
    "--kind",
    type=click.Choice(["forecast", "backtest", "parts", "history", "calibration", "record"]),
    default="forecast",
    show_default=True,
    help="What to draw.",
)
@click.option("--series", "ticker", metavar="TICKER", help="Which series of a panel. [default: the first]")
@click.option(
    "--rows",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw a row file, such as backtest -o writes; NAME is a model in it.",
)
@out_option
@accept_option
@shared_options
def plot(
    shared: Shared,
    name: str | None,
    csvs: tuple[str, ...],
    kind: str,
    ticker: str | None,
    rows: Path | None,
    output: Path | None,
    accept: tuple[str, ...],
) -> None:
    """Draw the forecast of the model NAME, how it did on the held-out part, or its record, as PNG, SVG or PDF.

    \b
    forecast     recent prices and the next sessions as a fan of bands
    backtest     the held-out part: what was forecast and what came
    parts        the whole series, with the forecasts of the training part and of the test part
    history      loss per epoch
    calibration  how often the bands held
    record       the forecasts that were recorded, one a week, and what came
    """
    from stockcast.jobs.plot import PlotRequest, plot_model

    written = plot_model(PlotRequest(shared.store, name, csvs, kind, ticker, output, rows, faults_of(accept)))
    print_result(shared, {"plot": str(written)}, lambda: str(written))
