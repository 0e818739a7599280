"""Floor 7: the command line, a file a command. click is spoken here alone; jobs are imported in command bodies."""

from __future__ import annotations

from collections.abc import Sequence

import click

from stockcast.cli.audit import audit
from stockcast.cli.backtest import backtest
from stockcast.cli.boundary import guarded
from stockcast.cli.check import check
from stockcast.cli.config import config
from stockcast.cli.export import export
from stockcast.cli.fetch import fetch
from stockcast.cli.judge import judge
from stockcast.cli.models import models
from stockcast.cli.nightly import nightly
from stockcast.cli.options import Shared, shared_options
from stockcast.cli.plot import plot
from stockcast.cli.predict import predict
from stockcast.cli.report import report
from stockcast.cli.retrain import retrain
from stockcast.cli.schedule import schedule
from stockcast.cli.score import score_command
from stockcast.cli.train import train
from stockcast.process import own_process
from stockcast.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="stockcast", message="%(prog)s %(version)s")
@shared_options
def stockcast(shared: Shared) -> None:
    """Honest forecasts of the next sessions from a CSV of prices.

    \b
    stockcast train --csv data/ibm.csv     fit, judge against the last price, save
    stockcast predict ibm                  the next sessions, with bands
    stockcast plot ibm -o ibm.png          look at it
    """


for command in (
    *(train, predict, score_command, report, plot, check, backtest, judge, audit),
    *(nightly, retrain, schedule, fetch, models, export, config),
):
    stockcast.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run `stockcast ARGUMENTS` and return its exit code; every failure becomes a message and a code here."""
    with own_process():
        return guarded(
            lambda: stockcast.main(list(arguments), "stockcast", standalone_mode=False, auto_envvar_prefix="STOCKCAST"),
            as_json="--json" in arguments,
        )
