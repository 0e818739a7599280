"""`stockcast config`: every setting with its meaning, bounds and value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from stockcast.cli.options import Shared, shared_options
from stockcast.errors import UsageError

if TYPE_CHECKING:
    from stockcast.config.sections import Section


@click.group()
@shared_options
def config(shared: Shared) -> None:
    """Every setting, with its meaning, bounds and value."""


@config.command("list")
@shared_options
def list_presets(shared: Shared) -> None:
    """The presets that come with stockcast."""
    from stockcast.config.run import preset_comments
    from stockcast.view.settings import preset_list

    about = preset_comments()
    click.echo(json.dumps({"presets": about}) if shared.as_json else preset_list(about))


@config.command("show")
@click.argument("preset_or_file", required=False)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Lay one setting over it.")
@shared_options
@click.pass_context
def show_settings(
    context: click.Context, shared: Shared, preset_or_file: str | None, settings: tuple[str, ...]
) -> None:
    """All settings of PRESET_OR_FILE as TOML, each with its bounds and meaning. [default: daily]

    With --store PATH they are those of the store in that folder, its stockcast.toml.
    """
    from stockcast.view.settings import commented_toml

    if context.get_parameter_source("store") is ParameterSource.COMMANDLINE:
        from stockcast.config.store_settings import load_store_config

        if preset_or_file or settings:
            raise UsageError("--store asks for the store's settings, not a preset's.", "leave one of them out.")
        loaded: Section = load_store_config(shared.store)
    else:
        from stockcast.config.run import DEFAULT_PRESET, load_config

        loaded = load_config(preset_or_file or DEFAULT_PRESET, settings)
    fields = {"digest": loaded.digest(), "settings": loaded.model_dump(mode="json")}
    click.echo(json.dumps(fields) if shared.as_json else commented_toml(loaded))
