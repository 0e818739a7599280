"""`stockcast predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import (
    Shared,
    all_option,
    csv_option,
    events_option,
    out_option,
    reading_options,
    shared_options,
)
from stockcast.cli.output import on_message
from stockcast.errors import UsageError

if TYPE_CHECKING:
    from stockcast.jobs.predict import PredictRequest
    from stockcast.reading.records import Hints


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@csv_option
@events_option
@click.option("--days", type=click.IntRange(1, 250), help="Sessions to forecast. [default: the model's horizon]")
@click.option("--series", "tickers", multiple=True, metavar="TICKER", help="Only this series of a panel; repeatable.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), help="Form.  [default: table]")
@out_option
@click.option("--record/--no-record", default=None, help="Keep it in the ledger. [default: the store's ledger.record]")
@click.option(
    "--max-age", type=click.IntRange(0, 100_000), metavar="DAYS", help="Call the model stale after so many days."
)
@click.option("--strict", is_flag=True, help="Exit with 1 if the model is stale.")
@reading_options
@shared_options
def predict(
    shared: Shared,
    hints: Hints,
    names: tuple[str, ...],
    everything: bool,
    csvs: tuple[str, ...],
    events: tuple[str, ...],
    days: int | None,
    tickers: tuple[str, ...],
    form: str | None,
    output: Path | None,
    record: bool | None,
    max_age: int | None,
    strict: bool,
) -> int:
    """Forecast the next sessions with the model NAME, or with several, from the newest rows of their CSVs.

    Quantiles are the prices that the session's close stays below with that probability. With --record the forecast is
    kept in the ledger, and judged by stockcast score when the prices have come.
    """
    from stockcast.jobs.predict import PredictRequest, predict_model

    single = not everything and len(names) <= 1
    _demand_one(single, csvs, events, tickers)
    form = form or ("json" if shared.as_json else "table")
    name = names[0] if single and names else None
    request = PredictRequest(shared.store, name, csvs, days, tickers, hints, max_age, form, output, events)
    keep = _recording(shared.store) if record is None else record
    details: tuple[str, ...] = ()
    if single and not keep:
        result, text = predict_model(request)
        code, warnings, details, stale = 0, result.warnings, result.details, result.stale
        spoken = result.text("json") if shared.as_json else text
    else:
        code, warnings, stale, text, spoken = _issued(request, names, everything, keep)
    for warning in warnings:
        on_message(shared)(f"Warning: {warning}")
    for detail in details if shared.verbose else ():
        on_message(shared)(detail)
    if shared.as_json:
        click.echo(spoken)
    elif output is None:
        click.echo(text)
    return code or (1 if strict and stale else 0)


def _recording(store: Path) -> bool:
    """Whether the store's own settings say that forecasts are recorded; most stores have none."""
    if not (store / "stockcast.toml").exists():
        return False
    from stockcast.config.store_settings import load_store_config

    return load_store_config(store).ledger.record


def _demand_one(single: bool, csvs: tuple[str, ...], events: tuple[str, ...], tickers: tuple[str, ...]) -> None:
    if not single and (csvs or events or tickers):
        flag = "--csv" if csvs else "--events" if events else "--series"
        raise UsageError(f"{flag} goes with one model.", f"name it, or leave {flag} out.")


def _issued(
    request: PredictRequest, names: tuple[str, ...], everything: bool, keep: bool
) -> tuple[int, tuple[str, ...], str | None, str, str]:
    """Several models, or a forecast that is kept.

    The exit code, what is to be said, a stale model's sentence, the text in the form that was asked for, and as JSON.
    """
    from stockcast.jobs.live.issue import every_model, issue_forecasts
    from stockcast.store.store import Store

    store = Store(request.store)
    wanted = every_model(store) if everything else tuple(dict.fromkeys(names)) or (store.only(),)
    single = not everything and len(names) <= 1
    issued, text = issue_forecasts(request, wanted, single=single, record=keep)
    stale = next((one.stale for one in issued.made if one.stale), None)
    return issued.exit_code, issued.warnings, stale, text, issued.text("json")
