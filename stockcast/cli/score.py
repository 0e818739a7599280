"""`stockcast score`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import Shared, all_option, csv_option, out_option, reading_options, shared_options
from stockcast.cli.output import on_message, print_result
from stockcast.errors import UsageError

if TYPE_CHECKING:
    from stockcast.reading.records import Hints


@click.command("score")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@csv_option
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only forecasts from this session on.")
@click.option("--by", type=click.Choice(["model", "series", "step", "month"]), help="A line for each of these.")
@click.option(
    "--format", "form", type=click.Choice(["rows", "hubverse"]), default="rows", show_default=True, help="Of FILE."
)
@out_option
@click.option("--verify", is_flag=True, help="Check the ledger itself instead; exit with 1 if it is damaged.")
@reading_options
@shared_options
def score_command(
    shared: Shared,
    hints: Hints,
    names: tuple[str, ...],
    everything: bool,
    csvs: tuple[str, ...],
    since: datetime | None,
    by: str | None,
    form: str,
    output: Path | None,
    verify: bool,
) -> int:
    """Judge the forecasts that were issued with predict --record on the prices that came.

    Only forecasts that were issued before their session began count, and of several the first. An outcome is the return
    from the last known price to the session's, both of one download; the first that is seen is kept.
    """
    if csvs and (everything or len(names) > 1):
        raise UsageError("--csv goes with one model.", "name it, or leave --csv out: each model knows its own prices.")
    if verify:
        from stockcast.jobs.live.verify import verify_ledger

        found = verify_ledger(shared.store)
        print_result(shared, found.to_dict(), lambda: str(found))
        return found.exit_code
    from stockcast.jobs.live.score import ScoreRequest, score_record

    first = since and since.date()
    brief = not shared.as_json
    result = score_record(ScoreRequest(shared.store, names, everything, csvs, first, by, output, form, hints, brief))
    if result.not_kept:
        on_message(shared)(f"Warning: the outcomes seen were not kept: {result.not_kept}")
    print_result(shared, result.to_dict(), result.text)
    return result.exit_code
