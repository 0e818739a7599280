"""`stockcast train`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import (
    Shared,
    config_option,
    engine_options,
    events_option,
    price_option,
    reading_options,
    required_csv_option,
    seeds_option,
    set_option,
    settings_of,
    shared_options,
    text_option,
)
from stockcast.cli.output import on_message, print_result
from stockcast.errors import UsageError

if TYPE_CHECKING:
    from stockcast.jobs.train import TrainRequest, TrainResult
    from stockcast.reading.records import Hints


@click.command()
@required_csv_option
@events_option
@text_option("--test-csv", metavar="PATH", help="Later prices of the same series to judge on.")
@text_option("--name", help="What the model is called. [default: the file's or folder's name]")
@config_option
@set_option
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last date that training may know.")
@click.option("--seed", type=int, help="Seed of everything random. [default: the config's]")
@seeds_option
@click.option("--each", is_flag=True, help="A model for each file, called as the file.")
@engine_options
@click.option("--resume", is_flag=True, help="Go on with a training that was broken off, from its last finished epoch.")
@price_option
@reading_options
@shared_options
def train(
    shared: Shared,
    hints: Hints,
    csvs: tuple[str, ...],
    events: tuple[str, ...],
    test_csv: str | None,
    name: str | None,
    preset: str,
    settings: tuple[str, ...],
    until: datetime | None,
    seed: int | None,
    seeds: int,
    each: bool,
    jobs: int,
    on: str | None,
    resume: bool,
    price: str | None,
) -> int:
    """Fit a model to prices, judge it on the newest part, and save it.

    One file is one series; several files, a folder, or a file with a ticker column are one model over all of them.
    The model takes the place of the one that served before; `stockcast models rollback` brings that one back.
    """
    from stockcast.cli.progress import epochs
    from stockcast.jobs.train import TrainRequest, train_model

    flags = {"fit.seed": seed, "split.until": until and until.date(), "data.price": price}
    changed = settings_of(settings, flags)
    request = TrainRequest(shared.store, csvs, test_csv, name, preset, changed, hints, seeds, resume, events)
    if each:
        return _train_each(shared, request, jobs, on)
    if on is not None or jobs > 1:
        raise UsageError("--jobs and --on go with --each.", "add --each, or leave them out: one model is one training.")
    with epochs(shared) as on_epoch:
        result = train_model(request, on_message=on_message(shared), on_epoch=on_epoch)
    print_result(shared, result.to_dict(), lambda: _text(result))
    return 1 if result.failures else 0


def _train_each(shared: Shared, request: TrainRequest, jobs: int, on: str | None) -> int:
    from stockcast.cli.progress import fleet_models
    from stockcast.jobs.many.train_each import train_each

    given = {"--name": request.name, "--test-csv": request.test_csv, "--seeds": request.seeds > 1}
    for option in (option for option, value in {**given, "--resume": request.resume}.items() if value):
        raise UsageError(f"{option} does not go with --each.", f"leave {option} out, or train the models one by one.")
    with fleet_models(shared) as ended:
        fleet = train_each(
            request,
            jobs,
            on,
            lambda one, done, total: ended(one.kind, one.text, done, total),
            on_message(shared),
        )
    print_result(shared, fleet.to_dict(), lambda: fleet.summary)
    return fleet.exit_code


def _text(result: TrainResult) -> str:
    from stockcast.view.train import train_report, unjudged_report

    learned = result.learned
    if learned.held_out is None:
        return unjudged_report(str(learned.cuts.calibration), str(result))
    return train_report(learned.held_out, result.spread, str(result))
