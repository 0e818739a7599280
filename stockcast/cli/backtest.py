"""`stockcast backtest`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import (
    Shared,
    config_option,
    engine_options,
    events_option,
    names_in,
    price_option,
    reading_options,
    required_csv_option,
    seeds_option,
    set_option,
    settings_of,
    shared_options,
)
from stockcast.cli.output import on_message, print_result
from stockcast.cli.progress import trainings

if TYPE_CHECKING:
    from stockcast.reading.records import Hints


def _sessions_or_never(_context: click.Context, _option: click.Parameter, value: str) -> int | None:
    if value == "never":
        return None
    if value.isdigit() and int(value) > 0:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither 'never' nor a number of sessions from 1.")


@click.command()
@required_csv_option
@events_option
@config_option
@set_option
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first cutoff judged.")
@click.option(
    "--refit",
    callback=_sessions_or_never,
    default="never",
    show_default=True,
    metavar="never|N",
    help="Train anew every N sessions.",
)
@click.option(
    "--window", type=click.IntRange(1, 1_000_000_000), metavar="M", help="Train on M sessions. [default: on all before]"
)
@click.option("--horizon", type=click.IntRange(1, 250), help="Sessions to forecast. [default: the config's]")
@click.option("--against", default="naive,ewma,har", show_default=True, help="Baselines, cells, presets, TOML files.")
@seeds_option
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Rows as CSV.")
@engine_options
@price_option
@reading_options
@shared_options
def backtest(
    shared: Shared,
    hints: Hints,
    csvs: tuple[str, ...],
    events: tuple[str, ...],
    preset: str,
    settings: tuple[str, ...],
    start: datetime,
    refit: int | None,
    window: int | None,
    horizon: int | None,
    against: str,
    seeds: int,
    output: Path | None,
    jobs: int,
    on: str | None,
    price: str | None,
) -> int:
    """Walk forward through the past and judge a configuration beside others, on the same cutoffs.

    At each cutoff only what was known then is used: prices, scaling, calibration and early stopping.
    Baselines are naive (the last price), drift, ewma, har, har-own and garch. A cell (linear, mlp, rnn, gru, lstm,
    ...) is the same configuration with that cell in it.
    """
    from stockcast.jobs.backtest import BacktestRequest, run_backtest
    from stockcast.view.backtest import backtest_report

    changed = settings_of(settings, {"data.horizon": horizon, "data.price": price})
    request = BacktestRequest(
        *(shared.store, csvs, preset, changed, start.date(), refit, window, names_in(against), seeds, output, hints),
        events=events,
        jobs=jobs,
        on=on,
    )
    with trainings(shared) as on_fit:
        result = run_backtest(request, on_message(shared), on_fit)
    print_result(
        shared,
        result.to_dict(),
        lambda: backtest_report(result.config_name, result.assessment, len(result.folds), result.spread),
    )
    return 1 if result.failures else 0
