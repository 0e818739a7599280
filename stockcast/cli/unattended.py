"""`stockcast retrain` and `schedule`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stockcast.cli.forecasting import csv_option
from stockcast.cli.options import Shared, shared_options
from stockcast.cli.output import on_message, print_result
from stockcast.errors import UsageError

if TYPE_CHECKING:
    from stockcast.jobs.fleet import FleetResult
    from stockcast.jobs.retraining import Retrained, RetrainRequest

notify_option = click.option("--notify-url", metavar="URL", help="Ping URL/start, then URL or URL/fail.")
on_failure_option = click.option(
    "--on-failure", metavar="CMD", help="Run CMD if a model fails; the message is in STOCKCAST_ERROR."
)
all_option = click.option("--all", "everything", is_flag=True, help="Every model of the store.")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@csv_option
@click.option("--dry-run", is_flag=True, help="Train and judge, but change nothing.")
@click.option("--force", is_flag=True, help="Train without new rows; promote unless the challenger is broken.")
@click.option("--max-age", type=click.IntRange(0), metavar="DAYS", help="Days after which predict calls it stale.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Models to train at once.")
@notify_option
@on_failure_option
@shared_options
def retrain(
    shared: Shared,
    names: tuple[str, ...],
    everything: bool,
    csvs: tuple[str, ...],
    dry_run: bool,
    force: bool,
    max_age: int | None,
    jobs: int,
    notify_url: str | None,
    on_failure: str | None,
) -> int:
    """Train a challenger on the newest prices; it serves if it is not worse than the champion.

    Both are judged on the newest sessions, which neither has seen. Without new rows nothing is done. Made for cron:
    see stockcast schedule.
    """
    from stockcast.jobs.retraining import RetrainRequest
    from stockcast.store.store import Store

    if everything == bool(names):
        if everything:
            raise UsageError("--all and a NAME were both given.", "give one of them.")
        names = (Store(shared.store).only(),)
    if csvs and len(names) != 1:
        raise UsageError("--csv goes with one model.", "name it, or leave --csv out: each model knows its own prices.")
    if notify_url:
        from stockcast.jobs import hooks

        hooks.check_url(notify_url)
        hooks.notify(notify_url, "start", on_message(shared))
    request = RetrainRequest(shared.store, names[0] if names else "", csvs, dry_run, force, max_age)
    try:
        code, failure = _run(shared, names, request, jobs)
    except Exception as error:  # whatever it is, the hooks hear of it, and it goes on its way
        _tell(shared, notify_url, on_failure, str(error))
        raise
    _tell(shared, notify_url, on_failure, failure)
    return code


def _run(shared: Shared, names: tuple[str, ...], request: RetrainRequest, jobs: int) -> tuple[int, str | None]:
    """The exit code, and what failed."""
    if len(names) == 1:
        from stockcast.jobs.retrain import retrain_model

        result: Retrained = retrain_model(replace(request, name=names[0]), on_message(shared))
        print_result(shared, result.to_dict(), lambda: str(result))
        return 0, None
    from stockcast.jobs.fleet import retrain_fleet

    fleet: FleetResult = retrain_fleet(shared.store, names, request, jobs)
    print_result(shared, fleet.to_dict(), lambda: "\n".join(str(one) for one in fleet.outcomes))
    failed = [str(one) for one in fleet.outcomes if one.exit_code]
    if shared.quiet:
        for line in failed:
            click.echo(line, err=True)
    return fleet.exit_code, "; ".join(failed) or None


def _tell(shared: Shared, notify_url: str | None, on_failure: str | None, failure: str | None) -> None:
    """The hooks, after everything is decided and saved."""
    if not (notify_url or on_failure):
        return
    from stockcast.jobs import hooks

    if notify_url:
        hooks.notify(notify_url, "fail" if failure else "success", on_message(shared))
    if on_failure and failure:
        hooks.run_on_failure(on_failure, failure, on_message(shared))


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@click.option("--at", default="22:30", show_default=True, metavar="HH:MM", help="Time of day, local.")
@click.option("--days", default="mon-fri", show_default=True, help="Weekdays: mon-fri, or mon,wed, or daily.")
@notify_option
@on_failure_option
@click.option("--cron", "kind", flag_value="cron", default="cron", help="Crontab lines. [default]")
@click.option("--systemd", "kind", flag_value="systemd", help="A systemd service and timer of the user.")
@click.option("--install", "action", flag_value="install", help="Install them.")
@click.option("--remove", "action", flag_value="remove", help="Remove exactly them.")
@shared_options
def schedule(
    shared: Shared,
    names: tuple[str, ...],
    everything: bool,
    at: str,
    days: str,
    notify_url: str | None,
    on_failure: str | None,
    kind: str,
    action: str | None,
) -> None:
    """Print what retrains the models without supervision, or install or remove it.

    Output goes to retrain.log in the store. What is installed carries a mark, by which it is removed again.
    """
    from stockcast.jobs import schedule as jobs

    if everything and names:
        raise UsageError("--all and a NAME were both given.", "give one of them.")
    if notify_url:
        from stockcast.jobs.hooks import check_url

        check_url(notify_url)
    hooks = {"--notify-url": notify_url, "--on-failure": on_failure}
    planned = jobs.plan(Path(shared.store), names, at, days, hooks)
    if action != "remove":
        jobs.check_models(planned)
    actions = {
        ("cron", "install"): jobs.install_cron,
        ("cron", "remove"): jobs.remove_cron,
        ("systemd", "install"): jobs.install_systemd,
        ("systemd", "remove"): jobs.remove_systemd,
    }
    if action is not None:
        result = actions[kind, action](planned)
    else:
        result = jobs.Scheduled(jobs.crontab(planned) if kind == "cron" else jobs.systemd_text(planned), None)
    print_result(shared, result.to_dict(), lambda: str(result))
