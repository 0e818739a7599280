"""`stockcast check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stockcast.cli.options import (
    Shared,
    events_option,
    reading_options,
    required_csv_option,
    shared_options,
    text_option,
)
from stockcast.cli.output import print_result

if TYPE_CHECKING:
    from stockcast.reading.records import Hints


class _ListingKinds(click.Command):
    """A command whose help ends with the faults that --accept takes."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's signature
        from stockcast.checks.findings import KINDS

        with formatter.section("Faults that are refused, and taken with --accept KIND"):
            formatter.write_dl([(kind, what) for kind, (verdict, what, _) in KINDS.items() if verdict == "refused"])


@click.command(cls=_ListingKinds)
@required_csv_option
@events_option
@text_option("--against", metavar="NAME", help="How they lie to the prices that this model was trained on.")
@reading_options
@shared_options
def check(shared: Shared, hints: Hints, csvs: tuple[str, ...], events: tuple[str, ...], against: str | None) -> int:
    """What a file holds, how it was read, and what is wrong with it.

    Of events it says how many of each kind there are, whom they concern, and how prices moved on such days.
    Exit code 1 if some of several files can't be used, 65 if none can.
    """
    from datetime import date

    from stockcast.jobs.check import run_check, run_check_against
    from stockcast.store.store import Store
    from stockcast.view.check import check_text

    today = date.today()  # noqa: DTZ011 -- the user's own day
    checked = (
        run_check_against(Store(shared.store), against, csvs, hints, today, events)
        if against
        else run_check(csvs, hints, today, events, store=shared.store)
    )
    result = checked.to_dict()
    print_result(shared, result, lambda: check_text(result))
    return checked.exit_code
