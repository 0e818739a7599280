"""`stockcast fetch`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from stockcast.cli.options import Shared, shared_options
from stockcast.cli.output import on_message, print_result
from stockcast.errors import UsageError


@click.command()
@click.argument("symbols", nargs=-1, metavar="[SYMBOL]...")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Folder for the prices.")
@click.option(
    "--from", "source", type=click.Choice(["yahoo", "tiingo"]), help="Provider. [default: as before, or yahoo]"
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The first day of the history. [default: all]")
@click.option("--all", "everything", is_flag=True, help="Every symbol that is in DIR.")
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Report dates, too.")
@click.option("--probe", "probed", metavar="SYMBOL", help="Show what the provider answers just now; write nothing.")
@shared_options
def fetch(
    shared: Shared,
    symbols: tuple[str, ...],
    to: Path | None,
    source: str | None,
    since: datetime | None,
    everything: bool,
    events: Path | None,
    probed: str | None,
) -> int:
    """Bring prices of a provider into a folder, one CSV file a symbol: the whole history, then each new session.

    Prices are adjusted here, from what was traded and what was paid. A session that is not over is left out. An answer
    that is empty or shrunken replaces nothing. 75 means that some are left to do: the same command goes on with them.
    """
    first = since and since.date()
    if probed is not None:
        if symbols or everything or to or events:
            raise UsageError("--probe SYMBOL goes alone.", f"stockcast fetch --probe {probed}")
        from stockcast.jobs.fetching.probe import probe

        answered = probe(probed, source or "yahoo", first)
        print_result(shared, answered.to_dict(), answered.text)
        return 0
    if to is None:
        raise UsageError("there is no --to DIR.", "name a folder for the prices: --to prices")
    from stockcast.jobs.fetch import FetchRequest, fetch_prices

    result = fetch_prices(FetchRequest(to, symbols, source, first, everything, events), on_message(shared))
    print_result(shared, result.to_dict(), result.text)
    return result.exit_code
