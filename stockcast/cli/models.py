"""`stockcast models`: look at the store, check it, change what serves."""

from __future__ import annotations

import click

from stockcast.cli.options import Shared, name_argument, shared_options
from stockcast.cli.output import print_result, say


@click.group()
@shared_options
def models(shared: Shared) -> None:
    """The saved models: list, inspect, check, roll back, tidy up."""


@models.command("list")
@shared_options
def list_all(shared: Shared) -> None:
    """Every model, and the version that serves."""
    from stockcast.jobs.models import list_models
    from stockcast.view.models import list_text

    result = list_models(shared.store).to_dict()
    print_result(shared, result, lambda: list_text(result))


@models.command("show")
@name_argument
@shared_options
def show_one(shared: Shared, name: str | None) -> None:
    """Where the model NAME comes from, its versions, and what happened to it."""
    from stockcast.jobs.models import show_model
    from stockcast.view.models import show_text

    result = show_model(shared.store, name).to_dict()
    print_result(shared, result, lambda: show_text(result))


@models.command()
@name_argument
@shared_options
def verify(shared: Shared, name: str | None) -> int:
    """Check every byte of the model NAME, or of all models. Exit code 1 if anything is damaged."""
    from stockcast.jobs.models import verify_models
    from stockcast.view.models import faults_text, verify_text

    verification = verify_models(shared.store, name)
    result = verification.to_dict()
    print_result(shared, result, lambda: verify_text(result))
    if shared.quiet:
        for line in faults_text(result):
            say(line)
    return verification.exit_code


@models.command()
@click.argument("name")
@click.argument("version", required=False)
@shared_options
def rollback(shared: Shared, name: str, version: str | None) -> None:
    """Let VERSION of the model NAME serve again, or the version that served before."""
    from stockcast.jobs.models import roll_back
    from stockcast.view.models import rollback_text

    result = roll_back(shared.store, name, version).to_dict()
    print_result(shared, result, lambda: rollback_text(result))


@models.command()
@click.argument("name")
@click.option("--keep", type=click.IntRange(0), default=5, show_default=True, help="How many of the newest stay.")
@shared_options
def prune(shared: Shared, name: str, keep: int) -> None:
    """Delete old versions of the model NAME, but never one that serves, served before, or is being read."""
    from stockcast.jobs.models import prune_model
    from stockcast.view.models import deleted_text

    result = prune_model(shared.store, name, keep).to_dict()
    print_result(shared, result, lambda: deleted_text(result))


@models.command()
@click.argument("name")
@shared_options
def remove(shared: Shared, name: str) -> None:
    """Delete the model NAME with all its versions."""
    from stockcast.jobs.models import remove_model
    from stockcast.view.models import deleted_text

    result = remove_model(shared.store, name).to_dict()
    print_result(shared, result, lambda: deleted_text(result))
