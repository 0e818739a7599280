"""`stockcast audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stockcast.cli.options import (
    Shared,
    config_option,
    engine_options,
    events_option,
    reading_options,
    required_csv_option,
    set_option,
    settings_of,
    shared_options,
)
from stockcast.cli.output import on_message, print_result

if TYPE_CHECKING:
    from stockcast.reading.records import Hints


@click.command()
@required_csv_option
@events_option
@config_option
@set_option
@click.option(
    "--repeats", type=click.IntRange(2, 100), default=5, show_default=True, help="Trainings on shuffled returns."
)
@engine_options
@reading_options
@shared_options
def audit(
    shared: Shared,
    hints: Hints,
    csvs: tuple[str, ...],
    events: tuple[str, ...],
    preset: str,
    settings: tuple[str, ...],
    repeats: int,
    jobs: int,
    on: str | None,
) -> int:
    """Prove on your own prices that no forecast saw the future. Exit code 1 if one did.

    Prices after a cutoff are changed: nothing that was fitted or forecast before it may move by a bit. Returns are
    shuffled: no skill may appear. It trains the configuration several times.
    """
    from stockcast.jobs.audit import run_audit
    from stockcast.view.backtest import audit_report

    result = run_audit(
        *(csvs, events, hints, preset, settings_of(settings), repeats, on_message(shared), jobs, on),
        store=shared.store,
    )
    print_result(shared, result.to_dict(), lambda: audit_report(result.checks))
    return 0 if result.passed else 1
