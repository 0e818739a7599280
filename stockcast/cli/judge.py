"""`stockcast judge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.options import Shared, csv_option, names_in, reading_options, shared_options
from stockcast.cli.output import on_message, print_result

if TYPE_CHECKING:
    from stockcast.reading.records import Hints


@click.command()
@click.argument("rows", type=click.Path(path_type=Path), metavar="ROWS.csv")
@click.option("--against", metavar="NAME,...", help="Baselines, or models of the file. [default: naive,ewma,har]")
@csv_option
@click.option("--price", default="close", show_default=True, metavar="COLUMN", help="The column that was forecast.")
@reading_options
@shared_options
def judge(shared: Shared, hints: Hints, rows: Path, against: str | None, csvs: tuple[str, ...], price: str) -> int:
    """Judge anyone's forecasts as stockcast judges its own: scores, tests, and a verdict in words.

    ROWS.csv has a line for each model, series, cutoff and step, in any order of columns:

    \b
    model,series,cutoff,date,step,last,actual,forecast,q0.1,q0.5,q0.9
    mine,ibm,2013-02-27,2013-02-28,1,202.33,200.83,202.5,199.8,202.4,205.1

    The cutoff is the last date whose price was known, step 1 the first after it. Quantiles may be at any levels, and
    may be missing. With --csv, so may last and actual: they are taken from the prices, or checked against them, and
    baselines are fitted on the prices before the first cutoff. Without it, the last price alone is the opponent, and
    any baseline that the file itself has, as one written by backtest -o does.
    """
    from stockcast.jobs.judge import JudgeRequest, run_judge
    from stockcast.view.judge import judge_report

    request = JudgeRequest(rows, csvs, price, None if against is None else names_in(against), hints, shared.store)
    result = run_judge(request, on_message(shared))
    judged = [(one.name, one.assessment) for one in result.judged]
    print_result(shared, result.to_dict(), lambda: judge_report(judged, result.compared, result.training, result.notes))
    return 1 if result.failures else 0
