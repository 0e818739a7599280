"""`stockcast nightly`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from stockcast.cli.options import Shared, all_option, engine_options, notify_option, on_failure_option, shared_options
from stockcast.cli.output import on_message, print_result, with_hooks
from stockcast.cli.progress import fleet_models


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the morning's pages to DIR.",
)
@partial(engine_options, does="Models to work on at once. [default: the store's, or 1]", else_jobs=None)
@click.option("--dry-run", is_flag=True, help="Train and forecast, but change, record and write nothing.")
@notify_option
@on_failure_option
@shared_options
def nightly(
    shared: Shared,
    names: tuple[str, ...],
    everything: bool,
    report: Path | None,
    jobs: int | None,
    on: str | None,
    dry_run: bool,
    notify_url: str | None,
    on_failure: str | None,
) -> int:
    """Do the night's work: retrain, forecast, record, score, and write the morning's pages.

    A model whose step fails goes no further tonight; the others do. What the line does not say is asked of
    stockcast.toml in the store: see stockcast config show --store. Made for cron: see stockcast schedule.
    """
    from stockcast.config.store_settings import load_store_config
    from stockcast.jobs.morning.nightly import night_request, run_night
    from stockcast.store.store import Store

    if not everything and not names:
        names = (Store(shared.store).only(),)
    settings = load_store_config(shared.store).nightly
    url, command = notify_url or settings.notify_url or None, on_failure or settings.on_failure or None

    def work() -> tuple[int, str | None]:
        with fleet_models(shared) as ended:
            night = run_night(night_request(shared.store, names, report, jobs, on, dry_run), on_message(shared), ended)
        print_result(shared, night.to_dict(), lambda: str(night))
        return night.exit_code, night.failure

    return with_hooks(shared, url, command, work)
