"""`stockcast retrain`, and the hooks that hear of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import (
    Shared,
    accept_option,
    all_option,
    csv_option,
    engine_options,
    faults_of,
    notify_option,
    on_failure_option,
    shared_options,
)
from stockcast.cli.output import on_message, print_result, say, with_hooks
from stockcast.errors import UsageError

if TYPE_CHECKING:
    from stockcast.jobs.many.outcomes import FleetResult
    from stockcast.jobs.retraining.records import Retrained, RetrainRequest


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@csv_option
@accept_option
@click.option("--dry-run", is_flag=True, help="Train and judge, but change nothing.")
@click.option("--force", is_flag=True, help="Train without new rows; promote unless the challenger is broken.")
@click.option(
    "--max-age", type=click.IntRange(0, 100_000), metavar="DAYS", help="Days after which predict calls it stale."
)
@engine_options
@notify_option
@on_failure_option
@shared_options
def retrain(
    shared: Shared,
    names: tuple[str, ...],
    everything: bool,
    csvs: tuple[str, ...],
    accept: tuple[str, ...],
    dry_run: bool,
    force: bool,
    max_age: int | None,
    jobs: int,
    on: str | None,
    notify_url: str | None,
    on_failure: str | None,
) -> int:
    """Train a challenger on the newest prices; it serves if it is not worse than the champion.

    Both are judged on the newest sessions, which neither has seen. Without new rows nothing is done. Made for cron:
    see stockcast schedule.
    """
    from stockcast.jobs.retraining.records import RetrainRequest
    from stockcast.store.store import Store

    if not everything and not names:
        names = (Store(shared.store).only(),)
    if len(names) == 1:
        names = (Store(shared.store).find(names[0]),)
    if csvs and len(names) != 1:
        raise UsageError("--csv goes with one model.", "name it, or leave --csv out: each model knows its own prices.")
    if accept and len(names) != 1:
        raise UsageError("--accept goes with one model.", "name the one whose prices have that fault.")
    faults = faults_of(accept)
    request = RetrainRequest(shared.store, names[0] if names else "", csvs, dry_run, force, max_age, faults)
    return with_hooks(shared, notify_url, on_failure, lambda: _run(shared, names, request, jobs, on))


def _run(
    shared: Shared, names: tuple[str, ...], request: RetrainRequest, jobs: int, on: str | None
) -> tuple[int, str | None]:
    """The exit code, and what failed."""
    if len(names) == 1:
        result = _one(shared, replace(request, name=names[0]), on)
        print_result(shared, result.to_dict(), lambda: str(result))
        return 0, None
    from stockcast.cli.progress import fleet_models
    from stockcast.jobs.fleet import retrain_fleet

    with fleet_models(shared) as ended:
        fleet: FleetResult = retrain_fleet(
            shared.store,
            names,
            request,
            jobs,
            lambda one, done, total: ended(one.kind, one.text, done, total),
            on,
            on_message(shared),
        )
    print_result(shared, fleet.to_dict(), lambda: fleet.summary)
    if shared.quiet:
        for one in fleet.outcomes:
            if one.exit_code:
                say(str(one))
    return fleet.exit_code, fleet.failure


def _one(shared: Shared, request: RetrainRequest, on: str | None) -> Retrained:
    from stockcast.jobs.retrain import retrain_model

    if on is None:
        return retrain_model(request, on_message(shared))
    from stockcast.fleet.engines import engine_for

    with engine_for(1, on) as engine:
        return retrain_model(request, on_message(shared), engine)
