"""`stockcast export`."""

from __future__ import annotations

from pathlib import Path

import click

from stockcast.cli.options import Shared, name_argument, shared_options
from stockcast.cli.output import print_result


@click.command()
@name_argument
@click.option("--format", "form", type=click.Choice(["keras", "onnx"]), default="onnx", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE. [default: NAME.onnx or NAME.keras]",
)
@shared_options
def export(shared: Shared, name: str | None, form: str, output: Path | None) -> None:
    """Write the network of the model NAME for other tools.

    It takes windows of inputs that are scaled as the model's scaler.json says, and answers in units of its targets;
    --json tells their names and the shapes. A .keras file is loaded after `import stockcast.model.network`.
    """
    from stockcast.jobs.export import ExportRequest, export_model

    exported = export_model(ExportRequest(shared.store, name, form, output))
    print_result(shared, exported.to_dict(), lambda: str(exported.path))
