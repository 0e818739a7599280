"""`stockcast report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import Shared, all_option, csv_option, reading_options, shared_options
from stockcast.cli.output import on_message, print_result

if TYPE_CHECKING:
    from stockcast.reading.records import Hints


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@csv_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.html|DIR",
    help="A file for one model, a folder for several. [default: NAME.html, or report]",
)
@click.option("--jobs", type=click.IntRange(1, 1024), help="Pages to make at once. [default: the processors]")
@reading_options
@shared_options
def report(
    shared: Shared,
    hints: Hints,
    names: tuple[str, ...],
    everything: bool,
    csvs: tuple[str, ...],
    output: Path | None,
    jobs: int | None,
) -> int:
    """Write one page to read in the morning: the forecast, the record, how the model was judged, where it comes from.

    It is a single HTML file without script, and needs nothing from the network. For several models a folder is
    written, with an index of them all.
    """
    from stockcast.jobs.morning.report import ReportRequest, write_report

    written = write_report(
        ReportRequest(shared.store, names, everything, output, csvs, hints, jobs), on_message(shared)
    )
    print_result(shared, written.to_dict(), lambda: str(written))
    return written.exit_code
