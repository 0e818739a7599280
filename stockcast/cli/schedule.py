"""`stockcast schedule`."""

from __future__ import annotations

from pathlib import Path

import click

from stockcast.cli.options import Shared, all_option, notify_option, on_failure_option, shared_options
from stockcast.cli.output import print_result


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@all_option
@click.option("--at", default="22:30", show_default=True, metavar="HH:MM", help="Time of day, local.")
@click.option("--days", default="mon-fri", show_default=True, help="Weekdays: mon-fri, or mon,wed, or daily.")
@click.option(
    "--command",
    "task",
    type=click.Choice(["nightly", "retrain"]),
    default="nightly",
    show_default=True,
    help="What to run.",
)
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
    everything: bool,  # noqa: ARG001 -- without a name it is every model in any case
    at: str,
    days: str,
    task: str,
    notify_url: str | None,
    on_failure: str | None,
    kind: str,
    action: str | None,
) -> None:
    """Print what does the night's work without supervision, or install or remove it.

    Output goes to nightly.log in the store, or to retrain.log. What is installed carries a mark, by which it is
    replaced and removed again.
    """
    from stockcast.jobs import schedule as jobs

    if notify_url:
        from stockcast.jobs.hooks import check_url

        check_url(notify_url)
    hooks = {"--notify-url": notify_url, "--on-failure": on_failure}
    planned = jobs.plan(Path(shared.store), names, at, days, hooks, task)
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
