"""`stockcast config`: every setting with its meaning, bounds and value."""

from __future__ import annotations

import json

import click

from stockcast.cli.options import Shared, shared_options


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
@click.argument("preset_or_file", default="daily")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Lay one setting over it.")
@shared_options
def show_settings(shared: Shared, preset_or_file: str, settings: tuple[str, ...]) -> None:
    """All settings of PRESET_OR_FILE as TOML, each with its bounds and meaning."""
    from stockcast.config.run import load_config
    from stockcast.view.settings import commented_toml

    loaded = load_config(preset_or_file, settings)
    fields = {"digest": loaded.digest(), "settings": loaded.model_dump(mode="json")}
    click.echo(json.dumps(fields) if shared.as_json else commented_toml(loaded))
