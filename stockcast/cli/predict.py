"""`stockcast predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import Shared, csv_option, events_option, out_option, reading_options, shared_options
from stockcast.cli.output import on_message

if TYPE_CHECKING:
    from stockcast.reading.records import Hints


@click.command()
@click.argument("name", required=False)
@csv_option
@events_option
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
    events: tuple[str, ...],
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
    request = PredictRequest(shared.store, name, csvs, days, tickers, hints, max_age, form, output, events)
    result, text = predict_model(request)
    for warning in result.warnings:
        on_message(shared)(f"Warning: {warning}")
    if output is None:
        click.echo(text)
    return 1 if strict and result.stale else 0
